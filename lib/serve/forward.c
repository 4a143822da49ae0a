/* A reverse proxy for one request; see forward.h for what it passes on. */
#include "serve/forward_private.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "serve/websocket.h"

static void
job_free(struct job *j)
{
	free(j->host);
	free((void *)j->tls.crt);
	free((void *)j->tls.key);
	free((void *)j->tls.pin);
	free((void *)j->tls.ca);
	free((void *)j->tls.name);
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
begins_with_one(const char *name, const char *const *starts)
{
	for (; starts && *starts; starts++)
		if (strncasecmp(name, *starts, strlen(*starts)) == 0)
			return true;
	return false;
}

static bool
stays_here(const char *name, const char *connection, const char *const *drops)
{
	static const char *const ours[] = { "Connection", "Keep-Alive", "Proxy-Authenticate",
		"Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding",
		"Upgrade", "Authorization", "Host", "Content-Length", "Expect" };

	for (size_t i = 0; i < COUNT(ours); i++)
		if (strcasecmp(name, ours[i]) == 0)
			return true;
	return strncasecmp(name, "Impersonate-", 12) == 0 ||
	       strncasecmp(name, "X-Remote-", 9) == 0 || begins_with_one(name, drops) ||
	       lists(connection, name, strlen(name));
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
		else if (!stays_here(h->name, connection, f->drops))
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
run(struct duplex *client, void *arg)
{
	struct job *j = arg;
	struct duplex *server = NULL;
	struct err err;

	if (!client) {
		job_free(j);
		return;
	}
	if (duplex_dial(&server, j->host, j->port, j->secure ? &j->tls : NULL, DIAL_SECONDS, &err) <
	    0)
		forward_refuse(client, j, j->status, err.msg);
	else if (duplex_write_all(server, j->request.data, j->request.len, WRITE_SECONDS) < 0)
		forward_refuse(client, j, 502, "the server closed the connection");
	else
		forward_answer(client, server, j);
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
	if (f->tls)
		j->tls = (struct duplex_tls){ copy(f->tls->crt), copy(f->tls->key),
			copy(f->tls->pin), f->tls->verify, copy(f->tls->ca), copy(f->tls->name) };
	j->context = copy(f->context);
	j->status = f->status;
	j->head_seconds = f->head_seconds;
	j->no_redirects = f->no_redirects;
	j->words = f->words;
	j->upgrade = http_upgrades(x);
	j->bodiless = strcmp(http_request(x)->method, "HEAD") == 0;
	build(j, x, f);
	http_take(x, run, j);
}
