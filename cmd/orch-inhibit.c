/* orch-inhibit - hold up the shutdown of this machine, and say when it begins. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/clock.h"
#include "base/logind.h"

static const char *who = "orch-inhibit", *why = "pods are to end before", *delay_arg = "0s";
static const char *conf = "/run/systemd/logind.conf.d/99-orch.conf";
static bool linger;

static const struct opt opts[] = {
	{ 0, "who", "TEXT", "as whom to ask for it (orch-inhibit)", &who, false },
	{ 0, "why", "TEXT", "and why", &why, false },
	{ 0, "delay", "DURATION", "logind is to wait that long if need be (what it does)",
	    &delay_arg, false },
	{ 0, "linger", NULL, "stay for the delay when the input ends in the middle", &linger,
	    false },
	{ 0, "conf", "FILE", "where to tell it so (/run/systemd/logind.conf.d/99-orch.conf)", &conf,
	    false },
	{ 0 },
};

const struct program self = {
	.name = "orch-inhibit",
	.synopsis = "[--who TEXT] [--why TEXT] [--delay DURATION] [--linger]\n"
		    "[--who TEXT] [--why TEXT] [--delay DURATION] COMMAND [ARG ...]",
	.summary = "Hold up the shutdown of this machine, and say when it begins.",
	.opts = opts,
	.operands = "programs",
};

enum { RELOAD_SECONDS = 5 };

static void
event(const char *type)
{
	printf("{\"type\":\"%s\"}\n", type);
	fflush(stdout); /* finish() says when that failed */
}

/* logind takes a moment to read its settings again. */
static void
ask_for(struct logind *l, double seconds)
{
	double now, until = clock_monotonic() + RELOAD_SECONDS;
	struct timespec pause = { 0, 50000000 };
	struct err err = { 0 };

	if (logind_delay(l, &now, &err) < 0)
		die(&err, "cannot find out how long logind waits");
	if (now >= seconds)
		return;
	if (logind_set_delay(l, conf, seconds, &err) == 0) {
		while (
		    logind_delay(l, &now, &err) == 0 && now < seconds && clock_monotonic() < until)
			nanosleep(&pause, NULL);
		if (now >= seconds)
			return;
		err_set(&err, ERR_UNAVAILABLE, "its settings say so elsewhere");
	}
	fprintf(stderr, "%s: logind waits for %.0f s only, not %.0f: %s\n", self.name, now, seconds,
	    err.msg);
}

static void
hold(struct logind *l)
{
	struct err err;

	if (logind_hold(l, who, why, &err) < 0)
		die(&err, "cannot hold up a shutdown");
}

/* Wait for a word of logind, or (fd >= 0) of another; true when it is the other's. */
static bool
wait_for(struct logind *l, int fd, int ms)
{
	int own = logind_wait(l);
	struct pollfd p[2] = { { .fd = logind_fd(l), .events = (short)logind_events(l) },
		{ .fd = fd, .events = POLLIN } };
	struct err err;

	if (poll(p, 2, ms < 0 || (own >= 0 && own < ms) ? own : ms) < 0 && errno != EINTR)
		die(NULL, "cannot wait: %s", strerror(errno));
	if (logind_step(l, &err) < 0)
		die(&err, "cannot hold up a shutdown any longer");
	return fd >= 0 && p[1].revents;
}

/* The reader has gone in the middle of it: whoever comes after it may still need the time. */
static void
stay(struct logind *l)
{
	double until = clock_monotonic() + cli_duration("delay", delay_arg), left;

	while (linger && logind_holds(l) && logind_shutting_down(l) &&
	       (left = until - clock_monotonic()) > 0)
		wait_for(l, -1, (int)(left * 1000) + 1);
}

/* Events out, and a line in lets go; the end of the input ends us. */
static int
serve(struct logind *l)
{
	bool down = false;
	char in[4096];
	ssize_t n;

	for (;;) {
		if (down != logind_shutting_down(l)) {
			down = !down;
			event(down ? "SHUTDOWN" : "CANCELLED");
		}
		if (!down && !logind_holds(l)) {
			hold(l);
			event("INHIBITED");
		}
		if (!wait_for(l, STDIN_FILENO, -1))
			continue;
		n = read(STDIN_FILENO, in, sizeof in);
		if (n > 0 && down && memchr(in, '\n', (size_t)n))
			logind_release(l);
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
			stay(l);
			return 0;
		}
	}
}

/* The command, when it is time; logind waits for it. */
static int
run(struct logind *l, char **argv)
{
	int status = 0;
	pid_t pid;

	if (!logind_shutting_down(l))
		hold(l);
	while (!logind_shutting_down(l))
		wait_for(l, -1, -1);
	if ((pid = fork()) < 0)
		die(NULL, "cannot fork: %s", strerror(errno));
	if (pid == 0) {
		execvp(argv[0], argv);
		fprintf(stderr, "%s: cannot run '%s': %s\n", self.name, argv[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int
main(int argc, char *argv[])
{
	struct logind *l;
	double seconds;
	char **command;
	struct err err;
	int status;

	cli_stop_at_operand();
	command = argv + cli_parse(argc, argv);
	seconds = cli_duration("delay", delay_arg);
	signal(SIGPIPE, SIG_IGN);
	if (logind_open(&l, &err) < 0)
		die(&err, "cannot hold up a shutdown");
	if (seconds > 0)
		ask_for(l, seconds);
	status = *command ? run(l, command) : serve(l);
	logind_close(l);
	return finish(status);
}
