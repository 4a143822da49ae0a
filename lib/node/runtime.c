#include "node/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"
#include "node/files.h"
#include "node/idrange.h"
#include "node/job.h"
#include "node/propagate.h"
#include "node/stage.h"
#include "node/userspace.h"

enum { MAX_NOTE = 8192 };

/* Where a container that begins now has its state, below the node's folder (which may move). */
static char *
state_now(const struct host *h, const char *runtime)
{
	if (!h->o.runtime || strcmp(runtime, h->o.runtime) == 0)
		return xstrdup("run/runtime");
	return xasprintf("run/handlers/%s", strrchr(runtime, '/') + 1);
}

static int
run(const char *runtime, const char *state, const char *const *args, struct buf *out,
    double seconds, struct err *err)
{
	autofree char *root = xasprintf("--root=%s", state);
	const char *argv[16] = { runtime, root }, *verb = args[0];
	size_t n = 2;
	int r;

	while (*args && n < COUNT(argv) - 1)
		argv[n++] = *args++;
	if ((r = runtime_there(runtime, err)) < 0)
		return r;
	if (proc_run_within(argv, NULL, out, seconds, err) == 0)
		return 0;
	return err->code == ERR_TIMEOUT ? err_wrap(err, "runtime call '%s'", verb)
					: -(int)err->code;
}

int
runtime_run(const struct host *h, const char *bundle, const char *const *args, struct buf *out,
    double seconds, struct err *err)
{
	autofree char *runtime = bundle ? runtime_of_bundle(h, bundle) : xstrdup(h->o.runtime);
	autofree char *state = bundle ? runtime_state(h, bundle) : host_path(h, "run/runtime");

	return run(runtime, state, args, out, seconds, err);
}

int
runtime_there(const char *runtime, struct err *err)
{
	if (access(runtime, X_OK) == 0)
		return 0;
	return err_set(
	    err, ERR_UNAVAILABLE, "container runtime is down: '%s': %s", runtime, strerror(errno));
}

char *
runtime_find(const char *name)
{
	static const char folders[] =
	    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	const char *path = getenv("PATH");

	if (strchr(name, '/'))
		return access(name, X_OK) == 0 ? realpath(name, NULL) : NULL;
	for (int pass = 0; pass < 2; pass++) {
		autofree char *copy = xstrdup(pass ? folders : path ? path : "");

		for (char *rest = copy, *folder; (folder = strsep(&rest, ":"));) {
			autofree char *file = xasprintf("%s/%s", folder, name);

			if (*folder == '/' && access(file, X_OK) == 0)
				return steal(file);
		}
	}
	return NULL;
}

/* --- does it work? ---------------------------------------------------------------------------- */

struct attempt {
	const struct host *host;
	const char *runtime;
	bool users; /* in a user namespace */
};

static void
write_config(const struct attempt *a, const char *group, const char *root, struct buf *config)
{
	static const char user[] = ",{\"type\":\"user\"}";
	static const char dev[] =
	    ",{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}";
	static const char map[] = "[{\"containerID\":0,\"hostID\":65536,\"size\":65536}]";

	buf_printf(config,
	    "{\"ociVersion\":\"1.0.2\",\"process\":{\"user\":{\"uid\":0,\"gid\":0},\"args\":["
	    "\"true\"],\"env\":[\"PATH=/usr/bin:/bin\"],\"cwd\":\"/\"},\"root\":{\"path\":\"%s\","
	    "\"readonly\":true},\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\","
	    "\"source\":\"proc\"}%s],\"linux\":{\"cgroupsPath\":\"%s\",%s%s%s%s%s"
	    "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"}%s],"
	    "\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}}}",
	    root, a->users ? dev : "", group, a->users ? "\"uidMappings\":" : "",
	    a->users ? map : "", a->users ? ",\"gidMappings\":" : "", a->users ? map : "",
	    a->users ? "," : "", a->users ? user : "");
}

/* The machine's own files, read only, and `true`. */
static int
try_in(const struct attempt *a, const char *id, const char *bundle, struct err *err)
{
	const char *args[] = { "run", "--bundle", bundle, id, NULL };
	autofree char *folder = state_now(a->host, a->runtime),
		      *state = host_path(a->host, "%s", folder);
	int r;

	if ((r = host_private_mounts(a->host, err)) < 0 || (r = stage_empty(err)) < 0 ||
	    (r = mkdir_all(STAGE "/rootfs", 0755, err)) < 0)
		return r;
	if (mount("/", STAGE "/rootfs", NULL, MS_BIND, NULL) < 0)
		return err_sys(err, errno, "cannot mount '%s'", STAGE "/rootfs");
	return run(a->runtime, state, args, NULL, a->host->o.runtime_timeout, err);
}

/* Piece by piece: nothing is removed with all that is in it, whatever that is. */
static void
remove_trial(const char *bundle)
{
	autofree char *file = xasprintf("%s/config.json", bundle);

	unlink(file);
	rmdir(bundle);
}

static int
try_runtime(void *arg, json_t **result, struct err *err)
{
	const struct attempt *a = arg;
	autofree char *bundle = host_path(a->host, "run/exec/try.%d", (int)getpid());
	autofree char *file = xasprintf("%s/config.json", bundle);
	autofree char *id = xasprintf("try-%s-%d", a->host->key, (int)getpid());
	autofree char *group = xasprintf("/orch/%s/%s", a->host->key, id);
	autobuf struct buf config = BUF_INIT;
	struct err ignored;
	int r;

	(void)result;
	write_config(a, group, STAGE "/rootfs", &config);
	if ((r = mkdir_all(bundle, 0700, err)) == 0 &&
	    (r = file_write(file, config.data, config.len, 0600, err)) == 0)
		r = try_in(a, id, bundle, err);
	cgroup_remove(&a->host->cgroups, group, &ignored);
	remove_trial(bundle);
	return r;
}

/* What a node left that was killed in the middle of that. */
static void
sweep_trials(const struct host *h)
{
	autofree char *exec = host_path(h, "run/exec");
	DIR *d = opendir(exec);
	struct dirent *e;
	struct err ignored;

	while (d && (e = readdir(d))) {
		autofree char *bundle = xasprintf("%s/%s", exec, e->d_name), *group = NULL;

		if (text_starts(e->d_name, "tty.")) /* of a terminal */
			unlink(bundle);
		if (!text_starts(e->d_name, "try."))
			continue;
		group = xasprintf("/orch/%s/try-%s-%s", h->key, h->key, e->d_name + strlen("try."));
		cgroup_remove(&h->cgroups, group, &ignored);
		for (size_t i = 0; i < h->handlers; i++) {
			autofree char *state = state_now(h, h->handler[i].path);
			autofree char *its =
			    host_path(h, "%s/try-%s-%s", state, h->key, e->d_name + strlen("try."));

			tree_remove(its, &ignored);
		}
		remove_trial(bundle);
	}
	if (d)
		closedir(d);
}

static int
try_it(const struct host *h, const char *path, const char *name, struct err *err)
{
	struct attempt a = { h, path, false };
	struct err why;

	if (job_wait(try_runtime, &a, NULL, &why) == 0)
		return 0;
	return err_set(err, ERR_UNAVAILABLE,
	    "the container runtime '%s' does not work here: %.700s", name, why.msg);
}

static int
try_users(void *arg, json_t **result, struct err *err)
{
	const struct attempt *a = arg;
	int r = userspace_possible(a->host, err);

	return r < 0 ? r : try_runtime(arg, result, err);
}

void
runtimes_try(struct host *h)
{
	for (size_t i = 0; i < h->handlers; i++) {
		struct attempt a = { h, h->handler[i].path, true };
		struct err err;

		h->handler[i].users = job_wait(try_users, &a, NULL, &err) == 0;
		h->handler[i].tried = true;
		if (!h->handler[i].users)
			h->handler[i].why = xstrdup(err.msg);
	}
}

/* --- which there are -------------------------------------------------------------------------- */

static int
add(struct host *h, const char *name, const char *program, struct err *err)
{
	autofree char *path = runtime_find(program);
	int r;

	if (!path)
		return err_set(
		    err, ERR_UNAVAILABLE, "cannot find the container runtime '%s'", program);
	if (runtime_handler(h, name))
		return err_set(err, ERR_INVALID, "there are two runtime handlers '%s'", name);
	if ((r = try_it(h, path, program, err)) < 0)
		return r;
	h->handler = xreallocarray(h->handler, h->handlers + 1, sizeof *h->handler);
	h->handler[h->handlers++] = (struct handler){ .name = xstrdup(name), .path = steal(path) };
	return 0;
}

static int
add_default(struct host *h, const char *wanted, struct err *err)
{
	struct err crun, runc;

	if (wanted)
		return add(h, "", wanted, err);
	if (add(h, "", "crun", &crun) == 0 || add(h, "", "runc", &runc) == 0)
		return 0;
	return err_set(err, ERR_UNAVAILABLE, "%.450s; %.450s", crun.msg, runc.msg);
}

/* A DNS label, as RuntimeClass.handler is one. */
static bool
is_label(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n > 0 && n < 64 && s[n] == '\0' && s[0] != '-' && s[n - 1] != '-';
}

int
runtimes_open(struct host *h, const struct host_options *o, struct err *err)
{
	int r;

	if ((r = add_default(h, o->runtime, err)) < 0)
		return r;
	h->o.runtime = xstrdup(h->handler[0].path);
	for (size_t i = 0; i < o->handlers.n; i++) {
		autofree char *one = xstrdup(o->handlers.item[i]);
		char *path = strchr(one, '=');

		if (path)
			*path++ = '\0';
		if (!path || !*path || !is_label(one))
			return err_set(err, ERR_INVALID,
			    "runtime handler '%s' is not NAME=PATH with a name of small letters, "
			    "digits and '-'",
			    one);
		if ((r = add(h, one, path, err)) < 0)
			return err_wrap(err, "runtime handler '%s'", one);
	}
	sweep_trials(h);
	return 0;
}

void
runtimes_sweep(const struct host *h)
{
	autofree char *handlers = host_path(h, "run/handlers");
	DIR *d = opendir(handlers); /* also of those that we know no more */
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR); /* when it is empty */
	if (d)
		closedir(d);
}

void
runtimes_close(struct host *h)
{
	for (size_t i = 0; i < h->handlers; i++) {
		free(h->handler[i].name);
		free(h->handler[i].path);
		free(h->handler[i].why);
	}
	free(h->handler);
	free((char *)h->o.runtime);
}

const struct handler *
runtime_handler(const struct host *h, const char *name)
{
	for (size_t i = 0; i < h->handlers; i++)
		if (strcmp(h->handler[i].name, name) == 0)
			return &h->handler[i];
	return NULL;
}

/* --- which a pod has -------------------------------------------------------------------------- */

static int
class_handler(const json_t *pod, const json_t *sources, const char **ret, struct err *err)
{
	const char *class = text(pod, "spec", "runtimeClassName");
	autofree char *key = xasprintf("RuntimeClass/%s", class);
	const json_t *obj = json_object_get(sources, key);

	*ret = "";
	if (!*class)
		return 0;
	if (json_is_true(obj))
		return err_set(err, ERR_UNAVAILABLE,
		    "failed to lookup RuntimeClass %s: the server does not answer", class);
	if (!json_is_object(obj))
		return err_set(
		    err, ERR_NOT_FOUND, "runtimeclass.node.k8s.io \"%s\" not found", class);
	*ret = text(obj, "handler");
	return 0;
}

/* Two lines: which it is, and where it keeps its state.  What the node's own is may change. */
static int
note(const char *file, const char *runtime, const char *state, struct err *err)
{
	autofree char *lines = xasprintf("%s\n%s\n", runtime, state);

	return file_write(file, lines, strlen(lines), 0600, err);
}

int
runtime_choose(const struct host *h, const json_t *pod, const json_t *sources, struct err *err)
{
	autofree char *file = host_path(h, "pods/%s/ns/runtime", meta_uid(pod)), *state = NULL;
	const struct handler *handler;
	const char *name;
	int r;

	if ((r = class_handler(pod, sources, &name, err)) < 0)
		return r;
	if (!(handler = runtime_handler(h, name)))
		return err_set(err, ERR_NOT_FOUND,
		    "failed to get sandbox runtime: no runtime for \"%s\" is configured", name);
	if (pod_maps_users(pod) && handler->tried && !handler->users)
		return err_set(err, ERR_INVALID,
		    "can't set `spec.hostUsers: false`, %s%s%sdoes not support user namespaces: %s",
		    *name ? "RuntimeClass handler \"" : "runtime", name, *name ? "\" " : " ",
		    handler->why);
	state = state_now(h, handler->path);
	return note(file, handler->path, state, err);
}

static char *
noted(const struct host *h, const char *file)
{
	char line[4096];

	if (file_line(file, line, sizeof line) && *line)
		return xstrdup(line);
	return xstrdup(h->o.runtime ? h->o.runtime : "/usr/bin/crun");
}

/* A record of an older orch-node has no second line. */
static char *
noted_state(const struct host *h, const char *file)
{
	autofree char *runtime = noted(h, file);
	autobuf struct buf b = BUF_INIT;
	struct err ignored;
	char *line = NULL;

	if (buf_read_file(&b, file, MAX_NOTE, &ignored) == 0 && b.data)
		line = strchr(b.data, '\n');
	if (!line || line[1] == '\0')
		return state_now(h, runtime);
	return xstrndup(line + 1, strcspn(line + 1, "\n"));
}

int
runtime_note(const struct host *h, const char *uid, const char *bundle, struct err *err)
{
	autofree char *from = host_path(h, "pods/%s/ns/runtime", uid), *path = noted(h, from);
	autofree char *file = xasprintf("%s/runtime", bundle), *state = noted_state(h, from);

	return note(file, path, state, err);
}

char *
runtime_of_bundle(const struct host *h, const char *bundle)
{
	autofree char *file = xasprintf("%s/runtime", bundle);

	return noted(h, file);
}

char *
runtime_state(const struct host *h, const char *bundle)
{
	autofree char *file = xasprintf("%s/runtime", bundle), *state = noted_state(h, file);

	return host_path(h, "%s", state);
}
