#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/proc.h"

/* State letter and start time out of /proc/PID/stat; the name in it may hold anything, so look
 * behind its last ')'. */
static bool
read_stat(pid_t pid, char *state, uint64_t *start)
{
	autofree char *path = xasprintf("/proc/%d/stat", (int)pid);
	autofclose FILE *f = fopen(path, "re");
	char line[1024], *p;
	unsigned long long ticks;

	if (!f || !fgets(line, sizeof line, f) || !(p = strrchr(line, ')')))
		return false;
	if (sscanf(p + 1,
		" %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		state, &ticks) != 2)
		return false;
	*start = ticks;
	return true;
}

bool
proc_identify(pid_t pid, struct proc *ret)
{
	struct proc p = { .pid = pid };
	char state;

	if (pid <= 0 || !read_stat(pid, &state, &p.start))
		return false;
	*ret = p;
	return true;
}

bool
proc_alive(const struct proc *p)
{
	uint64_t start;
	char state;

	return p->pid > 0 && read_stat(p->pid, &state, &start) && start == p->start &&
	       state != 'Z' && state != 'X';
}

int
proc_signal(const struct proc *p, int sig, struct err *err)
{
	if (!proc_alive(p))
		return 0;
	if (kill(p->pid, sig) < 0 && errno != ESRCH)
		return err_sys(err, errno, "cannot signal process %d", (int)p->pid);
	return 0;
}

bool
proc_wait_gone(const struct proc *p, double seconds)
{
	double end = clock_monotonic() + seconds;
	autoclose int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);

	while (proc_alive(p)) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		double left = end - clock_monotonic();

		if (left <= 0)
			return false;
		if (fd < 0)
			usleep(10000); /* a kernel without pidfd */
		else
			poll(&pfd, 1, (int)(left * 1000) + 1);
		if (fd >= 0 && (pfd.revents & POLLIN))
			return true;
	}
	return true;
}

/* In the child: set up and exec; an errno goes to the parent through `report`. */
static _Noreturn void
become(const char *const *argv, const char *const *env, const char *log, bool session, int in,
    int out, int errfd, int report)
{
	sigset_t none;
	int e;

	if (session)
		setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (log) {
		out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
		errfd = out;
		if (out < 0)
			goto fail;
	}
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(errfd, 2) < 0)
		goto fail;
	for (; env && *env; env++)
		putenv((char *)*env);
	execvp(argv[0], (char *const *)argv);
fail:
	e = errno;
	if (write(report, &e, sizeof e) < 0)
		_exit(126);
	_exit(127);
}

static int
start(pid_t *ret, const char *const *argv, const char *const *env, const char *log, bool session,
    int in, int out, int errfd, struct err *err)
{
	int report[2], e = 0;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot start '%s'", argv[0]);
	if ((pid = fork()) == 0)
		become(argv, env, log, session, in, out, errfd, report[1]);
	if (pid < 0)
		e = errno;
	close(report[1]);
	if (pid > 0 && read(report[0], &e, sizeof e) <= 0)
		e = 0;
	close(report[0]);
	if (e) {
		if (pid > 0)
			waitpid(pid, NULL, 0);
		return err_sys(err, e, "cannot start '%s'", argv[0]);
	}
	*ret = pid;
	return 0;
}

int
proc_spawn(struct proc *ret, const char *const *argv, const char *const *env, const char *log,
    bool session, struct err *err)
{
	autoclose int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid;
	int r;

	if (null < 0)
		return err_sys(err, errno, "cannot open /dev/null");
	if ((r = start(&pid, argv, env, log, session, null, 1, 2, err)) < 0)
		return r;
	if (!proc_identify(pid, ret))
		*ret = (struct proc){ .pid = pid }; /* over already: waitpid will tell */
	return 0;
}

int
proc_start(struct proc *ret, const char *const *argv, int in, int out, int errfd, struct err *err)
{
	pid_t pid;
	int r = start(&pid, argv, NULL, NULL, false, in, out, errfd, err);

	if (r == 0 && !proc_identify(pid, ret))
		*ret = (struct proc){ .pid = pid };
	return r;
}

/* Feed `input` and collect both outputs until the child has closed them; false when the time for
 * that is over (0: it never is). */
static bool
converse(int in, const char *input, int out, struct buf *outbuf, int errfd, struct buf *errbuf,
    double until)
{
	struct pollfd p[3] = { { .fd = in, .events = POLLOUT }, { .fd = out, .events = POLLIN },
		{ .fd = errfd, .events = POLLIN } };
	size_t left = input ? strlen(input) : 0;
	char chunk[4096];
	bool late = false;

	while (!late && (p[1].fd >= 0 || p[2].fd >= 0)) {
		double rest = until > 0 ? until - clock_monotonic() : 0;

		if (left == 0 && p[0].fd >= 0) {
			close(p[0].fd);
			p[0].fd = -1;
		}
		if (poll(p, 3,
			until <= 0 ? -1
			: rest > 0 ? (int)(rest * 1000) + 1
				   : 0) < 0 &&
		    errno != EINTR)
			break;
		late = until > 0 && clock_monotonic() >= until;
		if (p[0].fd >= 0 && p[0].revents) {
			ssize_t n = write(p[0].fd, input, left);

			left = n < 0 && errno != EAGAIN ? 0 : left - (size_t)(n > 0 ? n : 0);
			input += n > 0 ? n : 0;
		}
		for (int i = 1; i < 3; i++) {
			ssize_t n;

			if (p[i].fd < 0 || !p[i].revents)
				continue;
			if ((n = read(p[i].fd, chunk, sizeof chunk)) > 0)
				buf_add(i == 1 ? outbuf : errbuf, chunk, (size_t)n);
			else if (n == 0 || errno != EINTR)
				p[i].fd = -1;
		}
	}
	if (p[0].fd >= 0)
		close(p[0].fd);
	return !late;
}

enum { MAX_TREE = 4096 };

/* Who is whose child, of all processes. */
static size_t
family(pid_t pid[][2])
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	size_t n = 0;

	while (d && n < MAX_TREE && (e = readdir(d))) {
		char path[64], line[512], *close;
		autoclose int fd = -1;
		ssize_t got;

		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof path, "/proc/%.20s/stat", e->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (got = read(fd, line, sizeof line - 1)) <= 0)
			continue;
		line[got] = '\0';
		if (!(close = strrchr(line, ')')))
			continue;
		pid[n][0] = (pid_t)atoi(e->d_name);
		pid[n++][1] = (pid_t)atoi(close + 4); /* ") S PPID" */
	}
	if (d)
		closedir(d);
	return n;
}

void
proc_kill_tree(pid_t root)
{
	pid_t(*all)[2] = xcalloc(MAX_TREE, sizeof *all), *tree = xcalloc(MAX_TREE, sizeof *tree);
	size_t found = 1, n = family(all);

	tree[0] = root;
	for (size_t i = 0; i < found; i++)
		for (size_t k = 0; k < n && found < MAX_TREE; k++)
			if (all[k][1] == tree[i] && all[k][0] != root)
				tree[found++] = all[k][0];
	for (size_t i = 0; i < found; i++)
		kill(tree[i], SIGKILL);
	free(all);
	free(tree);
}

int
proc_run(const char *const *argv, const char *input, struct buf *out, struct err *err)
{
	return proc_run_within(argv, input, out, 0, err);
}

int
proc_run_within(
    const char *const *argv, const char *input, struct buf *out, double seconds, struct err *err)
{
	autobuf struct buf said = BUF_INIT, ignored = BUF_INIT;
	double until = seconds > 0 ? clock_monotonic() + seconds : 0;
	int in[2], o[2], e[2], status, r;
	bool late = false;
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(o, O_CLOEXEC) < 0 || pipe2(e, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot run '%s'", argv[0]);
	r = start(&pid, argv, NULL, NULL, false, in[0], o[1], e[1], err);
	close(in[0]);
	close(o[1]);
	close(e[1]);
	if (r == 0) {
		sigaction(SIGPIPE, &ignore, &before);
		late = !converse(in[1], input, o[0], out ? out : &ignored, e[0], &said, until);
		if (late)
			proc_kill_tree(pid);
		sigaction(SIGPIPE, &before, NULL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	} else {
		close(in[1]);
	}
	close(o[0]);
	close(e[0]);
	if (r < 0)
		return r;
	if (late)
		return err_set(err, ERR_TIMEOUT,
		    "'%s' did not end within %g s: context deadline exceeded", argv[0], seconds);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	while (said.len > 0 && said.data[said.len - 1] == '\n')
		said.data[--said.len] = '\0';
	if (WIFSIGNALED(status))
		return err_set(
		    err, ERR_INTERNAL, "'%s' died of signal %d", argv[0], WTERMSIG(status));
	return err_set(err, ERR_INTERNAL, "'%s' failed with status %d%s%s", argv[0],
	    WEXITSTATUS(status), said.len ? ": " : "", said.len ? said.data : "");
}

char *
proc_sibling(const char *name)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	autofree char *path = NULL;

	if (n > 0) {
		self[n] = '\0';
		path = xasprintf("%s/%s", dirname(self), name);
		if (access(path, X_OK) == 0)
			return steal(path);
	}
	return xstrdup(name);
}
