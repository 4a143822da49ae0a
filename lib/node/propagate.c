#include "node/propagate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/files.h"
#include "node/userspace.h"
#include "node/volume.h"

bool
propagates(const json_t *mount)
{
	return strcmp(text(mount, "mountPropagation"), "Bidirectional") == 0;
}

char *
propagate_path(const char *bundle, size_t i)
{
	return xasprintf("%s/shared/%zu", bundle, i);
}

/* Is the mount that a path is on shared?  *point: where that is mounted, new. */
static bool
is_shared(const char *path, char **point)
{
	autofclose FILE *f = fopen("/proc/self/mountinfo", "re");
	struct statx st = { 0 };
	autofree char *line = NULL;
	size_t size = 0;
	bool shared = false;

	if (!f || statx(AT_FDCWD, path, 0, STATX_MNT_ID, &st) < 0)
		return false;
	while (getline(&line, &size, f) > 0) {
		unsigned long long id;
		char *optional = strstr(line, " - "), at[4096];

		if (!optional || sscanf(line, "%llu %*s %*s %*s %4095s", &id, at) != 2 ||
		    id != st.stx_mnt_id)
			continue;
		*optional = '\0';
		shared = strstr(line, " shared:") != NULL;
		free(*point);
		*point = xstrdup(at);
	}
	return shared;
}

static int
hold(int *fd, const struct host *h, const json_t *pod, const char *name, struct err *err)
{
	autofree char *path = NULL, *point = xstrdup("?");
	int r;

	if ((r = volume_path(h, pod, name, &path, err)) < 0)
		return r;
	if (!is_shared(path, &point))
		return err_set(err, ERR_INVALID,
		    "path \"%s\" is mounted on \"%s\" but it is not a shared mount", path, point);
	*fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	return *fd < 0 ? err_sys(err, errno, "cannot clone the mounts of '%s'", path) : 0;
}

int
propagate_hold(struct held *ret, const struct host *h, const json_t *pod, const json_t *container,
    struct err *err)
{
	const json_t *mounts = get(container, "volumeMounts");
	json_t *mount;
	size_t i;
	int r;

	*ret = (struct held){ .n = json_array_size(mounts) };
	ret->fd = xcalloc(ret->n + 1, sizeof *ret->fd);
	for (i = 0; i < ret->n; i++)
		ret->fd[i] = -1;
	json_array_foreach (mounts, i, mount) {
		if (!propagates(mount))
			continue;
		if (!truth(get(container, "securityContext", "privileged")))
			return err_set(err, ERR_INVALID,
			    "Bidirectional mount propagation is available only to privileged "
			    "containers");
		if (pod_maps_users(pod)) /* the kernel lets nothing out of another's namespace */
			return err_set(err, ERR_INVALID,
			    "Bidirectional mount propagation is not available when `hostUsers` is "
			    "false");
		if ((r = hold(&ret->fd[i], h, pod, text(mount, "name"), err)) < 0)
			return r;
	}
	return 0;
}

int
mount_attach(int tree, const char *path, struct err *err)
{
	autofree char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	struct stat st;
	int r;

	if (fstat(tree, &st) < 0)
		return err_sys(err, errno, "cannot look at what to mount");
	r = S_ISDIR(st.st_mode) ? mkdir_all(path, 0700, err) : mkdir_all(folder, 0700, err);
	if (r == 0 && !S_ISDIR(st.st_mode))
		r = file_write(path, "", 0, 0600, err);
	if (r < 0)
		return r;
	if (move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, errno, "cannot mount '%s'", path);
	return 0;
}

int
propagate_place(const struct held *held, const char *bundle, struct err *err)
{
	int r;

	for (size_t i = 0; i < held->n; i++) {
		autofree char *path = propagate_path(bundle, i);

		if (held->fd[i] >= 0 && (r = mount_attach(held->fd[i], path, err)) < 0)
			return r;
	}
	return 0;
}

void
propagate_release(struct held *held)
{
	for (size_t i = 0; i < held->n; i++)
		if (held->fd[i] >= 0)
			close(held->fd[i]);
	free(held->fd);
}

int
mount_open(int fd, const char *path, struct err *err)
{
	autoclose int tree =
	    open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (tree < 0)
		return err_sys(err, errno, "cannot take hold of '%s'", path);
	return mount_attach(tree, path, err);
}
