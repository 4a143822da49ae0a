/* The keeper: starts a cluster's processes and keeps them up. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/cluster.h"

/* A process that lived this long is healthy: its next end restarts it at once. */
static const double HEALTHY = 30, FIRST_DELAY = 0.2, MAX_DELAY = 30;
/* How long a process may take to end by itself before it is killed. */
static const double PATIENCE = 15;

static int
start(struct cluster *c, struct process *p, struct err *err)
{
	autofree char *log = xasprintf("%s/log/%s.log", c->dir, p->name);
	int r = proc_spawn(
	    &p->proc, (const char *const *)p->argv, (const char *const *)p->env, log, false, err);

	p->started = clock_monotonic();
	p->again = 0;
	return r;
}

static void
plan_restart(struct process *p)
{
	double now = clock_monotonic();

	p->delay = now - p->started > HEALTHY || p->delay == 0 ? FIRST_DELAY : p->delay * 2;
	if (p->delay > MAX_DELAY)
		p->delay = MAX_DELAY;
	p->again = now + p->delay;
	p->proc = (struct proc){ 0 };
}

/* Collect the processes that have ended; returns whether any did. */
static bool
reap(struct cluster *c)
{
	bool any = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < c->nprocess; i++) {
			struct process *p = &c->process[i];

			if (p->proc.pid != pid)
				continue;
			plan_restart(p);
			any = true;
			if (WIFSIGNALED(status))
				log_line("%s: died of signal %d; starting it again in %.1f s",
				    p->name, WTERMSIG(status), p->delay);
			else
				log_line("%s: ended with status %d; starting it again in %.1f s",
				    p->name, WEXITSTATUS(status), p->delay);
		}
	return any;
}

/* Start what is due; returns milliseconds until the next is, -1 for none. */
static int
restart_due(struct cluster *c, bool *changed)
{
	double now = clock_monotonic(), next = 0;

	for (size_t i = 0; i < c->nprocess; i++) {
		struct process *p = &c->process[i];
		struct err err;

		if (p->again == 0)
			continue;
		if (p->again <= now) {
			p->restarts++;
			*changed = true;
			if (start(c, p, &err) < 0) {
				log_line("%s: %s", p->name, err.msg);
				plan_restart(p);
			} else {
				continue;
			}
		}
		if (next == 0 || p->again < next)
			next = p->again;
	}
	return next == 0 ? -1 : (int)((next - now) * 1000) + 1;
}

static void
save(const struct cluster *c)
{
	struct err err;

	if (cluster_save(c, &err) < 0)
		log_line("%s", err.msg);
}

static void
say_ready(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		log_line("orch-up has gone");
	close(fd);
}

/* Block the signals the keeper lives by, and get them as a descriptor. */
static int
signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGHUP, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static bool
answers(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof to.sun_path)
		return true; /* nobody can wait for that */
	memcpy(to.sun_path, path, strlen(path));
	return connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
}

/* Give the store a moment before the loops come to it: they would only complain and come again. */
static void
wait_for_store(const struct cluster *c)
{
	autofree char *path = cluster_file(c, "store.sock");
	double until = clock_monotonic() + 5;

	while (!answers(path) && proc_alive(&c->process[0].proc) && clock_monotonic() < until)
		usleep(2000);
}

/* The first start of everything, in order; on failure what was started is ended. */
static int
start_all(struct cluster *c, struct err *err)
{
	struct err ignored;

	for (size_t i = 0; i < c->nprocess; i++) {
		if (start(c, &c->process[i], err) < 0) {
			cluster_stop(c, &ignored);
			return -(int)err->code;
		}
		if (i == 0)
			wait_for_store(c);
	}
	return 0;
}

int
cluster_keep(struct cluster *c, int ready, struct err *err)
{
	autoclose int fd = signals_open();
	struct signalfd_siginfo info = { 0 };

	if (start_all(c, err) < 0) {
		autofree char *text = xasprintf("%s\n", err->msg);

		say_ready(ready, text);
		return -(int)err->code;
	}
	save(c);
	say_ready(ready, "ok\n");
	while (info.ssi_signo != SIGTERM && info.ssi_signo != SIGINT) {
		bool changed = false;
		int wait = restart_due(c, &changed);
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (changed)
			save(c);
		if (poll(&p, 1, wait) <= 0)
			continue;
		if (read(fd, &info, sizeof info) == sizeof info && info.ssi_signo == SIGCHLD)
			if (reap(c))
				save(c);
	}
	return cluster_stop(c, err);
}

static int
end_one(struct process *p, struct err *err)
{
	int r;

	if ((r = proc_signal(&p->proc, SIGTERM, err)) < 0)
		return r;
	if (!proc_wait_gone(&p->proc, PATIENCE)) {
		if ((r = proc_signal(&p->proc, SIGKILL, err)) < 0)
			return r;
		proc_wait_gone(&p->proc, PATIENCE);
	}
	waitpid(p->proc.pid, NULL, WNOHANG); /* when it is our child */
	p->proc = (struct proc){ 0 };
	return 0;
}

int
cluster_stop(struct cluster *c, struct err *err)
{
	int r = 0;

	/* all but the store first, together: they end the sooner */
	for (size_t i = 1; i < c->nprocess; i++)
		if (proc_signal(&c->process[i].proc, SIGTERM, err) < 0)
			r = -(int)err->code;
	for (size_t i = c->nprocess; i-- > 0;)
		if (end_one(&c->process[i], err) < 0)
			r = -(int)err->code;
	return r;
}
