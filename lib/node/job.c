#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/job.h"

/* The child: work, and one JSON object through the pipe. */
_Noreturn static void
run(int fd, job_fn *work, void *arg)
{
	autobuf struct buf b = BUF_INIT;
	json_auto_t *result = NULL, *reply = NULL;
	autofree char *message = NULL;
	struct err err = { 0 };
	sigset_t none;
	int r;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_IGN); /* a terminal's ^C is for the node to act on */
	signal(SIGCHLD, SIG_DFL);
	r = work(arg, &result, &err);
	message =
	    text_mend(r < 0 ? err.msg : ""); /* it may be a container's words, cut off anywhere */
	reply = json_pack("{s:i, s:s, s:O?}", "code", r < 0 ? (int)err.code : 0, "message", message,
	    "result", result);
	json_add(&b, reply);
	for (size_t at = 0; at < b.len;) {
		ssize_t n = write(fd, b.data + at, b.len - at);

		if (n <= 0 && errno != EINTR)
			break;
		at += n > 0 ? (size_t)n : 0;
	}
	_exit(0);
}

int
job_start(struct job *j, job_fn *work, void *arg, struct err *err)
{
	int fds[2];
	pid_t pid, parent = getpid();

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return err_sys(err, errno, "cannot fork");
	}
	if (pid == 0) {
		setpgid(0, 0); /* what it starts can be ended with it */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(3);
		close(fds[0]);
		run(fds[1], work, arg);
	}
	setpgid(pid, pid); /* whoever comes first */
	close(fds[1]);
	*j = (struct job){ .pid = pid, .fd = fds[0] };
	return 0;
}

bool
job_read(struct job *j)
{
	ssize_t n;

	buf_reserve(&j->reply, 65536);
	n = read(j->fd, j->reply.data + j->reply.len, 65536);
	if (n > 0)
		j->reply.len += (size_t)n;
	return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

/* One that was killed had no time to end what it had started: a runtime that hangs. */
static void
wait_for(pid_t pid, int *status)
{
	siginfo_t info = { 0 };

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	if (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
		kill(-pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
}

int
job_end(struct job *j, json_t **result, struct err *err)
{
	json_auto_t *reply = NULL;
	int status = 0, code;

	wait_for(j->pid, &status);
	close(j->fd);
	reply = json_loadb(j->reply.data ? j->reply.data : "", j->reply.len, 0, NULL);
	buf_release(&j->reply);
	*j = (struct job){ .fd = -1 };
	if (!reply && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		return err_set(err, ERR_TIMEOUT, "it did not end in time");
	if (!reply)
		return err_set(err, ERR_INTERNAL, "the work ended by %s %d",
		    WIFSIGNALED(status) ? "signal" : "status",
		    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	code = (int)num(get(reply, "code"), ERR_INTERNAL);
	if (code == 0) {
		if (result)
			*result = json_incref(get(reply, "result"));
		return 0;
	}
	if (code < 0 || code >= ERR_COUNT)
		code = ERR_INTERNAL;
	return err_set(err, (enum err_code)code, "%s", text(reply, "message"));
}

void
job_kill(struct job *j)
{
	struct err ignored;

	if (j->pid <= 0)
		return;
	kill(j->pid, SIGKILL);
	job_end(j, NULL, &ignored);
}

void
job_behind(void)
{
	enum { IDLE = 3, CLASS_AT = 13 }; /* ioprio_set(2), which has no header */

	setpriority(PRIO_PROCESS, 0, 10);
	syscall(SYS_ioprio_set, 1, 0, IDLE << CLASS_AT);
}

int
job_wait(job_fn *work, void *arg, json_t **result, struct err *err)
{
	struct job j;
	int r;

	if ((r = job_start(&j, work, arg, err)) < 0)
		return r;
	while (!job_read(&j))
		;
	return job_end(&j, result, err);
}
