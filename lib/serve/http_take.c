/*
 * Connections that leave the server: each gets a thread, for as long as it lasts.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/duplex_private.h"
#include "serve/http_private.h"

struct taken {
	struct taken *prev, *next;
	struct http_server *server;
	void (*fn)(struct duplex *d, void *arg);
	void *arg;
	struct duplex *d;
	bool open; /* d may be broken from outside: guarded by gone.lock */
};

static void
add(struct gone *g, struct taken *t)
{
	pthread_mutex_lock(&g->lock);
	t->next = g->first;
	if (t->next)
		t->next->prev = t;
	g->first = t;
	if (g->stopping)
		shutdown(t->d->fd, SHUT_RDWR);
	pthread_mutex_unlock(&g->lock);
}

/* fn has returned. */
static void
leave(struct taken *t)
{
	struct gone *g = &t->server->gone;

	pthread_mutex_lock(&g->lock);
	if (t->prev)
		t->prev->next = t->next;
	else
		g->first = t->next;
	if (t->next)
		t->next->prev = t->prev;
	if (!g->first)
		pthread_cond_broadcast(&g->none);
	pthread_mutex_unlock(&g->lock);
	free(t);
}

/* The descriptor is about to be closed, and its number used again. */
static void
closed(struct duplex *d, void *arg)
{
	struct taken *t = arg;

	(void)d;
	pthread_mutex_lock(&t->server->gone.lock);
	t->open = false;
	pthread_mutex_unlock(&t->server->gone.lock);
	atomic_fetch_sub(&t->server->open, 1);
}

static void *
thread_main(void *arg)
{
	struct taken *t = arg;

	t->fn(t->d, t->arg);
	leave(t);
	return NULL;
}

void
http_take(struct http_exchange *x, void (*fn)(struct duplex *d, void *arg), void *arg)
{
	struct taken *t = xcalloc(1, sizeof *t);

	t->server = x->conn->loop->server;
	t->fn = fn;
	t->arg = arg;
	x->taken = t;
	x->post.kind = POST_ANSWER;
	loop_post(x->conn->loop, &x->post);
}

void
conn_leave(struct conn *c, struct taken *t)
{
	struct loop *l = c->loop;
	pthread_attr_t detached;
	pthread_t thread;

	if (c->fd < 0) {
		conn_free(c);
		t->fn(NULL, t->arg);
		free(t);
		return;
	}
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	COUNT_DOWN(l->stats.open, 1);
	t->d = duplex_from_fd(c->fd);
	t->d->tls = steal(c->tls);
	t->d->in = c->in;
	t->d->at = c->in_at;
	t->d->closed = closed;
	t->d->arg = t;
	t->open = true;
	c->in = (struct buf)BUF_INIT;
	c->fd = -1;
	conn_free(c);
	add(&t->server->gone, t);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&detached, 256 << 10);
	if (pthread_create(&thread, &detached, thread_main, t) != 0) {
		duplex_close(t->d);
		t->fn(NULL, t->arg);
		leave(t);
	}
	pthread_attr_destroy(&detached);
}

void
gone_init(struct gone *g)
{
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->none, NULL);
}

void
gone_stop(struct gone *g)
{
	pthread_mutex_lock(&g->lock);
	g->stopping = true;
	for (struct taken *t = g->first; t; t = t->next)
		if (t->open)
			shutdown(t->d->fd, SHUT_RDWR);
	while (g->first)
		pthread_cond_wait(&g->none, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

void
gone_release(struct gone *g)
{
	pthread_mutex_destroy(&g->lock);
	pthread_cond_destroy(&g->none);
}
