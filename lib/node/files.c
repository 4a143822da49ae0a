#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "node/files.h"

static int remove_at(int dir, const char *name, dev_t dev);

static int
empty_folder(int dir, const char *name, dev_t dev)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct stat st;
	int r = 0;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (fstat(fd, &st) < 0 || st.st_dev != dev) {
		closedir(d);
		errno = EBUSY;
		return -1;
	}
	while (r == 0 && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = remove_at(fd, e->d_name, dev);
	closedir(d);
	return r;
}

static int
remove_at(int dir, const char *name, dev_t dev)
{
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -1;
	if (empty_folder(dir, name, dev) < 0)
		return -1;
	return unlinkat(dir, name, AT_REMOVEDIR);
}

int
tree_remove(const char *path, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(err, errno, "cannot remove '%s'", path);
	if (remove_at(AT_FDCWD, path, st.st_dev) < 0)
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
