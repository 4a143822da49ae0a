#include "node/bundle.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "node/files.h"
#include "node/idrange.h"
#include "node/pidspace.h"
#include "node/pull.h"
#include "node/spec.h"
#include "node/stage.h"
#include "node/userspace.h"
#include "node/volume.h"

static int
mount_rootfs(const struct start *s, const char *bundle, const struct image *image, struct err *err)
{
	static const char *const folders[] = { "rootfs", "upper", "work" };
	autofree char *lower = image_lowerdir(image), *rootfs = xasprintf("%s/rootfs", bundle);
	autofree char *layers = xasprintf("%s/layers", bundle);
	autofree char *options =
	    xasprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lower, bundle, bundle);
	autofree char *upper = xasprintf("%s/upper", bundle);
	unsigned first;
	int r;

	for (size_t i = 0; i < COUNT(folders); i++) {
		autofree char *path = xasprintf("%s/%s", bundle, folders[i]);

		if ((r = mkdir_all(path, 0755, err)) < 0)
			return r;
	}
	if (pod_maps_users(s->pod) && ids_have(s->host, meta_uid(s->pod), &first) &&
	    chown(upper, first, first) < 0)
		return err_sys(err, errno, "cannot set the owner of '%s'", upper);
	if (strlen(options) > 4000)
		return err_set(
		    err, ERR_INVALID, "image '%s' has too many layers for one mount", image->ref);
	if ((r = layers_enter(s->host, s->pod, layers, err)) < 0)
		return r;
	if (mount("overlay", rootfs, "overlay", 0, options) < 0)
		r = err_sys(err, errno, "cannot mount the layers of image '%s'", image->ref);
	layers_leave(s->pod, layers);
	return r;
}

int
bundle_make(const struct start *s, const struct image *image, const char *bundle, json_t **user,
    struct err *err)
{
	const char *name = text(s->container, "name");
	autofree char *above = host_cgroup_of(s->host, s->pod);
	autofree char *group = xasprintf("%s/%s-%u", above, name, s->attempt);
	autofree char *file = xasprintf("%s/config.json", bundle);
	struct making_of m = { s->host, s->pod, s->container, s->sources, image, s->ip, bundle,
		group, s->target };
	autobuf struct buf b = BUF_INIT;
	json_auto_t *config = NULL;
	int r;

	if ((r = mount_rootfs(s, bundle, image, err)) < 0 ||
	    (r = spec_make(&m, &config, err)) < 0 ||
	    (pod_maps_users(s->pod) && (r = stage_make(&m, config, err)) < 0))
		return r;
	json_add(&b, config);
	*user = json_incref(get(config, "process", "user"));
	return file_write(file, b.data, b.len, 0600, err);
}

/* The pod's namespaces are named by their paths, which need not lead anywhere yet. */
static int
pretend_sandbox(const struct start *s, struct err *err)
{
	static const char *const parts[] = { "ns/net", "ns/ipc", "ns/uts", "ns/pid", "etc/hosts",
		"etc/hostname", "etc/resolv.conf" };
	static const char *const folders[] = { "ns", "etc", "shm" };
	const char *uid = meta_uid(s->pod);
	int r;

	for (size_t i = 0; i < COUNT(folders); i++) {
		autofree char *path = host_path(s->host, "pods/%s/%s", uid, folders[i]);

		if ((r = mkdir_all(path, 0700, err)) < 0)
			return r;
	}
	for (size_t i = 0; i < COUNT(parts); i++) {
		autofree char *path = host_path(s->host, "pods/%s/%s", uid, parts[i]);
		bool shared = (i == 1 && truth(get(s->pod, "spec", "hostIPC"))) ||
			      ((i == 0 || i == 2) && truth(get(s->pod, "spec", "hostNetwork"))) ||
			      (i == 3 && !pod_shares_processes(s->pod));

		if (!shared && (r = file_write(path, "", 0, 0600, err)) < 0)
			return r;
	}
	if (pod_maps_users(s->pod) && (r = userspace_make(s->host, uid, 0, err)) < 0)
		return r;
	return volumes_up(s->host, s->pod, s->sources, s->ip, err);
}

int
bundle_describe(void *start, json_t **result, struct err *err)
{
	const struct start *s = start;
	autofree char *bundle = host_path(
	    s->host, "pods/%s/containers/%s-0", meta_uid(s->pod), text(s->container, "name"));
	autofree char *file = xasprintf("%s/config.json", bundle);
	autobuf struct buf b = BUF_INIT;
	json_auto_t *user = NULL;
	const char *reason;
	struct image image;
	int r;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, errno, "cannot make a mount namespace");
	if ((r = pretend_sandbox(s, err)) < 0 || (r = pull_if_needed(s->host, s->pod, s->container,
						      s->sources, &image, &reason, err)) < 0)
		return r;
	if ((r = bundle_make(s, &image, bundle, &user, err)) == 0 &&
	    (r = buf_read_file(&b, file, 16 << 20, err)) == 0)
		*result = json_loadb(b.data, b.len, 0, NULL);
	image_release(&image);
	userspace_end(s->host, meta_uid(s->pod));
	return r;
}
