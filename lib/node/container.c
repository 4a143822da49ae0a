#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/bundle.h"
#include "node/container.h"
#include "node/digest.h"
#include "node/files.h"
#include "node/huge.h"
#include "node/pidspace.h"
#include "node/probe.h"
#include "node/propagate.h"
#include "node/pull.h"
#include "node/runtime.h"
#include "node/stage.h"

const char *
container_id(const char *uid, const char *name, unsigned attempt, char buf[static 40])
{
	autofree char *whole = xasprintf("%s/%s/%u", uid, name, attempt);
	char digest[DIGEST_TEXT];

	digest_of(whole, strlen(whole), digest);
	snprintf(buf, 40, "%.32s", digest_hex(digest));
	return buf;
}

static char *
bundle_path(const struct host *h, const char *uid, const char *name, unsigned attempt)
{
	return host_path(h, "pods/%s/containers/%s-%u", uid, name, attempt);
}

char *
container_cgroup(const struct host *h, const char *uid, const char *name, unsigned attempt)
{
	autofree char *pod = host_cgroup(h, uid);

	return xasprintf("%s/%s-%u", pod, name, attempt);
}

char *
container_log(const struct host *h, const json_t *pod, const char *name, unsigned restarts)
{
	return host_path(h, "log/pods/%s_%s_%s/%s/%u.log", meta_namespace(pod), meta_name(pod),
	    meta_uid(pod), name, restarts);
}

/* --- starting ---------------------------------------------------------------- */

/* The child between fork and exec: conmon with the pipe it reports through as descriptor 3. */
_Noreturn static void
exec_conmon(char *const *argv, int sync)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	if (sync == 3)
		fcntl(sync, F_SETFD, 0);
	else
		dup2(sync, 3);
	setenv("_OCI_SYNCPIPE", "3", 1);
	execv(argv[0], argv);
	_exit(127);
}

/* conmon lives on in the background, with the pipe open: its report is one line. */
static int
hear_conmon(int fd, double seconds, struct buf *said, struct err *err)
{
	double until = clock_monotonic() + seconds, left;

	while (!said->data || !memchr(said->data, '\n', said->len)) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if ((left = until - clock_monotonic()) <= 0)
			return err_set(err, ERR_TIMEOUT,
			    "runtime call 'create': it did not end within %g s: context deadline "
			    "exceeded",
			    seconds);
		if (poll(&p, 1, (int)(left * 1000) + 1) <= 0)
			continue;
		buf_reserve(said, 4096);
		n = read(fd, said->data + said->len, 4096);
		if (n <= 0 && errno != EINTR)
			break;
		said->len += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int
run_conmon(char *const *argv, double seconds, struct buf *said, struct err *err)
{
	int fds[2], status = 0, r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	if ((pid = fork()) < 0)
		return err_sys(err, errno, "cannot fork");
	if (pid == 0)
		exec_conmon(argv, fds[1]);
	close(fds[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	r = hear_conmon(fds[0], seconds, said, err);
	close(fds[0]);
	if (r < 0)
		return r;
	if (said->len == 0)
		return err_set(
		    err, ERR_INTERNAL, "conmon failed with status %d", WEXITSTATUS(status));
	return 0;
}

/* {"data": pid} or {"data": -1, "message": ...}: what conmon has from the runtime. */
static int
parse_report(const struct buf *said, struct err *err)
{
	json_auto_t *report =
	    said->len ? json_loadb(said->data, said->len, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
	const char *message = text(report, "message");
	size_t len = strlen(message);

	if (num(get(report, "data"), num(get(report, "pid"), -1)) > 0)
		return 0;
	while (len > 0 && message[len - 1] == '\n')
		len--;
	return err_set(err, ERR_INVALID, "%.*s", len ? (int)len : 40,
	    len ? message : "the runtime ended without saying why");
}

static int
create(const struct start *s, const char *id, const char *bundle, struct err *err)
{
	const struct host *h = s->host;
	autofree char *log = container_log(h, s->pod, text(s->container, "name"), s->restarts);
	autofree char *to = xasprintf("k8s-file:%s", log),
		      *folder = xstrndup(log, (size_t)(strrchr(log, '/') - log));
	autofree char *pid = xasprintf("%s/pid", bundle),
		      *monitor = xasprintf("%s/monitor", bundle);
	autofree char *exits = host_path(h, "run/exits"), *attach = host_path(h, "run/attach");
	autobuf struct buf said = BUF_INIT;
	autofree char *runtime = runtime_of_bundle(h, bundle), *state = runtime_state(h, bundle);
	autofree char *root = xasprintf("--root=%s", state);
	const char *argv[40] = { h->o.conmon, "--cid", id, "--cuuid", id, "--name", id, "--runtime",
		runtime, "--bundle", bundle, "--container-pidfile", pid, "--conmon-pidfile",
		monitor, "--exit-dir", exits, "--socket-dir-path", attach, "--log-path", to,
		"--log-level", "error", "--no-sync-log", "--runtime-arg", root };
	size_t n = 26;
	int r;

	if (truth(get(s->container, "tty")))
		argv[n++] = "--terminal";
	if (truth(get(s->container, "stdin"))) {
		argv[n++] = "--stdin";
		if (!truth(get(s->container, "stdinOnce")))
			argv[n++] = "--leave-stdin-open"; /* for who attaches next */
	}
	if ((r = mkdir_all(folder, 0755, err)) < 0)
		return r;
	if ((r = runtime_there(runtime, err)) < 0)
		return r;
	if ((r = run_conmon((char *const *)argv, h->o.runtime_timeout, &said, err)) < 0)
		return r;
	return parse_report(&said, err);
}

static json_t *
failure(const char *stage, const char *reason, const struct err *err)
{
	autofree char *message = text_mend(err->msg);

	return json_pack("{s:s, s:s, s:s}", "stage", stage, "reason", reason, "message", message);
}

/* The number of a signal as images write it: "SIGQUIT", "QUIT" or "3"; TERM when it says nothing.
 * The container's own comes first. */
static int
stop_signal(const json_t *container, const struct image *image)
{
	const char *own = text(container, "lifecycle", "stopSignal");
	const char *name = *own ? own : text(image->config, "config", "StopSignal");
	long long n;

	if (text_int(name, &n) && n > 0 && n < NSIG)
		return (int)n;
	name += text_starts(name, "SIG") ? 3 : 0;
	for (int i = 1; i < NSIG; i++)
		if (sigabbrev_np(i) && strcmp(name, sigabbrev_np(i)) == 0)
			return i;
	if (text_starts(name, "RTMIN"))
		return SIGRTMIN + atoi(name + strlen("RTMIN"));
	if (text_starts(name, "RTMAX"))
		return SIGRTMAX + atoi(name + strlen("RTMAX"));
	return SIGTERM;
}

/* What start_with() will say, kept beside the container: a node that is killed before it has heard
 * of the start learns of it here. */
static int
note_launch(const char *bundle, const json_t *result, struct err *err)
{
	autofree char *path = xasprintf("%s/launched", bundle);
	autobuf struct buf b = BUF_INIT;

	json_add(&b, result);
	return file_swap(path, b.data, b.len, 0600, err);
}

static int
launch(const struct start *s, const struct image *image, const char *id, const json_t *user,
    json_t **result, struct err *err)
{
	const char *uid = meta_uid(s->pod), *name = text(s->container, "name");
	const char *args[] = { "start", id, NULL };
	autofree char *status_id = image_status_id(image);
	autofree char *bundle = bundle_path(s->host, uid, name, s->attempt);
	struct proc init, monitor;
	double now = (double)clock_now_us() / 1e6, when;
	int code, r;

	/* conmon's own pid is known before: a short container may have ended a moment later. */
	container_processes(s->host, uid, name, s->attempt, &init, &monitor);
	*result = json_pack("{s:i, s:I, s:i, s:I, s:s, s:s, s:i, s:f, s:b, s:O?}", "pid",
	    (int)init.pid, "start", (json_int_t)init.start, "monitor", (int)monitor.pid,
	    "monitor_start", (json_int_t)monitor.start, "image", image->ref, "imageID", status_id,
	    "stopSignal", stop_signal(s->container, image), "startedAt", now, "hooked",
	    get(s->container, "lifecycle", "postStart") == NULL, "user", user);
	stage_open_output(s->pod, init.pid);
	if ((r = note_launch(bundle, *result, err)) < 0 ||
	    (r = runtime_run(s->host, bundle, args, NULL, s->host->o.runtime_timeout, err)) < 0)
		return r;
	if (!monitor.pid && !container_exit(s->host, id, &code, &when))
		return err_set(err, ERR_INTERNAL, "conmon has gone");
	return 0;
}

/* lifecycle.postStart: the container does not count as running before it is through. */
static void
run_post_start(const struct start *s, const char *id, const char *bundle, json_t *result)
{
	const json_t *hook = get(s->container, "lifecycle", "postStart");
	struct probing in = { s->host, hook, s->container, s->ip, id, bundle };
	struct err err;

	if (!hook)
		return;
	if (handler_run(&in, &err) < 0) {
		autofree char *why = text_mend(err.msg);

		json_object_set_new(result, "postStart", json_string(why));
	}
	json_object_set_new(result, "hooked", json_true());
	note_launch(bundle, result, &err); /* without it, the container is started once more */
}

/* A mount namespace for the runtime, with what is to be shared with the machine. */
static int
enter_mounts(const struct start *s, const char *bundle, struct err *err)
{
	struct held held;
	int r;

	if ((r = propagate_hold(&held, s->host, s->pod, s->container, err)) == 0 &&
	    (r = host_private_mounts(s->host, err)) == 0)
		r = propagate_place(&held, bundle, err);
	propagate_release(&held);
	return r;
}

static pid_t
read_pid(const char *bundle, const char *file)
{
	autofree char *path = xasprintf("%s/%s", bundle, file);
	char line[32];

	return file_line(path, line, sizeof line) ? (pid_t)strtol(line, NULL, 10) : 0;
}

/* The runtime says no: that counts as a run.  One that says nothing, or is not there, is asked
 * again; what it may have begun is removed at once. */
static json_t *
not_run(const struct start *s, const char *reason, const struct err *err)
{
	struct err ignored;

	if (err->code != ERR_TIMEOUT && err->code != ERR_UNAVAILABLE)
		return failure("start", "RunContainerError", err);
	container_remove(
	    s->host, meta_uid(s->pod), text(s->container, "name"), s->attempt, &ignored);
	return failure("config", reason, err);
}

/* From the image to a running container, or the object that says why not. */
static json_t *
start_with(const struct start *s, const struct image *image)
{
	const char *uid = meta_uid(s->pod), *name = text(s->container, "name");
	autofree char *bundle = bundle_path(s->host, uid, name, s->attempt),
		      *group = container_cgroup(s->host, uid, name, s->attempt);
	autoclose int pages = -1;
	json_auto_t *user = NULL;
	json_t *result = NULL;
	char id[40];
	struct err err;

	container_id(uid, name, s->attempt, id);
	if (s->target < 0) {
		err_set(&err, ERR_CONFLICT, "its target container '%s' does not run",
		    text(s->container, "targetContainerName"));
		return failure("config", "CreateContainerConfigError", &err);
	}
	if (pod_shares_processes(s->pod) && !pidspace_alive(s->host, uid)) {
		err_set(&err, ERR_CONFLICT, "the first process of its pod has gone");
		return failure("sandbox", "CreateContainerError", &err);
	}
	if (huge_open(s->pod, s->container, group, &s->host->cgroups, &pages, &err) < 0 ||
	    enter_mounts(s, bundle, &err) < 0)
		return failure("config", "CreateContainerError", &err);
	if (bundle_make(s, image, bundle, &user, &err) < 0 ||
	    runtime_note(s->host, uid, bundle, &err) < 0)
		return failure("config", "CreateContainerConfigError", &err);
	if (create(s, id, bundle, &err) < 0)
		return not_run(s, "CreateContainerError", &err);
	if (pages >= 0 && huge_enter(pages, read_pid(bundle, "pid"), &err) < 0)
		return failure("start", "RunContainerError", &err);
	if (launch(s, image, id, user, &result, &err) < 0) {
		json_decref(result);
		return not_run(s, "RunContainerError", &err);
	}
	if (pages >= 0 && huge_enter(pages, 0, &err) < 0) /* this process, for its hook */
		log_line("pod %s: %s", uid, err.msg);
	run_post_start(s, id, bundle, result);
	return result;
}

int
container_start(void *arg, json_t **result, struct err *err)
{
	const struct start *s = arg;
	const char *uid = meta_uid(s->pod), *name = text(s->container, "name");
	struct image image;
	autofree char *monitors = host_monitors(s->host);
	double asked = (double)clock_now_us() / 1e6;
	const char *reason;
	int r;

	cgroup_leave_service(&s->host->cgroups, monitors); /* conmon is to outlive the node */
	/* What an attempt of this number left that a crash cut short, and the one before. */
	if ((r = container_remove(s->host, uid, name, s->attempt, err)) < 0 ||
	    (s->attempt > 0 && (r = container_remove(s->host, uid, name, s->attempt - 1, err)) < 0))
		return r;
	if (s->restarts > 1) {
		autofree char *old = container_log(s->host, s->pod, name, s->restarts - 2);

		log_remove(old);
	}
	if (pull_if_needed(s->host, s->pod, s->container, s->sources, &image, &reason, err) < 0) {
		*result = failure("image", reason, err);
		return 0;
	}
	asked = (double)clock_now_us() / 1e6 - asked;
	*result = start_with(s, &image);
	json_object_set_new(*result, "pullSeconds", json_real(asked));
	json_object_set_new(*result, "imageSize", json_integer(image.size));
	if (*text(*result, "stage"))
		json_object_set_new(*result, "image", json_string(image.ref));
	image_release(&image);
	return 0;
}

/* --- what is there ------------------------------------------------------------ */

json_t *
container_launched(const struct host *h, const char *uid, const char *name, unsigned attempt)
{
	autofree char *bundle = bundle_path(h, uid, name, attempt);
	autofree char *path = xasprintf("%s/launched", bundle), *held = NULL;
	autofree char *state = runtime_state(h, bundle);
	json_auto_t *result = json_load_file(path, 0, NULL);
	struct proc init, monitor;
	char id[40];

	/* Both runtimes hold a container that is made by this FIFO until it is started. */
	held = xasprintf("%s/%s/exec.fifo", state, container_id(uid, name, attempt, id));
	if (!result || file_exists(held))
		return NULL;
	container_processes(h, uid, name, attempt, &init, &monitor);
	if (!monitor.pid) /* it has ended, and conmon with it */
		json_object_set_new(result, "monitor", json_integer(0));
	return steal(result);
}

/* A pid from a file may have been given to another process since: does this one belong to us? */
static bool
runs_conmon(pid_t pid, const char *id)
{
	autofree char *path = xasprintf("/proc/%d/cmdline", (int)pid);
	autobuf struct buf b = BUF_INIT;
	struct err ignored;

	return buf_read_file(&b, path, 1 << 16, &ignored) == 0 && b.len > 0 &&
	       memmem(b.data, b.len, id, strlen(id)) != NULL;
}

bool
container_processes(const struct host *h, const char *uid, const char *name, unsigned attempt,
    struct proc *init, struct proc *monitor)
{
	autofree char *bundle = bundle_path(h, uid, name, attempt);
	autofree char *group = container_cgroup(h, uid, name, attempt);
	pid_t pid = read_pid(bundle, "pid"), conmon = read_pid(bundle, "monitor");
	char id[40];

	*init = *monitor = (struct proc){ 0 };
	container_id(uid, name, attempt, id);
	if (conmon <= 0 || !runs_conmon(conmon, id) || !proc_identify(conmon, monitor))
		monitor->pid = 0;
	if (pid <= 0 || !cgroup_contains(group, pid) || !proc_identify(pid, init))
		init->pid = 0;
	return init->pid && monitor->pid;
}

bool
container_exit(const struct host *h, const char *id, int *code, double *when)
{
	autofree char *path = host_path(h, "run/exits/%s", id);
	char line[32];
	struct stat st;

	if (!file_line(path, line, sizeof line) || !*line || stat(path, &st) < 0)
		return false;
	*code = (int)strtol(line, NULL, 10);
	*when = (double)st.st_mtim.tv_sec + (double)st.st_mtim.tv_nsec / 1e9;
	return true;
}

/* The end of a log without the fields before each line. */
static char *
log_tail(const char *path)
{
	autobuf struct buf b = BUF_INIT, out = BUF_INIT;
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct err ignored;
	char *line, *rest;

	if (fd < 0)
		return xstrdup("");
	if (lseek(fd, -8192, SEEK_END) < 0)
		lseek(fd, 0, SEEK_SET);
	if (buf_read_fd(&b, fd, 1 << 20, &ignored) < 0)
		return xstrdup("");
	buf_puts(&out, "");
	for (rest = b.data; (line = strsep(&rest, "\n"));) {
		for (int field = 0; line && field < 3; field++)
			line = (line = strchr(line, ' ')) ? line + 1 : NULL;
		if (line)
			buf_printf(&out, "%s\n", line);
	}
	return xstrdup(out.len > 2048 ? out.data + out.len - 2048 : out.data);
}

char *
container_message(const struct host *h, const json_t *pod, const json_t *container,
    unsigned attempt, unsigned restarts, bool failed)
{
	autofree char *bundle = bundle_path(h, meta_uid(pod), text(container, "name"), attempt);
	autofree char *path = xasprintf("%s/termination-log", bundle);
	autoclose int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char said[4097];
	ssize_t n = fd < 0 ? 0 : read(fd, said, sizeof said - 1);

	said[n > 0 ? n : 0] = '\0';
	if (!*said && failed &&
	    strcmp(text(container, "terminationMessagePolicy"), "FallbackToLogsOnError") == 0) {
		autofree char *log = container_log(h, pod, text(container, "name"), restarts);

		autofree char *tail = log_tail(log);

		return text_mend(tail);
	}
	return text_mend(said);
}
