#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "node/files.h"

/*
 * A container may make folders in folders without end: what is deeper than MAX_DEPTH is moved up to
 * the first folder, under a name of its own, and removed from there.  So neither descriptors nor
 * the stack run out.
 */
enum { MAX_DEPTH = 64 };

struct removal {
	dev_t dev;
	int top; /* the first folder */
	unsigned moved;
};

static int remove_at(struct removal *rm, int dir, const char *name, int depth);

/* Out of the depth; the first folder is read again until it is empty. */
static int
move_up(struct removal *rm, int dir, const char *name)
{
	char to[40];

	do {
		snprintf(to, sizeof to, ".deep.%u", rm->moved++);
		if (renameat2(dir, name, rm->top, to, RENAME_NOREPLACE) == 0)
			return 0;
	} while (errno == EEXIST);
	return -1;
}

static int
empty_once(struct removal *rm, DIR *d, int depth)
{
	struct dirent *e;
	int r = 0;

	rewinddir(d);
	while (r == 0 && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = remove_at(rm, dirfd(d), e->d_name, depth + 1);
	return r;
}

static int
empty_folder(struct removal *rm, int dir, const char *name, int depth)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	unsigned before;
	struct stat st;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (fstat(fd, &st) < 0 || st.st_dev != rm->dev) {
		closedir(d);
		errno = EBUSY;
		return -1;
	}
	if (depth == 0)
		rm->top = fd;
	do {
		before = rm->moved;
		r = empty_once(rm, d, depth);
	} while (r == 0 && depth == 0 && rm->moved != before);
	closedir(d);
	return r;
}

static int
remove_at(struct removal *rm, int dir, const char *name, int depth)
{
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -1;
	if (depth == MAX_DEPTH)
		return move_up(rm, dir, name);
	if (empty_folder(rm, dir, name, depth) < 0)
		return -1;
	return unlinkat(dir, name, AT_REMOVEDIR);
}

int
tree_remove(const char *path, struct err *err)
{
	struct removal rm = { .top = -1 };
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(err, errno, "cannot remove '%s'", path);
	rm.dev = st.st_dev;
	if (remove_at(&rm, AT_FDCWD, path, 0) < 0)
		return err_sys(err, errno, "cannot remove '%s'", path);
	return 0;
}

int
file_write(const char *path, const void *data, size_t len, unsigned mode, struct err *err)
{
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0)
		return err_sys(err, errno, "cannot write '%s'", path);
	for (const char *p = data; len > 0;) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot write '%s'", path);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
file_swap(const char *path, const void *data, size_t len, unsigned mode, struct err *err)
{
	autofree char *tmp = xasprintf("%s.new", path);
	int r = file_write(tmp, data, len, mode, err);

	if (r == 0 && rename(tmp, path) < 0)
		r = err_sys(err, errno, "cannot write '%s'", path);
	if (r < 0)
		unlink(tmp); /* on a full disk it is in the way */
	return r;
}

bool
file_line(const char *path, char *buf, size_t size)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (n < 0)
		return false;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

bool
file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

bool
name_is_below(const char *name)
{
	if (*name == '\0' || *name == '/')
		return false;
	while (name) {
		size_t len = strcspn(name, "/");

		if (len == 2 && name[0] == '.' && name[1] == '.')
			return false;
		name = name[len] ? name + len + 1 : NULL;
	}
	return true;
}

int
open_inside(const char *root, const char *path, int flags)
{
	autoclose int at = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct open_how how = { .flags = (unsigned)flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };

	return at < 0 ? -1 : (int)syscall(SYS_openat2, at, path, &how, sizeof how);
}
