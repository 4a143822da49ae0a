#include "node/inhibitor.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"

enum { AGAIN_LOST = 2, AGAIN_ABSENT = 120, MAX_LINE = 4096 };

static int
spawn(struct inhibitor *i, struct err *err)
{
	autofree char *program = proc_sibling("orch-inhibit");
	autofree char *delay = xasprintf("%.0fs", ceil(i->seconds));
	const char *argv[] = { program, "--who", "orch-node", "--why", "pods are to end first",
		"--delay", delay, "--linger", NULL };
	int in[2], out[2], r;
	struct proc p;

	if (pipe2(in, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0) {
		close(in[0]);
		close(in[1]);
		return err_sys(err, errno, "cannot make a pipe");
	}
	r = proc_start(&p, argv, in[0], out[1], out[1], err);
	close(in[0]);
	close(out[1]);
	if (r < 0) {
		close(in[1]);
		close(out[0]);
		return r;
	}
	i->pid = p.pid;
	i->in = in[1];
	i->out = out[0];
	i->held = i->released = false;
	return 0;
}

bool
inhibitor_check(struct inhibitor *i)
{
	struct err err;

	if (i->seconds <= 0 || i->pid || clock_monotonic() < i->again)
		return false;
	i->again = clock_monotonic() + AGAIN_ABSENT;
	if (spawn(i, &err) == 0)
		return true;
	if (!i->told)
		log_line("the machine's shutdown will not wait for pods: %s", err.msg);
	i->told = true;
	return false;
}

static void
hear(struct inhibitor *i, struct agent *a, const char *line)
{
	json_auto_t *event = json_loads(line, 0, NULL);
	const char *type = text(event, "type");

	if (!event) { /* what it complains of */
		if (!i->told)
			log_line("%s", line);
	} else if (strcmp(type, "INHIBITED") == 0) {
		if (!i->held)
			log_line("the machine's shutdown waits up to %.0f s for pods", i->seconds);
		i->held = true;
		i->released = i->told = false;
		agent_shutdown(a, SHUTDOWN_LOGIND, false); /* taken back while we were away */
	} else if (strcmp(type, "SHUTDOWN") == 0) {
		agent_shutdown(a, SHUTDOWN_LOGIND, true);
	} else if (strcmp(type, "CANCELLED") == 0) {
		agent_shutdown(a, SHUTDOWN_LOGIND, false);
	}
}

static void
ended(struct inhibitor *i)
{
	waitpid(i->pid, NULL, 0);
	/* a job forked meanwhile has a copy of it: closing alone does not take it out */
	if (i->epoll >= 0)
		epoll_ctl(i->epoll, EPOLL_CTL_DEL, i->out, NULL);
	close(i->in);
	close(i->out);
	i->again = clock_monotonic() + (i->held ? AGAIN_LOST : AGAIN_ABSENT);
	if (!i->held && !i->told)
		log_line("the machine's shutdown will not wait for pods; SIGPWR ends them too");
	i->told = true;
	i->pid = 0;
	i->in = i->out = -1;
	buf_clear(&i->said);
}

static void
lines(struct inhibitor *i, struct agent *a)
{
	char *nl;

	while (i->said.len > 0 && (nl = memchr(i->said.data, '\n', i->said.len))) {
		size_t len = (size_t)(nl - i->said.data);

		*nl = '\0';
		hear(i, a, i->said.data);
		memmove(i->said.data, nl + 1, i->said.len - len - 1);
		i->said.len -= len + 1;
	}
	if (i->said.len > MAX_LINE)
		buf_clear(&i->said);
}

void
inhibitor_step(struct inhibitor *i, struct agent *a)
{
	ssize_t n = -1;

	while (i->pid && i->said.len <= MAX_LINE) {
		buf_reserve(&i->said, MAX_LINE);
		n = read(i->out, i->said.data + i->said.len, MAX_LINE);
		if (n <= 0)
			break;
		i->said.len += (size_t)n;
	}
	lines(i, a);
	if (i->pid && n == 0)
		ended(i);
	if (i->pid && i->held && !i->released && agent_shut_down(a)) {
		i->released = true;
		if (write(i->in, "\n", 1) < 0)
			log_line("cannot let the machine go down: %s", strerror(errno));
	}
}

void
inhibitor_stop(struct inhibitor *i)
{
	struct timespec pause = { 0, 10000000 };

	if (!i->pid)
		return;
	close(i->in);
	close(i->out);
	/* in the middle of a shutdown it stays, for the next node */
	for (int tries = 0; tries < 50 && waitpid(i->pid, NULL, WNOHANG) == 0; tries++)
		nanosleep(&pause, NULL);
	i->pid = 0;
	buf_release(&i->said);
}
