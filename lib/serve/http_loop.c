/*
 * One event loop: epoll (edge-triggered), the inbox, timeouts.
 */
#include <errno.h>
#include <math.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/http_private.h"

static _Thread_local struct loop *own; /* the loop this thread runs */

bool
inbox_push(struct inbox *i, struct post *p)
{
	struct post *old = atomic_load_explicit(&i->head, memory_order_relaxed);

	do {
		p->next = old;
	} while (!atomic_compare_exchange_weak_explicit(
	    &i->head, &old, p, memory_order_acq_rel, memory_order_relaxed));
	return old == NULL;
}

struct post *
inbox_take(struct inbox *i)
{
	struct post *p = atomic_exchange_explicit(&i->head, NULL, memory_order_acq_rel);
	struct post *ret = NULL;

	while (p) {
		struct post *next = p->next;

		p->next = ret;
		ret = p;
		p = next;
	}
	return ret;
}

void
loop_wake(struct loop *l)
{
	uint64_t one = 1;
	ssize_t n = write(l->event, &one, sizeof one);

	(void)n; /* full means that the loop is woken already */
}

/* Wake only for the first post: the loop takes them all.  A loop looks into its inbox before it
 * sleeps. */
void
loop_post(struct loop *l, struct post *p)
{
	if (inbox_push(&l->inbox, p) && own != l)
		loop_wake(l);
}

/* --- timeouts --- */

static double
duration(const struct http_limits *limits, enum timer t)
{
	switch (t) {
	case TIMER_HEAD:
		return limits->header_seconds;
	case TIMER_BODY:
		return limits->body_seconds;
	case TIMER_IDLE:
		return limits->idle_seconds;
	case TIMER_WRITE:
		return limits->write_seconds;
	default:
		return 2;
	}
}

void
conn_timer(struct conn *c, enum timer t)
{
	struct loop *l = c->loop;

	if (c->timer != TIMER_NONE) {
		if (c->tprev)
			c->tprev->tnext = c->tnext;
		else
			l->timers[c->timer].head = c->tnext;
		if (c->tnext)
			c->tnext->tprev = c->tprev;
		else
			l->timers[c->timer].tail = c->tprev;
	}
	c->timer = t;
	c->tprev = c->tnext = NULL;
	if (t == TIMER_NONE)
		return;
	c->deadline = l->now + duration(&l->server->limits, t);
	c->tprev = l->timers[t].tail;
	if (c->tprev)
		c->tprev->tnext = c;
	else
		l->timers[t].head = c;
	l->timers[t].tail = c;
}

static void
expire(struct loop *l)
{
	for (int t = TIMER_NONE + 1; t < TIMERS; t++)
		while (l->timers[t].head && l->timers[t].head->deadline <= l->now)
			conn_expired(l->timers[t].head);
}

/* How long epoll may wait, in milliseconds. */
static int
wait_ms(struct loop *l)
{
	double until = INFINITY, ms;

	if (atomic_load_explicit(&l->inbox.head, memory_order_acquire))
		return 0;
	for (int t = TIMER_NONE + 1; t < TIMERS; t++)
		if (l->timers[t].head && l->timers[t].head->deadline < until)
			until = l->timers[t].head->deadline;
	if (l->stopping && l->server->stop_at < until)
		until = l->server->stop_at;
	if (isinf(until))
		return -1;
	ms = ceil((until - clock_monotonic()) * 1000);
	return ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms;
}

/* --- the loop --- */

static void
drain(struct loop *l)
{
	struct post *next;

	for (struct post *p = inbox_take(&l->inbox); p; p = next) {
		next = p->next;
		if (p->kind == POST_CONN)
			conn_adopt(l, (struct conn *)p);
		else if (p->kind == POST_ANSWER)
			conn_answer((struct http_exchange *)p);
		else
			stream_collect((struct http_stream *)p);
	}
}

static void
handle_event(struct loop *l, const struct epoll_event *e)
{
	uint64_t count;

	if (e->data.u64 == 0) {
		ssize_t n = read(l->event, &count, sizeof count);

		(void)n;
	} else if (e->data.u64 & 1) { /* a listener's address, marked */
		accept_all((struct listener *)(uintptr_t)(e->data.u64 & ~UINT64_C(1)), l);
	} else {
		conn_event(e->data.ptr, e->events);
	}
}

static void
each_conn(struct loop *l, void (*fn)(struct conn *c))
{
	struct conn *next;

	for (struct conn *c = l->conns; c; c = next) {
		next = c->next;
		fn(c);
	}
}

static void
cut(struct conn *c)
{
	if (c->fd >= 0)
		conn_close(c);
}

/* Once the server is stopping.  True when nothing is left to be done. */
static bool
wind_down(struct loop *l)
{
	if (!l->stopping) {
		l->stopping = true;
		/* who comes now is to be refused, not left waiting */
		for (size_t i = 0; i < l->server->nlisteners && l == l->server->loops; i++)
			listener_close(l->server->listeners[i]);
		each_conn(l, conn_stop);
	}
	if (l->now >= l->server->stop_at)
		each_conn(l, cut);
	return l->nconns == 0 && !atomic_load(&l->inbox.head);
}

static void *
loop_main(void *arg)
{
	struct epoll_event events[64];
	struct loop *l = arg;
	bool done = false;

	own = l;
	while (!done) {
		int n = epoll_wait(l->epoll, events, COUNT(events), wait_ms(l));

		l->now = clock_monotonic();
		for (int i = 0; i < n; i++)
			handle_event(l, &events[i]);
		drain(l);
		expire(l);
		done = atomic_load(&l->server->stopping) && wind_down(l);
	}
	return NULL;
}

void
loop_listen(struct loop *l, struct listener *from)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = (uintptr_t)from | 1 };

	epoll_ctl(l->epoll, EPOLL_CTL_ADD, from->fd, &e);
}

int
loop_init(struct loop *l, struct http_server *s, struct err *err)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = 0 };

	l->server = s;
	l->now = clock_monotonic();
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->epoll < 0 || l->event < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->event, &e) < 0)
		return err_sys(err, errno, "cannot make an event loop");
	return 0;
}

void
loop_release(struct loop *l)
{
	drain(l); /* connections handed over too late, streams that were over */
	if (l->epoll >= 0)
		close(l->epoll);
	if (l->event >= 0)
		close(l->event);
}

int
loop_start(struct loop *l, struct err *err)
{
	int r = pthread_create(&l->thread, NULL, loop_main, l);

	if (r)
		return err_sys(err, r, "cannot start a thread");
	l->started = true;
	return 0;
}
