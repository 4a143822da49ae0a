/*
 * What handlers call: the request's fields and the answers.
 */
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/mem.h"
#include "serve/http_private.h"

const struct http_request *
http_request(const struct http_exchange *x)
{
	return &x->request;
}

const char *
http_header(const struct http_exchange *x, const char *name)
{
	for (size_t i = 0; i < x->request.nheaders; i++)
		if (strcasecmp(x->request.headers[i].name, name) == 0)
			return x->request.headers[i].value;
	return NULL;
}

char *
http_query(const struct http_exchange *x, const char *name)
{
	return query_value(x->request.query, name, 0);
}

char *
http_query_nth(const struct http_exchange *x, const char *name, size_t nth)
{
	return query_value(x->request.query, name, nth);
}

bool
http_gone(const struct http_exchange *x)
{
	return atomic_load(&x->gone);
}

void
exchange_free(struct http_exchange *x)
{
	for (size_t i = 0; i < x->nparts; i++)
		bytes_unref(x->parts[i]);
	free(x->parts);
	if (x->held)
		atomic_fetch_sub(&x->conn->loop->server->held, x->held);
	buf_release(&x->body);
	free(x);
}

static const char *
phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} table[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 301, "Moved Permanently" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < COUNT(table); i++)
		if (table[i].status == status)
			return table[i].phrase;
	return "Other";
}

/* RFC 9110, 5.6.7, made once a second by each thread. */
static const char *
date_now(void)
{
	static _Thread_local char text[40];
	static _Thread_local time_t made;
	time_t now = time(NULL);
	struct tm tm;

	if (now != made || !*text) {
		strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
		made = now;
	}
	return text;
}

/* A header line.  A line break in a value would start another header: it becomes a space. */
static void
add_header(struct buf *b, const char *name, const char *value)
{
	size_t at;

	buf_puts(b, name);
	buf_add(b, ": ", 2);
	at = b->len;
	buf_puts(b, value);
	for (; at < b->len; at++)
		if (b->data[at] == '\r' || b->data[at] == '\n')
			b->data[at] = ' ';
	buf_add(b, "\r\n", 2);
}

struct bytes *
answer_head(int status, const char *type, const struct http_header *extra, size_t length,
    bool chunked, bool close)
{
	static _Thread_local char room[32];
	autobuf struct buf b = BUF_INIT;

	buf_reserve(&b, 256);
	snprintf(room, sizeof room, "HTTP/1.1 %d ", status);
	buf_puts(&b, room);
	buf_puts(&b, phrase(status));
	buf_add(&b, "\r\n", 2);
	add_header(&b, "Date", date_now());
	if (type)
		add_header(&b, "Content-Type", type);
	for (; extra && extra->name; extra++)
		add_header(&b, extra->name, extra->value);
	if (length != SIZE_MAX) {
		snprintf(room, sizeof room, "%zu", length);
		add_header(&b, "Content-Length", room);
	}
	if (chunked)
		add_header(&b, "Transfer-Encoding", "chunked");
	if (close)
		add_header(&b, "Connection", "close");
	buf_add(&b, "\r\n", 2);
	return bytes_new(b.data, b.len);
}

/* Hand the answer to the connection's loop.  After this x is not ours any more. */
static void
answer(struct http_exchange *x)
{
	x->post.kind = POST_ANSWER;
	loop_post(x->conn->loop, &x->post);
}

static bool
closing(const struct http_exchange *x)
{
	return x->head.close || atomic_load(&x->conn->loop->server->stopping);
}

static bool
is_head(const struct http_exchange *x)
{
	return strcmp(x->request.method, "HEAD") == 0;
}

void
http_reply(struct http_exchange *x, int status, const char *type, const struct http_header *extra,
    struct bytes *const *parts, size_t nparts)
{
	bool none = status == 204 || status == 304; /* these have no body by definition */
	size_t length = 0;

	for (size_t i = 0; i < nparts; i++)
		length += parts[i]->len;
	x->close = closing(x);
	x->parts = xmalloc((nparts + 1) * sizeof(struct bytes *));
	x->parts[x->nparts++] =
	    answer_head(status, type, extra, none ? SIZE_MAX : length, false, x->close);
	for (size_t i = 0; i < nparts; i++) {
		if (none || is_head(x) || parts[i]->len == 0)
			bytes_unref(parts[i]);
		else
			x->parts[x->nparts++] = parts[i];
	}
	answer(x);
}

void
http_reply_text(struct http_exchange *x, int status, const char *type, const char *text)
{
	struct bytes *b = bytes_new(text, strlen(text));

	http_reply(x, status, type, NULL, &b, 1);
}

struct http_stream *
http_stream_begin(
    struct http_exchange *x, int status, const char *type, void (*closed)(void *arg), void *arg)
{
	struct http_stream *s = xcalloc(1, sizeof *s);

	s->post.kind = POST_STREAM;
	s->loop = x->conn->loop;
	s->raw = x->head.old; /* no chunks before HTTP/1.1: the end is the end of the connection */
	s->mute = is_head(x);
	s->closed = closed;
	s->arg = arg;
	COUNT_UP(s->loop->stats.streams, 1);
	x->stream = s;
	x->close = closing(x);
	x->parts = xmalloc(sizeof(struct bytes *));
	x->parts[x->nparts++] = answer_head(status, type, NULL, SIZE_MAX, !s->raw, x->close);
	answer(x);
	return s;
}

void
http_defer(struct http_exchange *x, void (*fn)(struct http_exchange *x, void *arg), void *arg)
{
	x->fn = fn;
	x->arg = arg;
	pool_add(&x->conn->loop->server->pool, x);
}
