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
#include "node/runtime.h"
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
	if (!(h->o.conmon = runtime_find(conmon)))
		return err_set(
		    err, ERR_UNAVAILABLE, "cannot find the container monitor '%s'", conmon);
	for (size_t i = 0; i < COUNT(plugins); i++) {
		autofree char *file = xasprintf("%s/%s", cni, plugins[i]);

		if (access(file, X_OK) < 0)
			return err_set(
			    err, ERR_UNAVAILABLE, "cannot find the CNI plugin '%s'", file);
	}
	return runtimes_open(h, o, err);
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
		h->o.pod_cidr =
		    xstrdup(*text(node, "podCIDR") ? text(node, "podCIDR") : "10.244.0.0/24");
}

/* Before anything is made on this machine under that name: whoever cleans up is to know it. */
static int
note_name(struct host *h, struct err *err)
{
	autofree char *path = host_path(h, "run/node.json");
	json_auto_t *was = json_load_file(path, 0, NULL), *node = NULL;
	autobuf struct buf b = BUF_INIT;

	if (h->o.cleaning || !h->o.name || strcmp(text(was, "name"), h->o.name) == 0)
		return 0;
	node = json_pack("{s:s}", "name", h->o.name);
	jsonl_add(&b, node);
	return file_swap(path, b.data, b.len, 0600, err);
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
	if ((r = note_name(h, err)) < 0 || (r = scratch_open(h, err)) < 0)
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

	umask(
	    022); /* pods' users pass through control groups and folders; what is secret says so */
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
		h->o.runtime = runtime_find(names[i]);
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
		runtimes_sweep(h);
		scratch_close(h);
		close(h->lock);
	}
	images_close(h->images);
	free(h->key);
	free((char *)h->o.name);
	free((char *)h->o.data);
	runtimes_close(h);
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
