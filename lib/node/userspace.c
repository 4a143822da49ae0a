#include "node/userspace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/files.h"
#include "node/idrange.h"
#include "node/propagate.h"

bool
pod_maps_users(const json_t *pod)
{
	return json_is_false(get(pod, "spec", "hostUsers"));
}

char *
userspace_path(const struct host *h, const char *uid)
{
	return host_path(h, "pods/%s/ns/user", uid);
}

/* --- a process that has them until they are pinned ----------------------------------------- */

struct holder {
	pid_t pid;
	int end; /* closed, it goes */
};

/* It says so through `out` and waits until nobody has the other end of `in`. */
_Noreturn static void
hold(int flags, int out, int in)
{
	char one;

	if (unshare(CLONE_NEWUSER | flags) < 0 || write(out, "", 1) != 1)
		_exit(3);
	close(out);
	while (read(in, &one, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

static void
holder_end(struct holder *holder)
{
	int status;

	close(holder->end);
	while (waitpid(holder->pid, &status, 0) < 0 && errno == EINTR)
		;
}

static int
holder_start(struct holder *ret, int flags, struct err *err)
{
	int ready[2], end[2];
	ssize_t n;
	char one;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	if (pipe2(end, O_CLOEXEC) < 0) {
		close(ready[0]);
		close(ready[1]);
		return err_sys(err, errno, "cannot make a pipe");
	}
	if ((ret->pid = fork()) == 0) {
		close(end[1]);
		hold(flags, ready[1], end[0]);
	}
	close(ready[1]);
	close(end[0]);
	ret->end = end[1];
	n = ret->pid < 0 ? -1 : read(ready[0], &one, 1);
	close(ready[0]);
	if (n == 1)
		return 0;
	if (ret->pid > 0)
		holder_end(ret);
	return err_set(err, ERR_INTERNAL, "cannot make a user namespace");
}

static int
map_ids(pid_t pid, unsigned first, struct err *err)
{
	static const char *const files[] = { "uid_map", "gid_map" };
	char line[64];
	int r;

	snprintf(line, sizeof line, "0 %u %d\n", first, (int)IDS_PER_POD);
	for (size_t i = 0; i < COUNT(files); i++) {
		autofree char *path = xasprintf("/proc/%d/%s", (int)pid, files[i]);

		if ((r = file_write(path, line, strlen(line), 0, err)) < 0)
			return err_wrap(err, "cannot map the pod's ids");
	}
	return 0;
}

static int
enter(pid_t pid, int flags, struct err *err)
{
	autoclose int fd = flags ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (flags && (fd < 0 || setns(fd, flags) < 0))
		return err_sys(err, errno, "cannot enter the pod's namespaces");
	return 0;
}

static int
pin(pid_t pid, const char *path, struct err *err)
{
	autofree char *from = xasprintf("/proc/%d/ns/user", (int)pid);
	int r;

	if ((r = file_write(path, "", 0, 0600, err)) < 0)
		return r;
	if (mount(from, path, NULL, MS_BIND, NULL) < 0)
		return err_sys(err, errno, "cannot pin the user namespace at '%s'", path);
	return 0;
}

int
userspace_make(const struct host *h, const char *uid, int flags, struct err *err)
{
	autofree char *path = userspace_path(h, uid);
	struct holder holder;
	unsigned first;
	int r;

	if ((r = ids_take(h, uid, &first, err)) < 0)
		return err_wrap(err, "create user namespace");
	if ((r = holder_start(&holder, flags, err)) < 0)
		return r;
	if ((r = map_ids(holder.pid, first, err)) == 0 && (r = pin(holder.pid, path, err)) == 0)
		r = enter(holder.pid, flags, err);
	holder_end(&holder);
	return r;
}

bool
userspace_alive(const struct host *h, const char *uid)
{
	autofree char *path = userspace_path(h, uid);
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

void
userspace_end(const struct host *h, const char *uid)
{
	autofree char *path = userspace_path(h, uid);

	umount2(path, MNT_DETACH);
	ids_free(h, uid);
}

/* --- mounts ----------------------------------------------------------------------------------- */

/* A copy of the mounts at `from`, the topmost with its ids mapped; a descriptor, or negative. */
static int
idmap_open(int users, const char *from, struct err *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned)users };
	autoclose int tree =
	    open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	int ret;

	if (tree < 0)
		return err_sys(err, errno, "cannot take hold of '%s'", from);
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
		return err_sys(err, errno, "cannot map the ids of '%s'", from);
	ret = tree;
	tree = -1;
	return ret;
}

int
idmap_mount(const char *users, const char *from, const char *to, struct err *err)
{
	autoclose int fd = open(users, O_RDONLY | O_CLOEXEC), tree = -1;
	int r;

	if (fd < 0)
		return err_sys(err, errno, "cannot open user namespace '%s'", users);
	if ((tree = idmap_open(fd, from, err)) < 0)
		return tree;
	if ((r = mount_attach(tree, to, err)) < 0)
		return r;
	return 0;
}

/* Tries it with a map of no account. */
int
userspace_possible(const struct host *h, struct err *err)
{
	autofree char *pods = host_path(h, "pods"), *users = NULL;
	const char *const folders[] = { pods, images_layers(h->images) };
	struct holder holder;
	autoclose int fd = -1;
	int r;

	if ((r = holder_start(&holder, 0, err)) < 0)
		return r;
	users = xasprintf("/proc/%d/ns/user", (int)holder.pid);
	if ((r = map_ids(holder.pid, IDS_PER_POD, err)) == 0 &&
	    (fd = open(users, O_RDONLY | O_CLOEXEC)) < 0)
		r = err_sys(err, errno, "cannot open a user namespace");
	for (size_t i = 0; r == 0 && i < COUNT(folders); i++) {
		int tree = idmap_open(fd, folders[i], err);

		if (tree >= 0)
			close(tree);
		r = tree < 0 ? tree : 0;
	}
	holder_end(&holder);
	return r;
}
