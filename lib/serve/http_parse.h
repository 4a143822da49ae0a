#ifndef ORCH_SERVE_HTTP_PARSE_H
#define ORCH_SERVE_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "serve/http.h"

/*
 * The framing of HTTP/1.1 requests (RFC 9112), pure: bytes in, facts or a status to refuse with
 * out.  Where the RFC lets a recipient choose between repairing and refusing, we refuse.
 *
 * A head is found by http_scan(), which looks at every byte once however slowly they come, and then
 * taken apart by http_head_parse().
 */
enum {
	HTTP_LINE_MAX = 16384,	 /* the request line; more is 414 */
	HTTP_HEADERS_MAX = 100,	 /* header lines; more is 431 */
	HTTP_TRAILER_MAX = 8192, /* chunk extensions and trailers of one body, together */
};

struct http_scan {
	size_t at;    /* bytes looked at */
	size_t start; /* of the request line: empty lines before it are skipped */
	size_t end;   /* of the head, 0 while it is not complete */
	size_t line;  /* where the present line starts */
	unsigned lines;
	bool cr; /* the last byte was a CR */
};

/* Look at data[s->at..len).  0, or the status to refuse with; s->end tells whether the head is
 * complete. */
int http_scan(struct http_scan *s, const char *data, size_t len, size_t limit);

struct http_head {
	const char *method, *target; /* target as sent */
	const char *path, *query;    /* path decoded; query as sent, "" when none */
	size_t nheaders;
	bool old;     /* HTTP/1.0 */
	bool close;   /* the sender does not want another exchange on the connection */
	bool expect;  /* waits for 100 Continue */
	bool chunked; /* else `length` bytes follow */
	uint64_t length;
};

/*
 * Take apart a complete head: data[0..len) ends with an empty line and is cut into strings in
 * place. `headers` has room for as many entries as the head has lines; `room` for len + 1 bytes
 * (the path is decoded into it). 0, or the status to refuse with.
 */
int http_head_parse(
    char *data, size_t len, struct http_header *headers, char *room, struct http_head *ret);

/* A chunked body, decoded as it comes; begin with all zero. */
struct http_chunks {
	int state;
	uint64_t left;
	unsigned digits;
	size_t extra; /* bytes of extensions and trailers so far */
};
/*
 * Decode data[0..len) behind *body.  *used tells how many bytes were taken.  0: more is needed;
 * 1: the body is complete; else the status to refuse with (413 beyond `limit` bytes of body).
 */
int http_chunks_feed(struct http_chunks *c, const char *data, size_t len, size_t *used,
    struct buf *body, size_t limit);

/* Undo %XX (and '+' for a space) from src[0..len) into dst, which has room for len + 1 bytes. False
 * on a bad escape and on %00, which no C string can hold. */
bool percent_decode(char *dst, const char *src, size_t len, bool plus);

/* The value of the nth (from 0) `name=value` in a query, decoded; a new string, or NULL. */
char *query_value(const char *query, const char *name, size_t nth);

#endif
