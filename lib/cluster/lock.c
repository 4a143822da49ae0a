/* Who may start or end a cluster: one at a time. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cluster/cluster.h"

/* orch-down removes the file as its last act: a lock on a removed file is none. */
static bool
same_file(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

int
cluster_lock(const struct cluster *c, bool create, int *ret, struct err *err)
{
	autofree char *path = cluster_file(c, "run/lock"), *run = cluster_file(c, "run");
	int r;

	for (int tries = 0; tries < 10; tries++) {
		int fd;

		if (create && (r = mkdir_all(run, 0755, err)) < 0)
			return r;
		fd = open(path, O_RDWR | (create ? O_CREAT : 0) | O_CLOEXEC, 0644);
		if (fd < 0 && errno == ENOENT && create)
			continue;
		if (fd < 0)
			return err_sys(err, errno, "cannot open '%s'", path);
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 && same_file(fd, path)) {
			*ret = fd;
			return 0;
		}
		if (same_file(fd, path))
			tries = 10; /* really somebody else's */
		close(fd);
	}
	return err_set(err, ERR_CONFLICT, "another process holds '%s'", path);
}
