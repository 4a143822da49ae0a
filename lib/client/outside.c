#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "client/outside.h"

static sigset_t
ends(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return set;
}

int
outside_open(struct outside *o, struct client *c, const char *metrics, struct err *err)
{
	struct epoll_event ev = { .events = EPOLLIN };
	sigset_t set = ends();
	int r;

	sigprocmask(SIG_BLOCK, &set, NULL);
	o->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	o->fd = epoll_create1(EPOLL_CLOEXEC);
	if (o->signals < 0 || o->fd < 0 || epoll_ctl(o->fd, EPOLL_CTL_ADD, o->signals, &ev) < 0)
		return err_sys(err, errno, "cannot wait for signals");
	client_stop_on(c, o->signals);
	if (!metrics)
		return 0;
	if ((r = metrics_open(&o->metrics, metrics, err)) < 0)
		return r;
	if (epoll_ctl(o->fd, EPOLL_CTL_ADD, metrics_fd(o->metrics), &ev) < 0)
		return err_sys(err, errno, "cannot serve metrics");
	log_line("metrics on port %d", metrics_port(o->metrics));
	return 0;
}

void
outside_close(struct outside *o, struct client *c)
{
	sigset_t set = ends();

	metrics_close(o->metrics);
	client_stop_on(c, -1);
	if (o->signals >= 0)
		close(o->signals);
	if (o->fd >= 0)
		close(o->fd);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

bool
outside_ends(struct outside *o)
{
	struct signalfd_siginfo info;

	if (o->metrics)
		metrics_serve(o->metrics);
	return read(o->signals, &info, sizeof info) == sizeof info;
}
