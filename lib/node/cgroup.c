#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "node/cgroup.h"
#include "node/files.h"

static const char root[] = "/sys/fs/cgroup";
static const char unified[] = "/sys/fs/cgroup/unified";

/* Is it one of the words of a file of a v2 tree? */
static bool
controls(const char *tree, const char *controller)
{
	autofree char *file = xasprintf("%s/cgroup.controllers", tree);
	char line[256], *rest = line;

	if (!file_line(file, line, sizeof line))
		return false;
	for (char *word; (word = strsep(&rest, " "));)
		if (strcmp(word, controller) == 0)
			return true;
	return false;
}

static void
detect_huge(struct cgroups *ret)
{
	if (controls(ret->v2 ? root : unified, "hugetlb"))
		ret->huge = ret->v2 ? HUGE_RUNTIME : HUGE_OURS;
	else if (!ret->v2 && file_exists("/sys/fs/cgroup/hugetlb/cgroup.procs"))
		ret->huge = HUGE_RUNTIME;
}

void
cgroup_detect(struct cgroups *ret)
{
	struct statfs fs;
	char line[256];

	*ret = (struct cgroups){ 0 };
	ret->v2 = statfs(root, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
	if (ret->v2)
		ret->cpu = controls(root, "cpu");
	else
		ret->cpu = file_exists("/sys/fs/cgroup/cpu");
	if (!ret->v2 && statfs(unified, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
		ret->hide_v2 =
		    file_line("/sys/fs/cgroup/unified/cgroup.controllers", line, sizeof line) &&
		    *line;
	detect_huge(ret);
}

int
cgroup_hide_v2(const struct cgroups *c, struct err *err)
{
	if (!c->hide_v2)
		return 0;
	/* What the runtime makes there even so goes with this mount namespace. */
	if (umount2(unified, MNT_DETACH) < 0 || mount("none", unified, "tmpfs", 0, "size=1m") < 0)
		return err_sys(err, errno, "cannot hide '%s' from the runtime", unified);
	return 0;
}

/* Call `work` with the folder of `path` in each tree; stops at the first failure. */
static int
each_tree(const struct cgroups *c, const char *path,
    int (*work)(const char *folder, void *arg, struct err *err), void *arg, struct err *err)
{
	DIR *d;
	struct dirent *e;
	int r = 0;

	if (c->v2) {
		autofree char *folder = xasprintf("%s%s", root, path);

		return work(folder, arg, err);
	}
	if (!(d = opendir(root)))
		return err_sys(err, errno, "cannot read '%s'", root);
	while (r == 0 && (e = readdir(d))) {
		autofree char *folder = NULL;

		/* "cpu,cpuacct" and its links "cpu" and "cpuacct" are one tree */
		if (e->d_name[0] == '.' || e->d_type == DT_LNK)
			continue;
		folder = xasprintf("%s/%s%s", root, e->d_name, path);
		r = work(folder, arg, err);
	}
	closedir(d);
	return r;
}

/* v2: let the groups below have these controllers; each alone, one may be missing. */
static void
delegate(const char *folder)
{
	static const char *const controllers[] = { "+cpu", "+memory", "+pids", "+cpuset", "+io" };
	autofree char *file = xasprintf("%s/cgroup.subtree_control", folder);
	struct err ignored;

	for (size_t i = 0; i < COUNT(controllers); i++)
		file_write(file, controllers[i], strlen(controllers[i]), 0, &ignored);
}

static int
create_v2(const char *path, struct err *err)
{
	autobuf struct buf folder = BUF_INIT;

	buf_puts(&folder, root);
	while (*path) {
		size_t len = 1 + strcspn(path + 1, "/");

		delegate(folder.data);
		buf_add(&folder, path, len);
		if (mkdir(folder.data, 0755) < 0 && errno != EEXIST)
			return err_sys(err, errno, "cannot create cgroup '%s'", folder.data);
		path += len;
	}
	delegate(folder.data);
	return 0;
}

int64_t
cgroup_weight(int64_t shares)
{
	if (shares < 2)
		shares = 2;
	return shares > 262144 ? 10000 : 1 + (shares - 2) * 9999 / 262142;
}

/* The v1 trees that a bound of ours is in. */
static const char *const bounded[] = { "cpu", "memory", "pids" };

bool
cgroup_exists(const struct cgroups *c, const char *path)
{
	autofree char *v2 = xasprintf("%s%s", root, path);

	if (c->v2)
		return file_exists(v2);
	for (size_t i = 0; i < COUNT(bounded); i++) {
		autofree char *folder = xasprintf("%s/%s%s", root, bounded[i], path);

		if (file_exists(folder))
			return true;
	}
	return false;
}

/* In the tree of `controller`, where the machine has it. */
static int
bound(const struct cgroups *c, const char *path, const char *controller, const char *name,
    const char *value, struct err *err)
{
	autofree char *file = c->v2 ? xasprintf("%s%s/%s", root, path, name)
				    : xasprintf("%s/%s%s/%s", root, controller, path, name);

	if (!file_exists(file))
		return 0;
	return file_write(file, value, strlen(value), 0, err);
}

static int
bound_number(const struct cgroups *c, const char *path, const char *controller, const char *name,
    int64_t value, struct err *err)
{
	char text[32];

	if (value == 0)
		return 0;
	if (value < 0 && c->v2)
		return bound(c, path, controller, name, "max", err);
	snprintf(text, sizeof text, "%lld", (long long)value);
	return bound(c, path, controller, name, text, err);
}

static int
set_limits(
    const struct cgroups *c, const char *path, const struct cgroup_limits *l, struct err *err)
{
	int64_t share = c->v2 && l->shares > 0 ? cgroup_weight(l->shares) : l->shares;
	char quota[48];
	int r;

	if ((r = bound_number(c, path, "cpu", c->v2 ? "cpu.weight" : "cpu.shares", share, err)) <
		0 ||
	    (r = bound_number(c, path, "memory", c->v2 ? "memory.max" : "memory.limit_in_bytes",
		 l->memory, err)) < 0 ||
	    (r = bound_number(c, path, "pids", "pids.max", l->pids, err)) < 0 || l->quota == 0)
		return r;
	if (c->v2 && l->quota < 0)
		snprintf(quota, sizeof quota, "max 100000");
	else
		snprintf(quota, sizeof quota, c->v2 ? "%lld 100000" : "%lld", (long long)l->quota);
	return bound(c, path, "cpu", c->v2 ? "cpu.max" : "cpu.cfs_quota_us", quota, err);
}

int
cgroup_create(
    const struct cgroups *c, const char *path, const struct cgroup_limits *l, struct err *err)
{
	int r = c->v2 ? create_v2(path, err) : 0;

	for (size_t i = 0; r == 0 && !c->v2 && i < COUNT(bounded); i++) {
		autofree char *tree = xasprintf("%s/%s", root, bounded[i]);
		autofree char *folder = xasprintf("%s%s", tree, path);

		if (file_exists(tree))
			r = mkdir_all(folder, 0755, err);
	}
	return r < 0 ? r : set_limits(c, path, l, err);
}

void
cgroup_leave_service(const struct cgroups *c, const char *path)
{
	static const char *const hybrid[] = { "/systemd", "/unified", NULL };
	static const char *const v2[] = { "", NULL };
	struct err ignored;

	for (const char *const *tree = c->v2 ? v2 : hybrid; *tree; tree++) {
		autofree char *base = xasprintf("%s%s/cgroup.procs", root, *tree);
		autofree char *folder = xasprintf("%s%s%s", root, *tree, path);
		autofree char *procs = xasprintf("%s/cgroup.procs", folder);

		if (file_exists(base) && mkdir_all(folder, 0755, &ignored) == 0)
			file_write(procs, "0", 1, 0, &ignored);
	}
}

static void
kill_all(const char *folder)
{
	autofree char *path = xasprintf("%s/cgroup.procs", folder);
	autofree char *at_once = xasprintf("%s/cgroup.kill", folder);
	struct err ignored;
	FILE *f;
	int pid;

	/* v2 since Linux 5.14: all in it and below, faster than anything in there can fork */
	if (file_exists(at_once) && file_write(at_once, "1", 1, 0, &ignored) == 0)
		return;
	f = fopen(path, "re");
	while (f && fscanf(f, "%d", &pid) == 1)
		if (pid > 1)
			kill(pid, SIGKILL);
	if (f)
		fclose(f);
}

/* rmdir of a folder and those below, killing what is inside until it succeeds. */
static int
remove_folder(const char *folder, void *arg, struct err *err)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int r = 0;

	if (!d)
		return errno == ENOENT ? 0 : err_sys(err, errno, "cannot read cgroup '%s'", folder);
	while (r == 0 && (e = readdir(d)))
		if (e->d_type == DT_DIR && e->d_name[0] != '.') {
			autofree char *child = xasprintf("%s/%s", folder, e->d_name);

			r = remove_folder(child, arg, err);
		}
	closedir(d);
	for (int tries = 0; r == 0; tries++) {
		struct timespec pause = { 0, 5000000 };

		if (rmdir(folder) == 0 || errno == ENOENT)
			break;
		if (errno != EBUSY || tries == 400)
			return err_sys(err, errno, "cannot remove cgroup '%s'", folder);
		kill_all(folder); /* the kernel tells nobody when a v1 group is empty */
		nanosleep(&pause, NULL);
	}
	return r;
}

static void
thaw_folder(const char *folder)
{
	autofree char *v1 = xasprintf("%s/freezer.state", folder);
	autofree char *v2 = xasprintf("%s/cgroup.freeze", folder);
	DIR *d = opendir(folder);
	struct err ignored;
	struct dirent *e;

	if (file_exists(v1))
		file_write(v1, "THAWED", 6, 0, &ignored);
	else if (file_exists(v2))
		file_write(v2, "0", 1, 0, &ignored);
	while (d && (e = readdir(d)))
		if (e->d_type == DT_DIR && e->d_name[0] != '.') {
			autofree char *child = xasprintf("%s/%s", folder, e->d_name);

			thaw_folder(child);
		}
	if (d)
		closedir(d);
}

static int
thaw_in(const char *folder, void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	thaw_folder(folder);
	return 0;
}

void
cgroup_thaw(const struct cgroups *c, const char *path)
{
	struct err ignored;

	each_tree(c, path, thaw_in, NULL, &ignored);
}

int
cgroup_remove(const struct cgroups *c, const char *path, struct err *err)
{
	cgroup_thaw(c, path);
	return each_tree(c, path, remove_folder, NULL, err);
}

static int
kill_in(const char *folder, void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	kill_all(folder);
	return 0;
}

void
cgroup_kill(const struct cgroups *c, const char *path)
{
	struct err ignored;

	cgroup_thaw(c, path);
	each_tree(c, path, kill_in, NULL, &ignored);
}

static int
remove_empty(const char *folder, void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	rmdir(folder); /* not empty: somebody else is there */
	return 0;
}

void
cgroup_remove_empty(const struct cgroups *c, const char *path)
{
	struct err ignored;

	each_tree(c, path, remove_empty, NULL, &ignored);
}

bool
cgroup_number(const struct cgroups *c, const char *path, const char *controller, const char *v1,
    const char *v2, int64_t *ret)
{
	autofree char *file = c->v2 ? xasprintf("%s%s/%s", root, path, v2)
				    : xasprintf("%s/%s%s/%s", root, controller, path, v1);
	char line[64];

	if (!file_line(file, line, sizeof line))
		return false;
	*ret = strncmp(line, "max", 3) == 0 ? -1 : strtoll(line, NULL, 10);
	return true;
}

bool
cgroup_contains(const char *path, pid_t pid)
{
	autofree char *file = xasprintf("/proc/%d/cgroup", (int)pid);
	autobuf struct buf b = BUF_INIT;
	size_t len = strlen(path);
	struct err ignored;

	if (buf_read_file(&b, file, 1 << 16, &ignored) < 0)
		return false;
	for (const char *p = b.data; (p = strstr(p, path)); p += len)
		if (p > b.data && p[-1] == ':' && (p[len] == '\n' || p[len] == '/'))
			return true;
	return false;
}

long
cgroup_oom_kills(const struct cgroups *c, const char *path)
{
	autofree char *file = xasprintf("%s%s%s/%s", root, c->v2 ? "" : "/memory", path,
	    c->v2 ? "memory.events" : "memory.oom_control");
	autobuf struct buf b = BUF_INIT;
	struct err ignored;
	const char *at;

	if (buf_read_file(&b, file, 4096, &ignored) < 0)
		return 0;
	at = strstr(b.data, "oom_kill ");
	return at ? strtol(at + strlen("oom_kill "), NULL, 10) : 0;
}
