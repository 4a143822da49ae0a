/*
 * mortal.so - a library for LD_PRELOAD that kills orch-node (or another program of ours) at its
 * Nth step with an outward effect.
 *
 *	MORTAL_AT=N MORTAL_FILE=FILE LD_PRELOAD=mortal.so orch-node ...
 *
 * Counted together in the agent and in the processes it forks: files made, written, renamed and
 * removed, folders, links, mounts, namespaces, processes started and signalled, what goes to the
 * server.  Before the Nth of them the agent and who was about to do it end by SIGKILL, and FILE
 * says what it was.  Programs that orch-node starts are left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long *counter; /* shared with every process that is forked */
static long at;
static pid_t agent;
static int report = -1;

__attribute__((constructor)) static void
begin(void)
{
	const char *n = getenv("MORTAL_AT"), *file = getenv("MORTAL_FILE");
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

	unsetenv("LD_PRELOAD");
	self[len > 0 ? len : 0] = '\0';
	if (!n || !file || !strstr(self, "/orch-"))
		return;
	report = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	counter =
	    mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	at = atol(n);
	agent = getpid();
}

static void
step(const char *what, const char *which)
{
	int e = errno;

	/* the first process of a new PID namespace reaches nobody outside */
	if (counter && report >= 0 && getpid() != 1 && atomic_fetch_add(counter, 1) + 1 == at) {
		dprintf(report, "%s%s %s\n", getpid() == agent ? "" : "job: ", what, which);
		kill(agent, SIGKILL);
		kill(getpid(), SIGKILL);
	}
	errno = e;
}

/* --- what is counted ----------------------------------------------------------------------- */

/* What is there already is not made, and what is not there not removed. */
static bool
there(int dir, const char *path)
{
	int e = errno;
	bool ret = faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	errno = e;
	return ret;
}

#define NEXT(type, name, ...)             \
	static type (*next)(__VA_ARGS__); \
	if (!next)                        \
	*(void **)&next = dlsym(RTLD_NEXT, name)

#define WRAP(type, name, what, params, args) WRAP_IF(true, type, name, what, params, args)
#define WRAP_IF(effect, type, name, what, params, args)            \
	type name params;                                          \
	type name params                                           \
	{                                                          \
		static type(*next) params;                         \
		if (!next)                                         \
			*(void **)&next = dlsym(RTLD_NEXT, #name); \
		if (effect)                                        \
			step(#name, what);                         \
		return next args;                                  \
	}

WRAP(int, rename, to, (const char *from, const char *to), (from, to))
WRAP_IF(!there(AT_FDCWD, path), int, mkdir, path, (const char *path, mode_t mode), (path, mode))
WRAP_IF(!there(dir, path), int, mkdirat, path, (int dir, const char *path, mode_t mode),
    (dir, path, mode))
WRAP_IF(there(AT_FDCWD, path), int, rmdir, path, (const char *path), (path))
WRAP_IF(there(AT_FDCWD, path), int, unlink, path, (const char *path), (path))
WRAP_IF(there(dir, path), int, unlinkat, path, (int dir, const char *path, int flags),
    (dir, path, flags))
WRAP(int, symlink, path, (const char *to, const char *path), (to, path))
WRAP(int, link, path, (const char *from, const char *path), (from, path))
WRAP(int, chmod, path, (const char *path, mode_t mode), (path, mode))
WRAP(int, chown, path, (const char *path, uid_t uid, gid_t gid), (path, uid, gid))
WRAP(int, mount, to,
    (const char *from, const char *to, const char *type, unsigned long flags, const void *data),
    (from, to, type, flags, data))
WRAP(int, umount2, path, (const char *path, int flags), (path, flags))
WRAP(int, setns, "", (int fd, int type), (fd, type))
WRAP(int, unshare, "", (int flags), (flags))
WRAP(int, sethostname, name, (const char *name, size_t len), (name, len))
WRAP(int, execv, path, (const char *path, char *const argv[]), (path, argv))
WRAP(int, execvp, path, (const char *path, char *const argv[]), (path, argv))
WRAP(pid_t, fork, "", (void), ())
WRAP(int, truncate, path, (const char *path, off_t len), (path, len))
WRAP(ssize_t, send, "", (int fd, const void *data, size_t len, int flags), (fd, data, len, flags))

int
kill(pid_t pid, int sig)
{
	NEXT(int, "kill", pid_t, int);
	if (pid != getpid() && pid != agent)
		step("kill", "");
	return next(pid, sig);
}

ssize_t
write(int fd, const void *data, size_t len)
{
	struct stat st;

	NEXT(ssize_t, "write", int, const void *, size_t);
	if (fd != report && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && fd > 2)
		step("write", "");
	return next(fd, data, len);
}

static bool
makes(int flags)
{
	return (flags & (O_CREAT | O_TRUNC)) != 0;
}

#define OPEN(name)                                            \
	int name(const char *path, int flags, ...)            \
	{                                                     \
		mode_t mode = 0;                              \
		va_list ap;                                   \
                                                              \
		NEXT(int, #name, const char *, int, ...);     \
		va_start(ap, flags);                          \
		mode = makes(flags) ? va_arg(ap, mode_t) : 0; \
		va_end(ap);                                   \
		if (makes(flags))                             \
			step(#name, path);                    \
		return next(path, flags, mode);               \
	}

OPEN(open)
OPEN(open64)

int
openat(int dir, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	NEXT(int, "openat", int, const char *, int, ...);
	va_start(ap, flags);
	mode = makes(flags) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (makes(flags))
		step("openat", path);
	return next(dir, path, flags, mode);
}
