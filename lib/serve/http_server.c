/*
 * The server as a whole: making, starting, stopping, figures.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/http_private.h"

static void
fill_limits(struct http_limits *ret, const struct http_limits *from)
{
	struct rlimit r;

	if (from)
		*ret = *from;
	if (ret->header_bytes == 0)
		ret->header_bytes = 65536;
	if (ret->body_bytes == 0)
		ret->body_bytes = 3 << 20;
	if (ret->held_bytes == 0)
		ret->held_bytes = 64 * ret->body_bytes;
	if (ret->header_seconds == 0)
		ret->header_seconds = 10;
	if (ret->body_seconds == 0)
		ret->body_seconds = 60;
	if (ret->idle_seconds == 0)
		ret->idle_seconds = 120;
	if (ret->write_seconds == 0)
		ret->write_seconds = 60;
	if (ret->max_connections == 0) {
		ret->max_connections = 1000;
		if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur > 128)
			ret->max_connections =
			    r.rlim_cur > 1000000 ? 1000000 : (int)r.rlim_cur - 64;
	}
}

int
http_server_new(struct http_server **ret, const struct http_limits *limits, int loops, int workers,
    void (*handle)(struct http_exchange *x, void *arg), void *arg, struct err *err)
{
	struct http_server *s = xcalloc(1, sizeof *s);
	int r = 0;

	fill_limits(&s->limits, limits);
	s->handle = handle;
	s->arg = arg;
	s->nloops = loops > 0 ? loops : 1;
	s->loops = xcalloc((size_t)s->nloops, sizeof *s->loops);
	s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < s->nloops; i++)
		s->loops[i].epoll = s->loops[i].event = -1;
	for (int i = 0; i < s->nloops && r == 0; i++)
		r = loop_init(&s->loops[i], s, err);
	pool_init(&s->pool, workers);
	gone_init(&s->gone);
	if (r < 0) {
		http_server_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void
http_refusals(struct http_server *s, char *(*words)(const struct http_request *r, int status))
{
	s->words = words;
}

int
http_server_start(struct http_server *s, struct err *err)
{
	sigset_t all, old;
	int r = 0;

	for (size_t i = 0; i < s->nlisteners; i++)
		loop_listen(&s->loops[0], s->listeners[i]);
	/* signals are the main thread's; SIGPIPE never comes: MSG_NOSIGNAL */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (int i = 0; i < s->nloops && r == 0; i++)
		r = loop_start(&s->loops[i], err);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r < 0)
		http_server_stop(s, 0);
	return r;
}

void
http_server_stop(struct http_server *s, double seconds)
{
	s->stop_at = clock_monotonic() + seconds;
	atomic_store(&s->stopping, true);
	for (int i = 0; i < s->nloops; i++)
		loop_wake(&s->loops[i]);
	for (int i = 0; i < s->nloops; i++) {
		if (s->loops[i].started)
			pthread_join(s->loops[i].thread, NULL);
		s->loops[i].started = false;
	}
	pool_stop(
	    &s->pool); /* all is answered; a worker may still be on its way out of a handler */
	gone_stop(&s->gone);
}

void
http_server_free(struct http_server *s)
{
	if (!s)
		return;
	http_server_stop(s, 0);
	pool_release(&s->pool);
	gone_release(&s->gone);
	for (size_t i = 0; i < s->nlisteners; i++)
		listener_free(s->listeners[i]);
	for (int i = 0; i < s->nloops; i++)
		loop_release(&s->loops[i]);
	if (s->spare >= 0)
		close(s->spare);
	free(s->loops);
	free(s);
}

void
http_stats(const struct http_server *s, struct http_stats *ret)
{
	*ret = (struct http_stats){ 0 };
	for (int i = 0; i < s->nloops; i++) {
		const struct http_loop_stats *l = &s->loops[i].stats;

		ret->connections += atomic_load_explicit(&l->connections, memory_order_relaxed);
		ret->requests += atomic_load_explicit(&l->requests, memory_order_relaxed);
		ret->bytes_in += atomic_load_explicit(&l->in, memory_order_relaxed);
		ret->bytes_out += atomic_load_explicit(&l->out, memory_order_relaxed);
		ret->refused += atomic_load_explicit(&l->refused, memory_order_relaxed);
		ret->open_connections += atomic_load_explicit(&l->open, memory_order_relaxed);
		ret->open_streams += atomic_load_explicit(&l->streams, memory_order_relaxed);
	}
}
