/* The way back of a request that was passed on; see forward.h. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/forward_private.h"
#include "serve/http_parse.h"

enum { HEAD_BYTES = 65536, PART = 32768 };

static const char *
phrase(int status)
{
	static const char *const known[] = { [0] = "Internal Server Error",
		[2] = "Bad Gateway",
		[3] = "Service Unavailable",
		[4] = "Gateway Timeout" };
	int i = status - 500;

	return i >= 0 && i < (int)COUNT(known) && known[i] ? known[i] : "Error";
}

static void
say(struct duplex *d, const struct job *j, int status, const char *message)
{
	autofree char *body = j->words(status, message), *all = NULL;

	all = xasprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nX-Content-Type-Options: nosniff\r\n"
			"Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
	    status, phrase(status), *body == '{' ? "application/json" : "text/plain; charset=utf-8",
	    strlen(body), j->bodiless ? "" : body);
	duplex_write_all(d, all, strlen(all), WRITE_SECONDS);
}

void
forward_refuse(struct duplex *d, const struct job *j, int status, const char *cause)
{
	autofree char *message =
	    xasprintf("%s%s%s", j->context ? j->context : "", j->context ? ": " : "", cause);

	say(d, j, status, message);
}

/* --- the head --- */

/* Wait until `from` can be read; 0 when the client has hung up meanwhile, -1 when it is `until`
 * (0: never). */
static int
readable(struct duplex *from, struct duplex *client, double until)
{
	struct pollfd f[2] = { { .fd = duplex_fd(from), .events = POLLIN },
		{ .fd = duplex_fd(client), .events = POLLRDHUP } };
	double left = until > 0 ? until - clock_monotonic() : 0;

	if (duplex_ready(from))
		return 1;
	if ((until > 0 && left <= 0) || poll(f, 2, until > 0 ? (int)(left * 1000) + 1 : -1) == 0)
		return -1;
	return (f[0].revents != 0 || !(f[1].revents & (POLLRDHUP | POLLHUP | POLLERR)));
}

/* Where the head ends (behind the empty line), 0: not yet. */
static size_t
head_end(const struct buf *b)
{
	const char *p = b->len ? memmem(b->data, b->len, "\r\n\r\n", 4) : NULL;

	return p ? (size_t)(p - b->data) + 4 : 0;
}

/* The head of the answer into *in, perhaps with more behind it: its length into *end.  0, or the
 * status to refuse with. */
static int
read_head(struct duplex *from, struct duplex *client, double until, struct buf *in, size_t *end)
{
	while (!(*end = head_end(in)) && in->len < HEAD_BYTES) {
		char part[PART];
		ssize_t n = duplex_read(from, part, sizeof part);

		if (n == -EAGAIN) {
			int r = readable(from, client, until);

			if (r <= 0)
				return r < 0 ? 504 : 502;
			continue;
		}
		if (n <= 0)
			return 502;
		buf_add(in, part, (size_t)n);
	}
	return *end ? 0 : 502;
}

/* How long the body is, and how much of it was seen. */
struct body {
	long long length; /* that is still to come; -1: until the end */
	bool chunked, over, moved;
	struct http_chunks chunks;
};

static bool
names(const char *line, size_t n, const char *name)
{
	size_t len = strlen(name);

	return n > len && line[len] == ':' && strncasecmp(line, name, len) == 0;
}

/* The answer's head with "Connection: close" in place of what it says of the connection. */
static void
rewrite_head(const char *head, size_t len, struct buf *out, struct body *body)
{
	*body = (struct body){ .length = -1 };
	for (const char *p = head, *end = head + len; p < end;) {
		const char *nl = memmem(p, (size_t)(end - p), "\r\n", 2);
		size_t n = (size_t)(nl - p);

		if (n == 0)
			break;
		if (names(p, n, "Content-Length"))
			body->length = atoll(p + 15);
		if (names(p, n, "Transfer-Encoding"))
			body->chunked = memmem(p, n, "chunked", 7) != NULL;
		if (names(p, n, "Location"))
			body->moved = true;
		if (!names(p, n, "Connection") && !names(p, n, "Keep-Alive"))
			buf_add(out, p, n + 2);
		p = nl + 2;
	}
	if (body->chunked) /* RFC 9112, section 6.3: this is what counts */
		body->length = -1;
	buf_puts(out, "Connection: close\r\n\r\n");
}

/* --- the body --- */

/* How many of these bytes belong to the body; notices its end. */
static size_t
measure(struct body *b, const char *data, size_t n)
{
	autobuf struct buf plain = BUF_INIT;
	size_t used = n;

	if (b->chunked) {
		b->over = http_chunks_feed(&b->chunks, data, n, &used, &plain, SIZE_MAX) != 0;
	} else if (b->length >= 0) {
		if ((long long)n > b->length)
			used = (size_t)b->length;
		b->length -= (long long)used;
		b->over = b->length == 0;
	}
	return used;
}

/* What is left of the answer. */
static void
pass_body(struct duplex *from, struct duplex *client, struct body *b)
{
	char part[PART];

	while (!b->over) {
		ssize_t n = duplex_read(from, part, sizeof part);

		if (n == -EAGAIN) {
			if (readable(from, client, 0) <= 0)
				return;
			continue;
		}
		if (n <= 0 ||
		    duplex_write_all(client, part, measure(b, part, (size_t)n), WRITE_SECONDS) < 0)
			return;
	}
}

/* --- all of it --- */

/* The first head that is an answer (100 Continue and its like are between the two of us): its
 * length, 0 when the client was told that there is none. */
static size_t
final_head(
    struct duplex *client, struct duplex *server, const struct job *j, struct buf *in, int *status)
{
	double until = j->head_seconds > 0 ? clock_monotonic() + j->head_seconds : 0;
	size_t end = 0;
	int r;

	*status = 0;
	do {
		if (*status && *status != 101) {
			memmove(in->data, in->data + end, in->len - end);
			in->len -= end;
		}
		if ((r = read_head(server, client, until, in, &end)) == 504) {
			say(client, j, 504, "request did not complete within the allotted timeout");
			return 0;
		}
		if (r || sscanf(in->data, "HTTP/1.%*1[01] %3d", status) != 1) {
			forward_refuse(client, j, 502, "the server gave no answer");
			return 0;
		}
	} while (*status < 200 && *status != 101);
	return end;
}

void
forward_answer(struct duplex *client, struct duplex *server, const struct job *j)
{
	autobuf struct buf in = BUF_INIT, head = BUF_INIT;
	struct body body;
	int status;
	size_t end = final_head(client, server, j, &in, &status);

	if (!end)
		return;
	if (status == 101 && j->upgrade) {
		if (duplex_write_all(client, in.data, in.len, WRITE_SECONDS) == 0)
			duplex_relay(client, server, 0);
		return;
	}
	rewrite_head(in.data, end, &head, &body);
	if (j->no_redirects && body.moved && status / 100 == 3) {
		say(client, j, 502,
		    "the backend attempted to redirect this request, which is not permitted");
		return;
	}
	if (duplex_write_all(client, head.data, head.len, WRITE_SECONDS) < 0)
		return;
	if (j->bodiless || status == 204 || status == 304 || body.length == 0)
		return;
	if (in.len > end && duplex_write_all(client, in.data + end,
				measure(&body, in.data + end, in.len - end), WRITE_SECONDS) < 0)
		return;
	pass_body(server, client, &body);
}
