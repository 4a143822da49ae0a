#ifndef ORCH_SERVE_HTTP_H
#define ORCH_SERVE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "serve/bytes.h"

/*
 * The HTTP/1.1 server (RFC 9112), on TCP with TLS or without, and on unix sockets.  It knows
 * nothing of Kubernetes.
 *
 * A few event-loop threads (epoll) read requests and write replies; a pool of worker threads runs
 * what may block.  A complete request is handed to `handle` on a loop thread, which must either
 * answer at once or pass it on with http_defer().  Framing is strict: what RFC 9112 calls a bad
 * request gets 400, 413, 414, 431 or 501 and the connection is closed before a handler sees it.
 */

struct http_header {
	const char *name, *value; /* NUL-terminated; names as sent: compare without case */
};

/* Who is at the other end, established by the transport. */
struct http_peer {
	bool tls, local; /* local: a unix socket */
	uid_t uid;	 /* of a local peer (SO_PEERCRED) */
	pid_t pid;
	const char *common_name;	  /* of a verified client certificate, else NULL */
	const char *const *organizations; /* NULL-terminated; may be NULL */
	const char *front; /* the common name of who speaks for others (tls_front()), else NULL */
};

struct http_request {
	const char *method;
	const char *path;   /* percent-decoded, no query; a NUL or bad escape was refused */
	const char *query;  /* as sent, without '?'; "" when none */
	const char *target; /* path and query as sent */
	const struct http_header *headers;
	size_t nheaders;
	const char *body; /* NUL-terminated */
	size_t len;
	struct http_peer peer;
};

struct http_exchange; /* one request and its answer */

const struct http_request *http_request(const struct http_exchange *x);
const char *http_header(const struct http_exchange *x, const char *name); /* or NULL */
/* The value of a query parameter, decoded; a new string, or NULL when it is not there.  The first
 * one counts. */
char *http_query(const struct http_exchange *x, const char *name);
char *http_query_nth(const struct http_exchange *x, const char *name, size_t nth); /* from 0 */

/*
 * Run fn(x, arg) on a worker thread; the handler must not touch x afterwards.  The answer may come
 * from any thread and at any time, also after fn has returned (a commit queue may give it), but it
 * must come: a connection and http_server_stop() wait for it.
 */
void http_defer(struct http_exchange *x, void (*fn)(struct http_exchange *x, void *arg), void *arg);

/* Whether the peer has hung up: a long answer need not be worked out any more.  It still must be
 * given. */
bool http_gone(const struct http_exchange *x);

/* Answer and end the exchange.  type may be NULL; extra: more headers, ended by a NULL name, or
 * NULL. The parts (references are taken over) are sent one after the other without being copied. */
void http_reply(struct http_exchange *x, int status, const char *type,
    const struct http_header *extra, struct bytes *const *parts, size_t nparts);
void http_reply_text(struct http_exchange *x, int status, const char *type, const char *text);

/*
 * An answer without a known end (a watch): chunked.  Begin ends the exchange and gives a stream
 * that any thread may use until http_stream_end().  `closed` is called once, on a loop thread, when
 * the stream is over for whatever reason (peer gone, ended, server stopping); after it returns the
 * stream is gone.  It may be called before http_stream_begin() has returned to a worker thread:
 * hold, around begin and send, the lock that `closed` takes.
 */
struct http_stream;
struct http_stream *http_stream_begin(
    struct http_exchange *x, int status, const char *type, void (*closed)(void *arg), void *arg);
/* Queue one chunk (takes the reference).  Never blocks.  Returns the bytes now queued and not yet
 * written: a caller ends a stream whose reader does not keep up. */
size_t http_stream_send(struct http_stream *s, struct bytes *chunk);
void http_stream_end(
    struct http_stream *s); /* after what is queued; the stream may still see `closed` later */

/*
 * Take the connection out of the server, for what is no HTTP answer (a tunnel): fn runs on a thread
 * of its own, owns the connection and must end with duplex_close().  What the peer has sent behind
 * the request is read first.  The request is gone by then: copy what is needed.  d is NULL when the
 * peer has hung up already.  http_server_stop() breaks such connections, and waits for fn to
 * return.
 */
struct duplex;
void http_take(struct http_exchange *x, void (*fn)(struct duplex *d, void *arg), void *arg);

struct http_limits {
	size_t header_bytes; /* of the whole head; 0: 64 KiB */
	size_t body_bytes;   /* 0: 3 MiB */
	size_t held_bytes;   /* of all bodies at a time, more is 503; 0: 64 times body_bytes */
	int header_seconds;  /* to send a head, and for a TLS handshake; 0: 10 */
	int body_seconds;    /* to send a body; 0: 60 */
	int idle_seconds;    /* between requests; 0: 120 */
	int write_seconds;   /* without any progress while an answer waits to be read; 0: 60 */
	int max_connections; /* 0: from RLIMIT_NOFILE */
};

struct tls; /* store/tls.h */

struct http_server;
int http_server_new(struct http_server **ret, const struct http_limits *limits, int loops,
    int workers, void (*handle)(struct http_exchange *x, void *arg), void *arg, struct err *err);
/* "127.0.0.1:6443", "[::1]:0", ":6443"; tls NULL is plain.  *port (may be NULL) gets the port
 * bound. */
int http_listen(
    struct http_server *s, const char *address, struct tls *tls, int *port, struct err *err);
/* A unix socket with this mode; a stale one (nobody answers) is replaced, a live one is an error.
 */
int http_listen_unix(struct http_server *s, const char *path, unsigned mode, struct err *err);
/* What a request that no handler sees is told, where its line was understood: a new string of JSON,
 * or NULL for nothing.  r has no body.  Called on a loop thread; set it before the start. */
void http_refusals(struct http_server *s, char *(*words)(const struct http_request *r, int status));
int http_server_start(struct http_server *s, struct err *err); /* starts the threads and returns */
/* Stop accepting, let running exchanges end for up to `seconds`, close streams, join the threads:
 * no handler runs afterwards. */
void http_server_stop(struct http_server *s, double seconds);
void http_server_free(struct http_server *s);

/* Figures for /metrics. */
struct http_stats {
	uint64_t connections, requests, bytes_in, bytes_out, refused;
	uint64_t open_connections, open_streams;
};
void http_stats(const struct http_server *s, struct http_stats *ret);

#endif
