#include "node/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/log.h"
#include "base/mem.h"
#include "node/files.h"
#include "node/idrange.h"
#include "node/propagate.h"
#include "node/userspace.h"
#include "node/volume.h"

/* Is it (of) an image volume?  Its layers are mapped already, and an overlay itself cannot be. */
static bool
of_image(const struct making_of *m, const char *destination)
{
	json_t *mount;
	size_t i;

	json_array_foreach (get(m->container, "volumeMounts"), i, mount)
		if (strcmp(text(mount, "mountPath"), destination) == 0)
			return volume_is_image(m->pod, text(mount, "name"));
	return false;
}

static int
mount_plain(const char *from, const char *to, struct err *err)
{
	autoclose int fd = open(from, O_PATH | O_CLOEXEC);

	return fd < 0 ? err_sys(err, errno, "cannot open '%s'", from) : mount_open(fd, to, err);
}

/* What a mount forbids nobody can take back in another user namespace: a runtime that changes one
 * (to read-only) must say it again. */
static void
keep_flags(json_t *mount, const char *at)
{
	static const struct {
		unsigned long flag;
		const char *option;
	} flags[] = { { ST_NOSUID, "nosuid" }, { ST_NODEV, "nodev" }, { ST_NOEXEC, "noexec" },
		{ ST_RDONLY, "ro" } };
	struct statvfs fs;

	if (statvfs(at, &fs) < 0)
		return;
	for (size_t i = 0; i < COUNT(flags); i++)
		if (fs.f_flag & flags[i].flag)
			json_array_append_new(get(mount, "options"), json_string(flags[i].option));
}

static int
move_mounts(const struct making_of *m, json_t *mounts, struct err *err)
{
	autofree char *users = userspace_path(m->host, meta_uid(m->pod));
	json_t *mount;
	size_t i;
	int r;

	json_array_foreach (mounts, i, mount) {
		autofree char *to = xasprintf(STAGE "/%zu", i);
		const char *from = text(mount, "source");

		if (strcmp(text(mount, "type"), "bind") != 0)
			continue;
		r = of_image(m, text(mount, "destination")) ? mount_plain(from, to, err)
							    : idmap_mount(users, from, to, err);
		if (r < 0)
			return err_wrap(err, "mount '%s'", text(mount, "destination"));
		keep_flags(mount, to);
		json_object_set_new(mount, "source", json_string(to));
	}
	return 0;
}

static int
say_map(const struct making_of *m, json_t *config, struct err *err)
{
	static const char *const maps[] = { "uidMappings", "gidMappings" };
	unsigned first;

	if (!ids_have(m->host, meta_uid(m->pod), &first))
		return err_set(err, ERR_CONFLICT, "the user namespace of its pod has gone");
	for (size_t i = 0; i < COUNT(maps); i++)
		put(config,
		    json_pack("[{s:i, s:I, s:i}]", "containerID", 0, "hostID", (json_int_t)first,
			"size", (int)IDS_PER_POD),
		    "linux", maps[i]);
	return 0;
}

int
stage_empty(struct err *err)
{
	int r;

	if ((r = mkdir_all(STAGE, 0755, err)) < 0)
		return r;
	chmod("/run/orch", 0755); /* the pod's users pass through it, whatever umask made it */
	if (mount("stage", STAGE, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") < 0)
		return err_sys(err, errno, "cannot mount '%s'", STAGE);
	return 0;
}

int
stage_make(const struct making_of *m, json_t *config, struct err *err)
{
	autofree char *rootfs = xasprintf("%s/rootfs", m->bundle);
	int r;

	if ((r = say_map(m, config, err)) < 0 || (r = stage_empty(err)) < 0)
		return r;
	if ((r = mount_plain(rootfs, STAGE "/rootfs", err)) < 0)
		return r;
	put(config, json_string(STAGE "/rootfs"), "root", "path");
	return move_mounts(m, get(config, "mounts"), err);
}

void
stage_open_output(const json_t *pod, pid_t pid)
{
	for (int i = 0; pod_maps_users(pod) && pid > 0 && i < 3; i++) {
		autofree char *path = xasprintf("/proc/%d/fd/%d", (int)pid, i);
		struct stat st;

		if (stat(path, &st) == 0 && S_ISFIFO(st.st_mode) && chmod(path, 0666) < 0)
			log_more("cannot open a pipe to its container: %s", strerror(errno));
	}
}

int
layers_enter(const struct host *h, const json_t *pod, const char *at, struct err *err)
{
	const char *layers = images_layers(h->images), *to = layers;
	int r;

	if (pod_maps_users(pod)) {
		autofree char *users = userspace_path(h, meta_uid(pod));

		if ((r = idmap_mount(users, layers, at, err)) < 0)
			return r;
		to = at;
	}
	return chdir(to) < 0 ? err_sys(err, errno, "cannot change to '%s'", to) : 0;
}

void
layers_leave(const json_t *pod, const char *at)
{
	if (pod_maps_users(pod) && chdir("/") == 0)
		umount2(at, MNT_DETACH);
}
