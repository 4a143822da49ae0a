#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "node/files.h"
#include "node/probe.h"
#include "node/probe_net.h"

enum { HOOK_SECONDS = 300 }; /* of a hook that asks somebody */

const char *const probe_fields[PROBES] = { "startupProbe", "livenessProbe", "readinessProbe" };

/* Where the runtime says which process it made, for the alarm: nothing else would end that one. */
static char exec_pid[4096];

static void
on_alarm(int sig)
{
	int fd = *exec_pid ? open(exec_pid, O_RDONLY | O_CLOEXEC) : -1;
	char line[32];
	ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof line);
	pid_t pid = 0;

	for (ssize_t i = 0; i < n && line[i] >= '0' && line[i] <= '9'; i++)
		pid = pid * 10 + (line[i] - '0');
	if (pid > 1)
		kill(pid, SIGKILL);
	if (*exec_pid)
		unlink(exec_pid);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* In the container with its own user and rights: plain `exec` would be root. */
static int
probe_exec(const struct probing *p, const json_t *command, struct err *err)
{
	autofree char *config = xasprintf("%s/config.json", p->bundle);
	autofree char *file = xasprintf("%s/exec.%d", p->bundle, (int)getpid());
	const char *args[] = { "exec", "--process", file, "--pid-file", exec_pid, p->id, NULL };
	autobuf struct buf b = BUF_INIT, out = BUF_INIT;
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
	if ((r = file_write(file, b.data, b.len, 0600, err)) < 0)
		return r;
	snprintf(exec_pid, sizeof exec_pid, "%s.pid", file);
	r = host_runtime(p->host, args, &out, err);
	unlink(exec_pid);
	unlink(file);
	if (r < 0 && out.len) { /* it said more on stdout */
		struct err why = *err;

		err_set(err, why.code, "%.*s%s", (int)(out.len < 1024 ? out.len : 1024), out.data,
		    why.msg);
	}
	return r;
}

static int
run(const struct probing *p, double seconds, char **note, struct err *err)
{
	struct reach r = { p->ip, p->container, seconds };
	const json_t *how;

	*note = NULL;
	if ((how = get(p->probe, "httpGet")))
		return reach_http(&r, how, note, err);
	if ((how = get(p->probe, "tcpSocket")))
		return reach_tcp(&r, how, err);
	if ((how = get(p->probe, "grpc")))
		return reach_grpc(&r, how, err);
	if ((how = get(p->probe, "exec")))
		return probe_exec(p, get(how, "command"), err);
	if ((how = get(p->probe, "sleep"))) {
		sleep((unsigned)num(get(how, "seconds"), 0));
		return 0;
	}
	return err_set(err, ERR_INVALID, "it is none of exec, grpc, httpGet, tcpSocket");
}

int
handler_run(const struct probing *p, struct err *err)
{
	autofree char *ignored = NULL;

	return run(p, HOOK_SECONDS, &ignored, err);
}

int
probe_try(void *arg, json_t **result, struct err *err)
{
	const struct probing *p = arg;
	json_int_t seconds = num(get(p->probe, "timeoutSeconds"), 1);
	bool exec = get(p->probe, "exec") != NULL;
	autofree char *note = NULL;
	int r;

	/* Its signal ends this process; what goes over the network keeps time itself, and says
	 * what it waited for. */
	signal(SIGALRM, on_alarm);
	alarm((unsigned)(exec ? seconds : seconds + 1));
	r = run(p, (double)seconds, &note, err);
	if (r == 0 && note)
		*result = json_pack("{s:s}", "note", note); /* none when it is no UTF-8 */
	return r;
}

bool
probe_count(struct probe *p, const json_t *spec, bool success, double now)
{
	json_int_t needed =
	    success ? num(get(spec, "successThreshold"), 1) : num(get(spec, "failureThreshold"), 3);
	bool before = p->good, decided = p->decided;

	p->again = now + (double)num(get(spec, "periodSeconds"), 10);
	if (success)
		p->streak = p->streak > 0 ? p->streak + 1 : 1;
	else
		p->streak = p->streak < 0 ? p->streak - 1 : -1;
	if ((success ? p->streak : -p->streak) < needed)
		return false;
	p->good = success;
	p->decided = true;
	return !decided || before != p->good;
}

void
probe_reset(struct probe *p, const json_t *spec, double now)
{
	job_kill(&p->job);
	free(p->message);
	*p = (struct probe){ .job = { .fd = -1 } };
	p->again = now + (double)num(get(spec, "initialDelaySeconds"), 0);
}
