/*
 * One connection, from its first byte to its last: a state machine that goes on as far as the
 * socket lets it each time the loop calls conn_run().
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/http_private.h"
#include "serve/tls.h"

enum { LINGER_BYTES = 4 << 20 }; /* read over before we hang up on a peer that does not stop */

void
conn_free(struct conn *c)
{
	struct loop *l = c->loop;

	conn_timer(c, TIMER_NONE);
	if (c->prev)
		c->prev->next = c->next;
	else
		l->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	l->nconns--;
	buf_release(&c->in);
	out_release(&c->out);
	free(c->names);
	free(c);
}

void
conn_close(struct conn *c)
{
	struct http_stream *s = c->stream;

	conn_timer(c, TIMER_NONE);
	if (c->tls)
		gnutls_deinit(c->tls);
	c->tls = NULL;
	if (c->fd >= 0) {
		close(c->fd);
		COUNT_DOWN(c->loop->stats.open, 1);
		atomic_fetch_sub(&c->loop->server->open, 1);
	}
	c->fd = -1;
	if (c->state == CONN_RUN) { /* its handler still answers: conn_answer() frees */
		atomic_store(&c->x->gone, true);
		return;
	}
	if (c->x)
		exchange_free(c->x);
	conn_free(c);
	if (s)
		stream_over(s);
}

void
conn_adopt(struct loop *l, struct conn *c)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = c };
	struct err err;

	c->loop = l;
	c->next = l->conns;
	if (c->next)
		c->next->prev = c;
	l->conns = c;
	l->nconns++;
	c->state = c->credentials ? CONN_HANDSHAKE : CONN_HEAD;
	COUNT_UP(l->stats.connections, 1);
	COUNT_UP(l->stats.open, 1);
	if (c->credentials)
		c->tls = tls_session(c->credentials, c->fd, &err);
	if ((c->credentials && !c->tls) || atomic_load(&l->server->stopping) ||
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) < 0) {
		conn_close(c);
		return;
	}
	conn_timer(c, TIMER_HEAD); /* the first event tells what is there already */
}

/* Good-bye.  Closing at once, with input unread, would reset the connection and lose what we said
 * last. */
enum step
conn_linger(struct conn *c)
{
	if (c->tls) {
		gnutls_bye(c->tls, GNUTLS_SHUT_WR);
		gnutls_deinit(c->tls);
		c->tls = NULL;
	}
	shutdown(c->fd, SHUT_WR);
	c->can_read = true;
	c->state = CONN_LINGER;
	conn_timer(c, TIMER_LINGER);
	return STEP_ON;
}

static enum step
step_linger(struct conn *c)
{
	struct loop *l = c->loop;

	for (;;) {
		ssize_t n = recv(c->fd, l->rbuf, sizeof l->rbuf, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return STEP_WAIT;
		if (n <= 0 || (c->lingered += (size_t)n) > LINGER_BYTES)
			return STEP_GONE;
	}
}

/* Only a request whose line was understood has a path. */
static char *
own_words(struct conn *c, int status)
{
	struct http_server *s = c->loop->server;

	return c->x && c->x->request.path && s->words ? s->words(&c->x->request, status) : NULL;
}

enum step
conn_refuse(struct conn *c, int status, const char *words)
{
	autofree char *own = words ? NULL : own_words(c, status);
	const char *type = own ? "application/json" : words ? "text/plain; charset=utf-8" : NULL;
	const char *text = own ? own : words ? words : "";
	size_t len = strlen(text);
	bool head = c->x && c->x->request.method && strcmp(c->x->request.method, "HEAD") == 0;

	COUNT_UP(c->loop->stats.refused, 1);
	if (c->x)
		exchange_free(c->x);
	c->x = NULL;
	out_add(&c->out, answer_head(status, type, NULL, len, false, true), SEG_PLAIN);
	if (len > 0 && !head)
		out_add(&c->out, bytes_new(text, len), SEG_PLAIN);
	c->close = true;
	c->state = CONN_WRITE;
	return STEP_ON;
}

static int
flush(struct conn *c)
{
	size_t chunks = 0, wrote = 0;
	int r = out_flush(c, &chunks, &wrote);

	COUNT_UP(c->loop->stats.out, wrote);
	if (chunks > 0 && c->stream)
		atomic_fetch_sub(&c->stream->queued, chunks);
	if (r == 0 && (wrote > 0 || c->timer != TIMER_WRITE))
		conn_timer(c, TIMER_WRITE);
	else if (r == 1)
		conn_timer(c, TIMER_NONE);
	return r;
}

static enum step
step_write(struct conn *c)
{
	int r = flush(c);

	if (r <= 0)
		return r < 0 ? STEP_GONE : STEP_WAIT;
	if (c->close || c->stop)
		return conn_linger(c);
	c->state = CONN_HEAD;
	return STEP_ON;
}

static enum step
step_stream(struct conn *c)
{
	struct http_stream *s = c->stream;
	int r;

	if (c->hup)
		return STEP_GONE; /* nobody watches any more */
	r = flush(c);
	if (r <= 0)
		return r < 0 ? STEP_GONE : STEP_WAIT;
	if (s->ended) {
		c->stream = NULL;
		c->state = CONN_WRITE;
		stream_over(s);
		return STEP_ON;
	}
	/* only TLS needs to be read: its good-bye comes before the hang-up */
	if (c->tls && c->in.len < sizeof c->loop->rbuf)
		return conn_fill(c);
	return STEP_WAIT;
}

static enum step
step(struct conn *c)
{
	switch (c->state) {
	case CONN_HANDSHAKE:
		return conn_handshake(c);
	case CONN_HEAD:
		return conn_head(c);
	case CONN_BODY:
		return conn_body(c);
	case CONN_WRITE:
		return step_write(c);
	case CONN_STREAM:
		return step_stream(c);
	case CONN_LINGER:
		return step_linger(c);
	case CONN_RUN:
		break;
	}
	return STEP_WAIT;
}

void
conn_run(struct conn *c)
{
	enum step s;

	while ((s = step(c)) == STEP_ON)
		;
	if (s == STEP_GONE)
		conn_close(c);
}

void
conn_event(struct conn *c, unsigned events)
{
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->can_read = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		c->can_write = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
		c->hup = true;
		/* who only ends his sending still gets the answer */
		if (c->state == CONN_RUN && !(events & (EPOLLHUP | EPOLLERR)))
			atomic_store(&c->x->gone, true);
		else if (c->state == CONN_RUN) {
			conn_close(c);
			return;
		}
	}
	conn_run(c);
}

void
conn_answer(struct http_exchange *x)
{
	struct conn *c = x->conn;
	struct http_stream *s = x->stream;
	struct taken *t = x->taken;

	if (t) {
		exchange_free(x);
		c->x = NULL;
		conn_leave(c, t);
		return;
	}
	for (size_t i = 0; i < x->nparts; i++)
		out_add(&c->out, x->parts[i], SEG_PLAIN);
	x->nparts = 0;
	c->close |= x->close;
	c->state = s ? CONN_STREAM : CONN_WRITE;
	exchange_free(x);
	c->x = NULL;
	c->stream = s;
	if (s)
		s->conn = c;
	if (c->fd < 0) {
		conn_close(c);
		return;
	}
	if (s && c->stop)
		stream_stop(s);
	conn_run(c);
}

void
conn_stop(struct conn *c)
{
	c->stop = true;
	switch (c->state) {
	case CONN_HANDSHAKE:
	case CONN_HEAD:
	case CONN_LINGER:
		conn_close(c);
		break;
	case CONN_STREAM:
		stream_stop(c->stream);
		conn_run(c);
		break;
	default:
		break;
	}
}

void
conn_expired(struct conn *c)
{
	bool late = c->state == CONN_BODY || (c->state == CONN_HEAD && c->in.len > c->in_at);

	conn_timer(c, TIMER_NONE);
	if (!late) {
		conn_close(c);
		return;
	}
	conn_refuse(c, 408, NULL);
	conn_run(c);
}
