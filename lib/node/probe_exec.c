/* Commands of probes and hooks in a running container. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"
#include "node/files.h"
#include "node/huge.h"
#include "node/probe.h"
#include "node/runtime.h"

/* What a command says beyond this is read, so that it goes on, and dropped. */
enum { MAX_SAID = 10 << 10 };

/* The container's process, but for what it runs: plain `exec` would be root. */
static int
write_process(const struct probing *p, const json_t *command, const char *file, struct err *err)
{
	autofree char *config = xasprintf("%s/config.json", p->bundle);
	autobuf struct buf b = BUF_INIT;
	json_auto_t *whole = NULL;
	json_t *process;
	int r;

	if ((r = buf_read_file(&b, config, 4 << 20, err)) < 0)
		return r;
	whole = json_loadb(b.data, b.len, 0, NULL);
	process = get(whole, "process");
	if (!process)
		return err_set(err, ERR_INTERNAL, "'%s' is damaged", config);
	json_object_set(process, "args", (json_t *)command);
	json_object_set_new(process, "terminal", json_false());
	buf_clear(&b);
	json_add(&b, process);
	return file_write(file, b.data, b.len, 0600, err);
}

/* Take what is there; false at its end. */
static bool
take(int fd, struct buf *said)
{
	char chunk[16384];
	ssize_t n = read(fd, chunk, sizeof chunk);

	if (n > 0 && said->len < MAX_SAID)
		buf_add(said, chunk,
		    (size_t)n < MAX_SAID - said->len ? (size_t)n : MAX_SAID - said->len);
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* Until the runtime has ended, not until nobody has its pipe any more: a child that the command
 * left behind may keep that forever.  False when the time is over. */
static bool
listen_to(pid_t pid, int out, double deadline, struct buf *said)
{
	autoclose int ended = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p[2] = { { .fd = out, .events = POLLIN }, { .fd = ended, .events = POLLIN } };

	for (;;) {
		double left = deadline > 0 ? deadline - clock_monotonic() : 60;

		if (deadline > 0 && left <= 0)
			return false;
		if (poll(p, 2, (int)(left * 1000) + 1) < 0 && errno != EINTR)
			return true;
		if (p[0].revents && !take(out, said))
			p[0].fd = -1;
		if (p[1].revents || (ended < 0 && p[0].fd < 0))
			break;
	}
	fcntl(out, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 64 && p[0].fd >= 0; i++) { /* the rest of what it said itself */
		struct pollfd now = { .fd = out, .events = POLLIN };

		if (poll(&now, 1, 0) <= 0 || !take(out, said))
			break;
	}
	return true;
}

/* The process that the runtime has made in the container, and the runtime. */
static void
kill_both(pid_t runtime, const char *pid_file)
{
	char line[32];
	pid_t pid = file_line(pid_file, line, sizeof line) ? (pid_t)strtol(line, NULL, 10) : 0;

	if (pid > 1)
		kill(pid, SIGKILL);
	proc_kill_tree(runtime); /* one that hangs may do so in a child of its own */
}

static char *
words(const json_t *command)
{
	autobuf struct buf b = BUF_INIT;
	json_t *one;
	size_t i;

	json_array_foreach (command, i, one)
		buf_printf(&b, "%s%s", i ? " " : "", str(one, ""));
	return buf_detach(&b);
}

static int
run(const struct probing *p, const json_t *command, const char *file, double seconds,
    struct err *err)
{
	autofree char *pid_file = xasprintf("%s.pid", file), *all = words(command);
	autofree char *program = runtime_of_bundle(p->host, p->bundle);
	autofree char *state = runtime_state(p->host, p->bundle),
		      *root = xasprintf("--root=%s", state);
	const char *argv[] = { program, root, "exec", "--process", file, "--pid-file", pid_file,
		p->id, NULL };
	autoclose int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	double deadline = seconds > 0 ? clock_monotonic() + seconds : 0;
	autobuf struct buf said = BUF_INIT;
	struct proc runtime;
	int fds[2], status = 0, back, r;
	bool in_time;

	if ((r = runtime_there(program, err)) < 0)
		return r;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	fchmod(fds[1], 0666); /* whoever runs there may open it again, as /dev/stdout */
	if ((r = huge_visit(p->host, p->bundle, &back, err)) == 0)
		r = proc_start(&runtime, argv, null, fds[1], fds[1], err);
	huge_return(&back);
	close(fds[1]);
	if (r < 0) {
		close(fds[0]);
		return r;
	}
	if (!(in_time = listen_to(runtime.pid, fds[0], deadline, &said)))
		kill_both(runtime.pid, pid_file);
	close(fds[0]);
	while (waitpid(runtime.pid, &status, 0) < 0 && errno == EINTR)
		;
	unlink(pid_file);
	if (!in_time)
		return err_set(err, ERR_TIMEOUT,
		    "command timed out: \"%.300s\" timed out after %gs", all, seconds);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	while (said.len > 0 && said.data[said.len - 1] == '\n')
		said.len--;
	if (said.len > 0)
		return err_set(err, ERR_INTERNAL, "%.*s", (int)said.len, said.data);
	return err_set(err, ERR_INTERNAL, "command \"%.300s\" exited with status %d", all,
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int
probe_exec(const struct probing *p, const json_t *command, double seconds, struct err *err)
{
	autofree char *file = host_path(p->host, "run/exec/probe.%d", (int)getpid());
	int r = write_process(p, command, file, err);

	if (r == 0)
		r = run(p, command, file, seconds, err);
	unlink(file);
	return r;
}
