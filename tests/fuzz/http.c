/*
 * Request framing.  The same bytes are parsed in one piece and cut into pieces of a length that the
 * first byte gives: both must come to the same requests.
 */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "serve/http_parse.h"

enum { HEAD_LIMIT = 4096, BODY_LIMIT = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A head that was accepted keeps its promises to handlers. */
static void
check_head(const struct http_head *h, const struct http_header *headers)
{
	if ((h->path[0] != '/' && strcmp(h->path, "*") != 0) || strlen(h->method) == 0)
		abort();
	if (strpbrk(h->target, " \t\r\n") || strpbrk(h->method, " \t\r\n") ||
	    (h->chunked && h->length))
		abort();
	for (size_t i = 0; i < h->nheaders; i++) {
		const char *v = headers[i].value;
		size_t n = strlen(v);

		if (!*headers[i].name || strpbrk(headers[i].name, " \t\r\n:") || strpbrk(v, "\r\n"))
			abort();
		if (n > 0 && (strchr(" \t", v[0]) || strchr(" \t", v[n - 1])))
			abort();
	}
}

/* Parse the head that data[start..end) holds, from a copy of exactly its size. */
static int
parse(const char *data, const struct http_scan *s, struct http_head *h, struct buf *log)
{
	size_t len = s->end - s->start;
	autofree char *text = xmalloc(len);
	autofree char *room = xmalloc(len + 1);
	struct http_header *headers = xcalloc(s->lines, sizeof *headers);
	int r;

	memcpy(text, data + s->start, len);
	r = http_head_parse(text, len, headers, room, h);
	if (r == 0) {
		check_head(h, headers);
		buf_printf(log, "%s %s?%s %zu", h->method, h->path, h->query, h->nheaders);
	}
	free(headers);
	return r;
}

/* The body that follows.  1 complete, 0 cut off, else a status; *used is how much it took. */
static int
body(const struct http_head *h, const char *data, size_t len, size_t step, size_t *used,
    struct buf *log)
{
	struct http_chunks c = { 0 };
	autobuf struct buf b = BUF_INIT;
	size_t at = 0;
	int r = 0;

	if (!h->chunked) {
		*used = h->length < len ? (size_t)h->length : len;
		return h->length > BODY_LIMIT ? 413 : h->length <= len;
	}
	while (r == 0 && at < len) {
		size_t n = len - at < step ? len - at : step, took;
		char *piece = xmalloc(n);

		memcpy(piece, data + at, n);
		r = http_chunks_feed(&c, piece, n, &took, &b, BODY_LIMIT);
		if (took > n || b.len > BODY_LIMIT || (r == 0 && took != n))
			abort();
		at += took;
		free(piece);
	}
	*used = at;
	buf_add(log, b.data ? b.data : "", b.len);
	return r;
}

/* All requests in the bytes, looked at in steps; what was understood goes to the log. */
static void
run(const char *data, size_t len, size_t step, struct buf *log)
{
	size_t at = 0;

	while (at < len) {
		struct http_scan s = { 0 };
		struct http_head h = { 0 };
		size_t used;
		int r = 0;

		for (size_t n = 0; n < len - at && !s.end && r == 0;) {
			n = len - at - n < step ? len - at : n + step;
			r = http_scan(&s, data + at, n, HEAD_LIMIT);
		}
		if (r == 0 && s.end)
			r = parse(data + at, &s, &h, log);
		buf_printf(log, "[%d]", r);
		if (r || !s.end)
			return;
		at += s.end;
		r = body(&h, data + at, len - at, step, &used, log);
		buf_printf(log, "(%d)\n", r);
		if (r != 1)
			return;
		at += used;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autobuf struct buf whole = BUF_INIT, pieces = BUF_INIT;

	if (size < 1)
		return 0;
	run((const char *)data + 1, size - 1, SIZE_MAX, &whole);
	run((const char *)data + 1, size - 1, 1 + data[0] % 16, &pieces);
	if (whole.len != pieces.len ||
	    (whole.len && memcmp(whole.data, pieces.data, whole.len) != 0))
		abort();
	return 0;
}
