/*
 * The reading side of a connection: TLS handshake, input buffer, heads and bodies.
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "serve/http_private.h"
#include "serve/tls.h"

static size_t
unread(const struct conn *c)
{
	return c->in.len - c->in_at;
}

/* `n` bytes of the input are done with. */
static void
took(struct conn *c, size_t n)
{
	c->in_at += n;
	if (unread(c) == 0) { /* an idle connection holds no buffer */
		buf_release(&c->in);
		c->in_at = 0;
	}
}

static ssize_t
receive(struct conn *c)
{
	struct loop *l = c->loop;
	ssize_t n;

	if (!c->tls) {
		do {
			n = recv(c->fd, l->rbuf, sizeof l->rbuf, 0);
		} while (n < 0 && errno == EINTR);
		return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? -EAGAIN : n;
	}
	do {
		n = gnutls_record_recv(c->tls, l->rbuf, sizeof l->rbuf);
	} while (n == GNUTLS_E_INTERRUPTED);
	return n == GNUTLS_E_AGAIN ? -EAGAIN : n < 0 ? -1 : n; /* a renegotiation is refused */
}

enum step
conn_fill(struct conn *c)
{
	struct loop *l = c->loop;
	ssize_t n;

	if (!c->can_read)
		return STEP_WAIT;
	n = receive(c);
	if (n == -EAGAIN) {
		c->can_read = false;
		return STEP_WAIT;
	}
	if (n <= 0)
		return STEP_GONE;
	COUNT_UP(l->stats.in, (uint64_t)n);
	if (c->in_at > 0) {
		memmove(c->in.data, c->in.data + c->in_at, unread(c));
		c->in.len -= c->in_at;
		c->in_at = 0;
	}
	buf_add(&c->in, l->rbuf, (size_t)n);
	/* a short read means that the socket is empty, unless its end follows */
	if (!c->tls && (size_t)n < sizeof l->rbuf && !c->hup)
		c->can_read = false;
	return STEP_ON;
}

/* Somebody speaks plain HTTP to a TLS port: say so in words he can read. */
static enum step
plain_on_tls(struct conn *c)
{
	gnutls_deinit(c->tls);
	c->tls = NULL;
	return conn_refuse(c, 400, "this port speaks HTTPS, not HTTP\n");
}

/* A handshake record starts with 22; a method with a letter. */
static enum step
peek(struct conn *c)
{
	unsigned char first;
	ssize_t n = recv(c->fd, &first, 1, MSG_PEEK);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		c->can_read = false;
		return STEP_WAIT;
	}
	if (n != 1)
		return STEP_GONE;
	c->peeked = true;
	if (first >= 'A' && first <= 'Z')
		return plain_on_tls(c);
	return STEP_ON;
}

enum step
conn_handshake(struct conn *c)
{
	int r;

	if (!c->peeked)
		return peek(c);
	r = gnutls_handshake(c->tls);
	if (r == GNUTLS_E_AGAIN) {
		if (gnutls_record_get_direction(c->tls))
			c->can_write = false;
		else
			c->can_read = false;
		return STEP_WAIT;
	}
	if (r < 0 && !gnutls_error_is_fatal(r))
		return STEP_ON;
	if (r < 0) { /* a certificate of another authority, or noise */
		COUNT_UP(c->loop->stats.refused, 1);
		gnutls_alert_send_appropriate(c->tls, r);
		return conn_linger(c);
	}
	c->names = tls_peer(c->tls, &c->peer.common_name, &c->peer.organizations, &c->peer.front);
	c->state = CONN_HEAD;
	return STEP_ON;
}

static enum step
dispatch(struct conn *c)
{
	struct http_exchange *x = c->x;
	struct http_server *s = c->loop->server;

	conn_timer(c, TIMER_NONE);
	c->state = CONN_RUN;
	x->request.body = x->body.data ? x->body.data : "";
	x->request.len = x->body.len;
	atomic_init(&x->gone, c->hup);
	COUNT_UP(c->loop->stats.requests, 1);
	s->handle(x, s->arg); /* the answer comes by the inbox */
	return STEP_WAIT;
}

/* The head is complete: make the exchange.  Its strings stand behind it in the same block. */
static struct http_exchange *
exchange_new(struct conn *c, int *status)
{
	size_t len = c->scan.end - c->scan.start, nheaders = c->scan.lines;
	size_t fixed = sizeof(struct http_exchange) + nheaders * sizeof(struct http_header);
	struct http_exchange *x = xmalloc(fixed + 2 * (len + 1));
	char *text = (char *)x + fixed;

	memset(x, 0, sizeof *x);
	memcpy(text, c->in.data + c->in_at + c->scan.start, len);
	text[len] = '\0';
	took(c, c->scan.end);
	c->scan = (struct http_scan){ 0 };
	x->conn = c;
	*status = http_head_parse(text, len, x->headers, text + len + 1, &x->head);
	x->request = (struct http_request){
		.method = x->head.method,
		.path = x->head.path,
		.query = x->head.query,
		.target = x->head.target,
		.headers = x->headers,
		.nheaders = x->head.nheaders,
		.peer = c->peer,
	};
	return x;
}

static enum step
begin(struct conn *c)
{
	size_t limit = c->loop->server->limits.body_bytes;
	int status;

	c->x = exchange_new(c, &status);
	if (status == 0 && !c->x->head.chunked && c->x->head.length > limit)
		status = 413;
	if (status)
		return conn_refuse(c, status, NULL);
	c->close = c->x->head.close;
	if (!c->x->head.chunked && c->x->head.length == 0)
		return dispatch(c);
	c->state = CONN_BODY;
	conn_timer(c, TIMER_BODY);
	/* RFC 9110, 10.1.1: not needed when the body has begun to arrive */
	if (c->x->head.expect && unread(c) == 0)
		out_add(&c->out, bytes_new("HTTP/1.1 100 Continue\r\n\r\n", 25), SEG_PLAIN);
	return STEP_ON;
}

enum step
conn_head(struct conn *c)
{
	if (unread(c) > 0) {
		int status = http_scan(&c->scan, c->in.data + c->in_at, unread(c),
		    c->loop->server->limits.header_bytes);

		if (status)
			return conn_refuse(c, status, NULL);
		if (c->scan.end)
			return begin(c);
		if (c->timer != TIMER_HEAD)
			conn_timer(c, TIMER_HEAD);
	} else if (c->timer == TIMER_NONE) {
		conn_timer(c, TIMER_IDLE);
	}
	return conn_fill(c);
}

/* Bodies are read before anybody knows who sends them: all together they are bounded. */
static bool
hold(struct http_exchange *x, struct http_server *s)
{
	size_t more = x->body.cap - x->held;

	x->held += more;
	return atomic_fetch_add(&s->held, more) + more <= s->limits.held_bytes;
}

/* Move what is there into the body.  1: it is complete, 0: more is needed, else a status. */
static int
body_part(struct conn *c)
{
	struct http_exchange *x = c->x;
	const char *p = c->in.data + c->in_at;
	size_t used, left;
	int r;

	if (x->head.chunked) {
		r = http_chunks_feed(
		    &x->chunks, p, unread(c), &used, &x->body, c->loop->server->limits.body_bytes);
	} else {
		left = (size_t)x->head.length - x->body.len;
		used = unread(c) < left ? unread(c) : left;
		buf_add(&x->body, p, used);
		r = used == left;
	}
	took(c, used);
	if (r <= 1 && !hold(x, c->loop->server))
		return 503;
	return r;
}

enum step
conn_body(struct conn *c)
{
	size_t chunks = 0, wrote = 0;

	if (!out_empty(&c->out) && out_flush(c, &chunks, &wrote) < 0) /* 100 Continue */
		return STEP_GONE;
	if (unread(c) > 0) {
		int r = body_part(c);

		if (r > 1)
			return conn_refuse(c, r, NULL);
		if (r == 1)
			return dispatch(c);
	}
	return conn_fill(c);
}
