/* The server is away, or hangs, or wants to be left alone. */
#include <math.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "kubelet/kubelet_private.h"

enum { ASK_EVERY = 1 };

/* Any answer about our Node is one, but "later". */
static int
ask(void *arg, json_t **result, struct err *err)
{
	const struct kubelet *k = arg;
	json_auto_t *node = NULL;
	struct client *own;
	int r = client_clone(&own, k->client, err);

	(void)result;
	if (r < 0)
		return r;
	client_hurry(own, PATIENCE);
	client_get(own, core_kind("Node"), NULL, k->name, &node, err);
	r = client_resting(own) ? -(int)err->code : 0;
	client_close(own);
	return r;
}

static void
begin(struct kubelet *k)
{
	struct epoll_event e = { .events = EPOLLIN };
	struct err err;

	k->ask_at = INFINITY; /* its end says when */
	if (job_start(&k->asking, ask, k, &err) == 0) {
		e.data.fd = k->asking.fd;
		epoll_ctl(k->epoll, EPOLL_CTL_ADD, k->asking.fd, &e);
	} else {
		k->ask_at = clock_monotonic() + ASK_EVERY;
	}
}

static void
finish(struct kubelet *k)
{
	struct err err;

	epoll_ctl(k->epoll, EPOLL_CTL_DEL, k->asking.fd, NULL);
	k->ask_at = clock_monotonic() + ASK_EVERY;
	if (job_end(&k->asking, NULL, &err) < 0)
		return;
	client_wake(k->client);
	k->beat = k->join_at = k->events_at = 0;
}

static bool
readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

void
away_step(struct kubelet *k)
{
	if (k->asking.pid) {
		if (readable(k->asking.fd) && job_read(&k->asking))
			finish(k);
	} else if (client_resting(k->client) && k->ask_at <= clock_monotonic()) {
		begin(k);
	}
}

int
away_fd(struct kubelet *k, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (k->epoll >= 0)
		return k->epoll;
	k->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (k->epoll >= 0)
		epoll_ctl(k->epoll, EPOLL_CTL_ADD, fd, &e);
	return k->epoll >= 0 ? k->epoll : fd;
}

double
away_wait(const struct kubelet *k, double seconds)
{
	double left = k->ask_at - clock_monotonic();

	if (!client_resting(k->client) || k->asking.pid || left > seconds)
		return seconds;
	return left > 0 ? left : 0;
}
