/* A reverse proxy for one request; see forward.h for what it passes on. */
#include "serve/forward.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "serve/websocket.h"

enum { HEAD_BYTES = 65536, DIAL_SECONDS = 10, WRITE_SECONDS = 30, PART = 32768 };

/* The request as it is to be sent, and where to. */
struct job {
	char *host, *crt, *key, *pin, *context;
	int port, status;
	bool secure, upgrade, bodiless;
	struct buf request;
	char *(*words)(int status, const char *message);
};

static void
job_free(struct job *j)
{
	free(j->host);
	free(j->crt);
	free(j->key);
	free(j->pin);
	free(j->context);
	buf_release(&j->request);
	free(j);
}

/* Is `word` one of the comma-separated tokens of a header's value? */
static bool
lists(const char *value, const char *word, size_t len)
{
	for (const char *p = value ? value : ""; *p;) {
		size_t n;

		p += strspn(p, " \t,");
		n = strcspn(p, " \t,");
		if (n == len && strncasecmp(p, word, n) == 0)
			return true;
		p += n;
	}
	return false;
}

bool
http_upgrades(const struct http_exchange *x)
{
	return http_header(x, "Upgrade") && lists(http_header(x, "Connection"), "upgrade", 7);
}

static bool
stays_here(const char *name, const char *connection)
{
	static const char *const ours[] = { "Connection", "Keep-Alive", "Proxy-Authenticate",
		"Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding",
		"Upgrade", "Authorization", "Host", "Content-Length", "Expect" };

	for (size_t i = 0; i < COUNT(ours); i++)
		if (strcasecmp(name, ours[i]) == 0)
			return true;
	return strncasecmp(name, "Impersonate-", 12) == 0 ||
	       strncasecmp(name, "X-Remote-", 9) == 0 || lists(connection, name, strlen(name));
}

/* The protocols asked for, without the one that carries a token. */
static void
add_protocols(struct buf *b, const char *value)
{
	size_t begun = b->len;

	for (const char *p = value; *p;) {
		size_t n;

		p += strspn(p, " \t,");
		n = strcspn(p, " \t,");
		if (n > 0 && strncasecmp(p, WEBSOCKET_BEARER, strlen(WEBSOCKET_BEARER)) != 0) {
			buf_puts(b, b->len == begun ? "Sec-WebSocket-Protocol: " : ", ");
			buf_add(b, p, n);
		}
		p += n;
	}
	if (b->len > begun)
		buf_puts(b, "\r\n");
}

static void
build(struct job *j, const struct http_exchange *x, const struct forward *f)
{
	const struct http_request *r = http_request(x);
	const char *connection = http_header(x, "Connection");
	bool six = strchr(f->host, ':') != NULL;
	struct buf *b = &j->request;

	buf_printf(b, "%s %s HTTP/1.1\r\nHost: %s%s%s:%d\r\n", r->method, f->target, six ? "[" : "",
	    f->host, six ? "]" : "", f->port);
	for (size_t i = 0; i < r->nheaders; i++) {
		const struct http_header *h = &r->headers[i];

		if (strcasecmp(h->name, "Sec-WebSocket-Protocol") == 0)
			add_protocols(b, h->value);
		else if (!stays_here(h->name, connection))
			buf_printf(b, "%s: %s\r\n", h->name, h->value);
	}
	if (f->header)
		buf_printf(b, "%s\r\n", f->header);
	if (j->upgrade)
		buf_printf(b, "Connection: Upgrade\r\nUpgrade: %s\r\n", http_header(x, "Upgrade"));
	else
		buf_puts(b, "Connection: close\r\n");
	if (r->len > 0 || strcmp(r->method, "POST") == 0 || strcmp(r->method, "PUT") == 0 ||
	    strcmp(r->method, "PATCH") == 0)
		buf_printf(b, "Content-Length: %zu\r\n", r->len);
	buf_puts(b, "\r\n");
	buf_add(b, r->body, r->len);
}

/* --- on the thread of the connection ------------------------------------------ */

static void
answer(struct duplex *d, const struct job *j, int status, const char *cause)
{
	autofree char *message =
	    xasprintf("%s%s%s", j->context ? j->context : "", j->context ? ": " : "", cause);
	autofree char *body = j->words(status, message), *all = NULL;

	all = xasprintf("HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: "
			"%zu\r\nConnection: close\r\n\r\n%s",
	    status, status == 502 ? "Bad Gateway" : "Service Unavailable", strlen(body), body);
	duplex_write_all(d, all, strlen(all), WRITE_SECONDS);
}

/* Wait until `from` can be read; false when the client has hung up meanwhile. */
static bool
readable(struct duplex *from, struct duplex *client)
{
	struct pollfd f[2] = { { .fd = duplex_fd(from), .events = POLLIN },
		{ .fd = duplex_fd(client), .events = POLLRDHUP } };

	if (duplex_ready(from))
		return true;
	poll(f, 2, -1);
	return (f[0].revents != 0 || !(f[1].revents & (POLLRDHUP | POLLHUP | POLLERR)));
}

/* Where the head ends (behind the empty line), 0: not yet. */
static size_t
head_end(const struct buf *b)
{
	const char *p = b->len ? memmem(b->data, b->len, "\r\n\r\n", 4) : NULL;

	return p ? (size_t)(p - b->data) + 4 : 0;
}

/* The head of the answer into *in, perhaps with more behind it; its length, or 0. */
static size_t
read_head(struct duplex *from, struct duplex *client, struct buf *in)
{
	size_t end;

	while (!(end = head_end(in)) && in->len < HEAD_BYTES) {
		char part[PART];
		ssize_t n = duplex_read(from, part, sizeof part);

		if (n == -EAGAIN) {
			if (!readable(from, client))
				return 0;
			continue;
		}
		if (n <= 0)
			return 0;
		buf_add(in, part, (size_t)n);
	}
	return end;
}

/* The answer's head with "Connection: close" in place of what it says of the connection; *length
 * gets the length of the body, -1: until the end. */
static void
rewrite_head(const char *head, size_t len, struct buf *out, long long *length)
{
	*length = -1;
	for (const char *p = head, *end = head + len; p < end;) {
		const char *nl = memmem(p, (size_t)(end - p), "\r\n", 2);
		size_t n = (size_t)(nl - p);

		if (n == 0)
			break;
		if (n > 15 && strncasecmp(p, "Content-Length:", 15) == 0)
			*length = atoll(p + 15);
		if (strncasecmp(p, "Connection:", 11) != 0 &&
		    strncasecmp(p, "Keep-Alive:", 11) != 0)
			buf_add(out, p, n + 2);
		p = nl + 2;
	}
	buf_puts(out, "Connection: close\r\n\r\n");
}

/* What is left of the answer; *length counts down. */
static void
pass_body(struct duplex *from, struct duplex *client, long long length)
{
	char part[PART];

	while (length != 0) {
		ssize_t n = duplex_read(from, part, sizeof part);

		if (n == -EAGAIN) {
			if (!readable(from, client))
				return;
			continue;
		}
		if (n <= 0 || duplex_write_all(client, part, (size_t)n, WRITE_SECONDS) < 0)
			return;
		if (length > 0)
			length = n < length ? length - n : 0;
	}
}

static void
pass_answer(struct duplex *client, struct duplex *server, const struct job *j)
{
	autobuf struct buf in = BUF_INIT, head = BUF_INIT;
	long long length;
	int status = 0;
	size_t end = 0;

	do { /* 100 Continue and its like are between the two of us */
		if (status && status != 101) {
			memmove(in.data, in.data + end, in.len - end);
			in.len -= end;
		}
		if (!(end = read_head(server, client, &in)) ||
		    sscanf(in.data, "HTTP/1.%*1[01] %3d", &status) != 1) {
			answer(client, j, 502, "the server gave no answer");
			return;
		}
	} while (status < 200 && status != 101);
	if (status == 101 && j->upgrade) {
		if (duplex_write_all(client, in.data, in.len, WRITE_SECONDS) == 0)
			duplex_relay(client, server, 0);
		return;
	}
	rewrite_head(in.data, end, &head, &length);
	if (j->bodiless || status == 204 || status == 304)
		length = 0;
	if (duplex_write_all(client, head.data, head.len, WRITE_SECONDS) < 0)
		return;
	if (length >= 0 && (size_t)length < in.len - end)
		in.len = end + (size_t)length;
	if (in.len > end) {
		if (duplex_write_all(client, in.data + end, in.len - end, WRITE_SECONDS) < 0)
			return;
		if (length > 0)
			length -= (long long)(in.len - end);
	}
	pass_body(server, client, length);
}

static void
run(struct duplex *client, void *arg)
{
	struct job *j = arg;
	struct duplex_tls tls = { j->crt, j->key, j->pin };
	struct duplex *server = NULL;
	struct err err;

	if (!client) {
		job_free(j);
		return;
	}
	if (duplex_dial(&server, j->host, j->port, j->secure ? &tls : NULL, DIAL_SECONDS, &err) < 0)
		answer(client, j, j->status, err.msg);
	else if (duplex_write_all(server, j->request.data, j->request.len, WRITE_SECONDS) < 0)
		answer(client, j, 502, "the server closed the connection");
	else
		pass_answer(client, server, j);
	duplex_close(server);
	duplex_close(client);
	job_free(j);
}

static char *
copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

void
http_forward(struct http_exchange *x, const struct forward *f)
{
	struct job *j = xcalloc(1, sizeof *j);

	j->host = xstrdup(f->host);
	j->port = f->port;
	j->secure = f->tls != NULL;
	if (f->tls) {
		j->crt = copy(f->tls->crt);
		j->key = copy(f->tls->key);
		j->pin = copy(f->tls->pin);
	}
	j->context = copy(f->context);
	j->status = f->status;
	j->words = f->words;
	j->upgrade = http_upgrades(x);
	j->bodiless = strcmp(http_request(x)->method, "HEAD") == 0;
	build(j, x, f);
	http_take(x, run, j);
}
