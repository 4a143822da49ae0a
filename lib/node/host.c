#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/pod.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"
#include "node/files.h"
#include "node/host.h"
#include "node/job.h"
#include "node/scratch.h"

enum { RUNTIME_TIMEOUT = 120 }; /* as the kubelet has it */

char *
host_path(const struct host *h, const char *fmt, ...)
{
	autofree char *rest = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&rest, fmt, ap) < 0)
		abort();
	va_end(ap);
	return xasprintf("%s/%s", h->o.data, rest);
}

static const char *const classes[] = { "/burstable", "/besteffort", "" };

/* Where it is; else NULL. */
static char *
find_cgroup(const struct host *h, const char *uid)
{
	for (size_t i = 0; i < COUNT(classes); i++) {
		autofree char *path = xasprintf("/orch/%s%s/pod%s", h->key, classes[i], uid);

		if (cgroup_exists(&h->cgroups, path))
			return steal(path);
	}
	return NULL;
}

char *
host_cgroup(const struct host *h, const char *uid)
{
	char *found = find_cgroup(h, uid);

	return found ? found : xasprintf("/orch/%s/pod%s", h->key, uid);
}

char *
host_cgroup_of(const struct host *h, const json_t *pod)
{
	const char *qos = pod_qos(pod), *uid = meta_uid(pod);
	char *found = find_cgroup(h, uid);

	if (found)
		return found;
	return xasprintf("/orch/%s%s/pod%s", h->key,
	    strcmp(qos, "Guaranteed") == 0  ? ""
	    : strcmp(qos, "Burstable") == 0 ? "/burstable"
					    : "/besteffort",
	    uid);
}

char *
host_monitors(const struct host *h)
{
	return xasprintf("/orch/%s/monitors", h->key);
}

void
host_set_server(struct host *h, int port, const char *pin)
{
	h->port = port;
	free(h->pin);
	h->pin = xstrdup(pin);
}

int
host_private_mounts(const struct host *h, struct err *err)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_sys(err, errno, "cannot make a mount namespace");
	return cgroup_hide_v2(&h->cgroups, err);
}

int
host_runtime(const struct host *h, const char *const *args, struct buf *out, struct err *err)
{
	return host_runtime_within(h, args, out, 0, err);
}

int
host_runtime_within(
    const struct host *h, const char *const *args, struct buf *out, double seconds, struct err *err)
{
	const char *verb = args[0];
	autofree char *root = xasprintf("--root=%s/run/runtime", h->o.data);
	const char *argv[16] = { h->o.runtime, root };
	size_t n = 2;

	while (*args && n < COUNT(argv) - 1)
		argv[n++] = *args++;
	if (access(h->o.runtime, X_OK) < 0)
		return err_set(err, ERR_UNAVAILABLE, "container runtime is down: '%s': %s",
		    h->o.runtime, strerror(errno));
	if (proc_run_within(argv, NULL, out, seconds, err) == 0)
		return 0;
	return err->code == ERR_TIMEOUT ? err_wrap(err, "runtime call '%s'", verb)
					: -(int)err->code;
}

/* A program by its name or path: absolute, or NULL. */
static char *
find_program(const char *name)
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

/* Piece by piece: where "rootfs" is the machine's own files, nothing may be removed with all that
 * is in it. */
static void
remove_trial(const char *bundle)
{
	autofree char *rootfs = xasprintf("%s/rootfs", bundle),
		      *file = xasprintf("%s/config.json", bundle);

	rmdir(rootfs);
	unlink(file);
	rmdir(bundle);
}

/* Does this runtime really start a container here?  The machine's own files, read only, and `true`.
 */
static int
try_runtime(void *arg, json_t **result, struct err *err)
{
	const struct host *h = arg;
	autofree char *bundle = host_path(h, "run/exec/try.%d", (int)getpid());
	autofree char *rootfs = xasprintf("%s/rootfs", bundle),
		      *file = xasprintf("%s/config.json", bundle);
	autofree char *id = xasprintf("try-%s-%d", h->key, (int)getpid());
	autofree char *group = xasprintf("/orch/%s/%s", h->key, id);
	const char *args[] = { "run", "--bundle", bundle, id, NULL };
	autobuf struct buf config = BUF_INIT;
	struct err ignored;
	int r;

	(void)result;
	buf_printf(&config,
	    "{\"ociVersion\":\"1.0.2\",\"process\":{\"user\":{\"uid\":0,\"gid\":0},\"args\":["
	    "\"true\"],"
	    "\"env\":[\"PATH=/usr/bin:/bin\"],\"cwd\":\"/\"},\"root\":{\"path\":\"rootfs\","
	    "\"readonly\":true},\"mounts\":[{\"destination\":\"/"
	    "proc\",\"type\":\"proc\",\"source\":\"proc\"}],"
	    "\"linux\":{\"cgroupsPath\":\"%s\","
	    "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"}],"
	    "\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}}}",
	    group);
	if ((r = mkdir_all(rootfs, 0700, err)) < 0 ||
	    (r = file_write(file, config.data, config.len, 0600, err)) < 0)
		return r;
	if ((r = host_private_mounts(h, err)) == 0) {
		if (mount("/", rootfs, NULL, MS_BIND, NULL) < 0)
			r = err_sys(err, errno, "cannot mount '%s'", rootfs);
		else
			r = host_runtime_within(h, args, NULL, h->o.runtime_timeout, err);
		umount2(rootfs, MNT_DETACH);
	}
	cgroup_remove(&h->cgroups, group, &ignored);
	remove_trial(bundle);
	return r;
}

/* What a node left that was killed in the middle of that. */
static void
sweep_trials(const struct host *h)
{
	autofree char *run = host_path(h, "run"), *exec = host_path(h, "run/exec");
	DIR *d = opendir(exec);
	struct dirent *e;
	struct err ignored;

	while (d && (e = readdir(d))) {
		autofree char *bundle = xasprintf("%s/%s", exec, e->d_name), *group = NULL,
			      *state = NULL;

		if (text_starts(e->d_name, "tty.")) /* of a terminal */
			unlink(bundle);
		if (!text_starts(e->d_name, "try."))
			continue;
		group = xasprintf("/orch/%s/try-%s-%s", h->key, h->key, e->d_name + strlen("try."));
		state = xasprintf("%s/runtime/try-%s-%s", run, h->key, e->d_name + strlen("try."));
		cgroup_remove(&h->cgroups, group, &ignored);
		tree_remove(state, &ignored);
		remove_trial(bundle);
	}
	if (d)
		closedir(d);
}

static int
use_runtime(struct host *h, const char *name, struct err *err)
{
	const char *base;
	int r;

	free((char *)h->o.runtime);
	if (!(h->o.runtime = find_program(name)))
		return err_set(
		    err, ERR_UNAVAILABLE, "cannot find the container runtime '%s'", name);
	base = strrchr(h->o.runtime, '/') + 1;
	h->crun = text_starts(base, "crun");
	if ((r = job_wait(try_runtime, h, NULL, err)) < 0) {
		struct err why = *err;

		return err_set(err, ERR_UNAVAILABLE,
		    "the container runtime '%s' does not work here: %.700s", name, why.msg);
	}
	return 0;
}

static int
choose_runtime(struct host *h, const char *wanted, struct err *err)
{
	struct err crun, runc;

	h->o.runtime = NULL;
	if (wanted)
		return use_runtime(h, wanted, err);
	if (use_runtime(h, "crun", &crun) == 0 || use_runtime(h, "runc", &runc) == 0)
		return 0;
	return err_set(err, ERR_UNAVAILABLE, "%.450s; %.450s", crun.msg, runc.msg);
}

static int
choose_programs(struct host *h, const struct host_options *o, struct err *err)
{
	static const char *const plugins[] = { "ptp", "host-local" };
	const char *conmon = o->conmon ? o->conmon : "conmon", *cni = o->cni_path;

	if (!cni)
		cni = file_exists("/usr/lib/cni/ptp") || !file_exists("/opt/cni/bin/ptp")
			  ? "/usr/lib/cni"
			  : "/opt/cni/bin";
	h->o.cni_path = xstrdup(cni);
	if (o->cleaning)
		return 0;
	if (!(h->o.conmon = find_program(conmon)))
		return err_set(
		    err, ERR_UNAVAILABLE, "cannot find the container monitor '%s'", conmon);
	for (size_t i = 0; i < COUNT(plugins); i++) {
		autofree char *file = xasprintf("%s/%s", cni, plugins[i]);

		if (access(file, X_OK) < 0)
			return err_set(
			    err, ERR_UNAVAILABLE, "cannot find the CNI plugin '%s'", file);
	}
	sweep_trials(h);
	return choose_runtime(h, o->runtime, err);
}

/* Who this folder's node was, for the one who only cleans up: run/node.json. */
static void
recall(struct host *h)
{
	autofree char *path = host_path(h, "run/node.json");
	json_auto_t *node = NULL;

	if (!h->o.cleaning)
		return;
	node = json_load_file(path, 0, NULL);
	if (!h->o.name && *text(node, "name"))
		h->o.name = xstrdup(text(node, "name"));
	if (!h->o.pod_cidr) /* taking networks down needs one, not that one */
		h->o.pod_cidr = xstrdup(node ? text(node, "podCIDR") : "10.244.0.0/24");
}

void
host_last_cidr(struct host *h)
{
	autofree char *path = host_path(h, "run/node.json");
	json_auto_t *node = json_load_file(path, 0, NULL);

	if (!h->o.pod_cidr && *text(node, "podCIDR") && strcmp(text(node, "name"), h->o.name) == 0)
		h->o.pod_cidr = xstrdup(text(node, "podCIDR"));
}

int
host_set_cidr(struct host *h, const char *cidr, struct err *err)
{
	autofree char *path = host_path(h, "run/node.json");
	json_auto_t *node = json_pack("{s:s, s:s}", "name", h->o.name, "podCIDR", cidr);
	json_auto_t *was = json_load_file(path, 0, NULL);
	autobuf struct buf b = BUF_INIT;
	char *copied = xstrdup(cidr);

	free((char *)h->o.pod_cidr);
	h->o.pod_cidr = copied;
	if (was && json_equal(was, node)) /* a full disk keeps no node from starting again */
		return 0;
	jsonl_add(&b, node);
	return file_swap(path, b.data, b.len, 0600, err);
}

/* Of a node that was killed, the processes it had forked may take a moment to follow it. */
static bool
take_lock(int fd)
{
	struct timespec pause = { 0, 20000000 };

	for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
		if (tries == 100)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static int
open_data(struct host *h, const char *data, struct err *err)
{
	/* Nobody but root looks at secrets, or finds an image's set-user-id programs. */
	static const char *const folders[] = { "pods", "images", "seccomp", "run", "cni" };
	autofree char *lock = NULL;
	int r;

	if ((r = mkdir_all(data, 0711, err)) < 0)
		return r;
	if (!(h->o.data = realpath(data, NULL)))
		return err_sys(err, errno, "cannot use folder '%s'", data);
	for (size_t i = 0; i < COUNT(folders); i++) {
		autofree char *path = host_path(h, "%s", folders[i]);

		if ((r = mkdir_all(path, 0700, err)) < 0)
			return r;
	}
	recall(h);
	h->key = xasprintf("%.40s-%08x", h->o.name ? h->o.name : "none",
	    (unsigned)text_hash(h->o.data, strlen(h->o.data), TEXT_HASH_SEED));
	lock = host_path(h, "run/lock");
	h->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (h->lock < 0)
		return err_sys(err, errno, "cannot open '%s'", lock);
	if (!take_lock(h->lock)) {
		close(h->lock);
		h->lock = -1;
		return err_set(err, ERR_CONFLICT, "another orch-node uses '%s'", h->o.data);
	}
	if ((r = scratch_open(h, err)) < 0)
		return r;
	return images_open(&h->images, h->o.images ? h->o.images : h->o.data, err);
}

static char *
copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

int
host_open(struct host **ret, const struct host_options *o, struct err *err)
{
	struct host *h = xcalloc(1, sizeof *h);
	int r;

	h->o = *o;
	h->lock = -1;
	if (h->o.runtime_timeout <= 0)
		h->o.runtime_timeout = RUNTIME_TIMEOUT;
	h->o.name = copy(o->name);
	h->o.pod_cidr = copy(o->pod_cidr);
	h->o.address = copy(o->address);
	h->o.auth_file = copy(o->auth_file);
	h->o.registries = copy(o->registries);
	h->o.sysctls = copy(o->sysctls);
	h->o.cluster_dns = copy(o->cluster_dns);
	h->o.cluster_domain = copy(o->cluster_domain);
	h->o.images = copy(o->images);
	h->o.data = h->o.runtime = h->o.conmon = h->o.cni_path = NULL;
	cgroup_detect(&h->cgroups);
	if ((r = open_data(h, o->data, err)) < 0 || (r = choose_programs(h, o, err)) < 0) {
		host_close(h);
		return r;
	}
	*ret = h;
	return 0;
}

int
host_peek(struct host **ret, const char *data, const char *runtime, struct err *err)
{
	const char *names[] = { runtime, "crun", "runc" };
	struct host *h = xcalloc(1, sizeof *h);

	h->lock = -1;
	h->o.data = realpath(data, NULL);
	for (size_t i = runtime ? 0 : 1; !h->o.runtime && i < (runtime ? 1 : COUNT(names)); i++)
		h->o.runtime = find_program(names[i]);
	if (h->o.data && h->o.runtime) {
		*ret = h;
		return 0;
	}
	if (!h->o.data)
		err_sys(err, errno, "cannot use folder '%s'", data);
	else
		err_set(err, ERR_UNAVAILABLE, "cannot find the container runtime '%s'",
		    runtime ? runtime : "crun");
	host_close(h);
	return -(int)err->code;
}

void
host_close(struct host *h)
{
	if (!h)
		return;
	if (h->key) {
		autofree char *monitors = host_monitors(h);

		cgroup_remove_empty(&h->cgroups, monitors);
		for (size_t i = 0; i < COUNT(classes); i++) { /* the last is what all are in */
			autofree char *group = xasprintf("/orch/%s%s", h->key, classes[i]);

			cgroup_remove_empty(&h->cgroups, group);
		}
		cgroup_remove_empty(&h->cgroups, "/orch");
	}
	if (h->lock >= 0) {
		scratch_close(h);
		close(h->lock);
	}
	images_close(h->images);
	free(h->key);
	free((char *)h->o.name);
	free((char *)h->o.data);
	free((char *)h->o.runtime);
	free((char *)h->o.conmon);
	free((char *)h->o.cni_path);
	free((char *)h->o.pod_cidr);
	free((char *)h->o.address);
	free((char *)h->o.auth_file);
	free((char *)h->o.registries);
	free((char *)h->o.sysctls);
	free((char *)h->o.cluster_dns);
	free((char *)h->o.cluster_domain);
	free((char *)h->o.images);
	free(h->pin);
	free(h->runtime_down);
	free(h);
}
