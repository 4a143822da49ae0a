#include "node/pidspace.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/files.h"

enum { MAX_REGIONS = 1024, NOBODY = 65535 };

bool
pod_shares_processes(const json_t *pod)
{
	return truth(get(pod, "spec", "shareProcessNamespace")) &&
	       !truth(get(pod, "spec", "hostPID"));
}

/* --- the process that holds it ------------------------------------------------------------ */

/* Who looks at the processes of a pod is not to learn how the node was started. */
static void
clear_name(void)
{
	unsigned long args = 0, end = 0;
	FILE *f = fopen("/proc/self/stat", "re");
	char line[1024];
	size_t n = f ? fread(line, 1, sizeof line - 1, f) : 0;
	char *p;

	if (f)
		fclose(f);
	line[n] = '\0';
	p = strrchr(line, ')'); /* fields 3 to 51 follow: 48 is arg_start, 51 env_end */
	for (int field = 2; p && field < 51; field++) {
		p = strchr(p + 1, ' ');
		if (p && field + 1 == 48)
			args = strtoul(p, NULL, 10);
		else if (p && field + 1 == 51)
			end = strtoul(p, NULL, 10);
	}
	if (p && args && end > args + sizeof "pause") {
		memset((void *)args, 0, end - args);
		memcpy((void *)args, "pause", sizeof "pause");
	}
	prctl(PR_SET_NAME, "pause");
}

struct region {
	char *at;
	size_t len;
};

/*
 * What is mapped but for a few places: where this code is and that of syscall(), the stack, and
 * this thread's own data, which the kernel writes to (rseq).
 */
static size_t
regions(struct region *r, size_t max, const unsigned long *keep, size_t nkeep)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[512];
	size_t n = 0;

	while (f && n < max && fgets(line, sizeof line, f)) {
		bool kept = strstr(line, "[v") != NULL; /* vdso, vvar, vsyscall */

		if (sscanf(line, "%lx-%lx", &from, &to) != 2)
			continue;
		for (size_t i = 0; i < nkeep; i++)
			kept = kept || (from <= keep[i] && keep[i] < to);
		if (!kept)
			r[n++] = (struct region){ (char *)from, to - from };
	}
	if (f)
		fclose(f);
	return n;
}

/* From here on nothing may be used that is not kept: no libraries, no heap, no literal. */
__attribute__((noinline, noreturn, no_sanitize("address", "undefined"))) static void
rest(long (*volatile call)(long, ...), const struct region *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		call(SYS_munmap, r[i].at, r[i].len);
	for (;;)
		call(SYS_ppoll, 0, 0L, 0L, 0L, 0L);
}

static bool
enter(const char *path, int kind)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);

	return (fd < 0 && errno == ENOENT) || (fd >= 0 && setns(fd, kind) == 0);
}

/* An empty root: /proc/1/root leads nowhere, whatever a container may do. */
static bool
leave_files(const char *folder)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", folder, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NOEXEC | MS_NODEV,
		   "size=4k,mode=555") == 0 &&
	       chdir(folder) == 0 && syscall(SYS_pivot_root, ".", ".") == 0 &&
	       umount2(".", MNT_DETACH) == 0 && chdir("/") == 0;
}

static bool
leave_rights(void)
{
	return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	       setresuid(NOBODY, NOBODY, NOBODY) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/* Process 1.  It says so through `ready`, or just ends. */
__attribute__((noreturn, no_sanitize("address", "undefined"))) static void
hold(const char *folder, int ready)
{
	struct region r[MAX_REGIONS];
	autofree char *net = xasprintf("%s/net", folder), *ipc = xasprintf("%s/ipc", folder),
		      *uts = xasprintf("%s/uts", folder);
	unsigned long keep[4];
	sigset_t all;
	size_t n;

	setsid();
	signal(SIGCHLD, SIG_IGN); /* what is orphaned is reaped by the kernel */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	clear_name();
	keep[0] = (unsigned long)(void *)rest;
	keep[1] = (unsigned long)(void *)syscall;
	keep[2] = (unsigned long)__builtin_frame_address(0);
	keep[3] = (unsigned long)(void *)&errno;
	n = regions(r, MAX_REGIONS, keep, COUNT(keep));
	if (n == 0 || !enter(net, CLONE_NEWNET) || !enter(ipc, CLONE_NEWIPC) ||
	    !enter(uts, CLONE_NEWUTS) || !leave_files(folder) || !leave_rights() ||
	    write(ready, "", 1) != 1)
		_exit(3);
	syscall(SYS_close_range, 0U, ~0U, 0U);
	rest(syscall, r, n);
}

/* --- making it ----------------------------------------------------------------------------- */

/* A process between, whose children are in the new namespace and which nobody waits for: they
 * belong to the machine's first process when it has gone. */
_Noreturn static void
between(const struct host *h, const char *uid, const char *folder, int out)
{
	autofree char *pod = host_cgroup(h, uid), *group = xasprintf("%s/pause", pod);
	autofree char *users = xasprintf("%s/user", folder);
	int ready[2];
	pid_t pid;
	char one;

	cgroup_leave_service(&h->cgroups, group);
	if (pipe2(ready, O_CLOEXEC) < 0 || !enter(users, CLONE_NEWUSER) ||
	    unshare(CLONE_NEWPID) < 0 || (pid = fork()) < 0)
		_exit(3);
	if (pid == 0)
		hold(folder, ready[1]);
	close(ready[1]);
	if (read(ready[0], &one, 1) != 1 || write(out, &pid, sizeof pid) != (ssize_t)sizeof pid)
		_exit(3);
	_exit(0);
}

/* Its pid as this process sees it; 0: it could not be made. */
static pid_t
start(const struct host *h, const char *uid, const char *folder)
{
	int fds[2], status;
	pid_t pid, held = 0;

	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return 0;
	if (pid == 0)
		between(h, uid, folder, fds[1]);
	close(fds[1]);
	if (read(fds[0], &held, sizeof held) != (ssize_t)sizeof held)
		held = 0;
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return held;
}

int
pidspace_make(const struct host *h, const json_t *pod, struct err *err)
{
	const char *uid = meta_uid(pod);
	autofree char *folder = host_path(h, "pods/%s/ns", uid),
		      *path = xasprintf("%s/pid", folder);
	autofree char *note = xasprintf("%s/pause", folder), *from = NULL;
	pid_t pid = start(h, uid, folder);
	char line[32];
	int r;

	if (pid <= 0)
		return err_set(err, ERR_INTERNAL, "cannot make the pod's PID namespace");
	from = xasprintf("/proc/%d/ns/pid", (int)pid);
	snprintf(line, sizeof line, "%d\n", (int)pid);
	if ((r = file_write(note, line, strlen(line), 0600, err)) < 0 ||
	    (r = file_write(path, "", 0, 0600, err)) < 0 ||
	    (mount(from, path, NULL, MS_BIND, NULL) < 0 &&
		(r = err_sys(err, errno, "cannot pin the PID namespace at '%s'", path)) < 0)) {
		kill(pid, SIGKILL);
		return r;
	}
	return 0;
}

/* The holder by its note, when it is still in the namespace that is pinned; else 0. */
static pid_t
holder(const struct host *h, const char *uid)
{
	autofree char *path = host_path(h, "pods/%s/ns/pid", uid), *own = NULL;
	autofree char *note = host_path(h, "pods/%s/ns/pause", uid);
	struct stat pinned, its;
	char line[32];
	pid_t pid;

	if (!file_line(note, line, sizeof line) || (pid = (pid_t)strtol(line, NULL, 10)) <= 1)
		return 0;
	own = xasprintf("/proc/%d/ns/pid", (int)pid);
	if (stat(path, &pinned) < 0 || stat(own, &its) < 0 || pinned.st_ino != its.st_ino ||
	    pinned.st_dev != its.st_dev)
		return 0;
	return pid;
}

bool
pidspace_alive(const struct host *h, const char *uid)
{
	return holder(h, uid) > 0;
}

void
pidspace_end(const struct host *h, const char *uid)
{
	autofree char *path = host_path(h, "pods/%s/ns/pid", uid);
	pid_t pid = holder(h, uid);

	if (pid > 0)
		kill(pid, SIGKILL);
	umount2(path, MNT_DETACH);
}
