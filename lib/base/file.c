/* The part of buf.h that touches the file system; buf.c itself stays pure. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"

int
buf_read_fd(struct buf *b, int fd, size_t limit, struct err *err)
{
	size_t start = b->len;

	for (;;) {
		ssize_t n;

		buf_reserve(b, 65536);
		n = read(fd, b->data + b->len, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot read");
		b->len += (size_t)n;
		b->data[b->len] = '\0';
		if (b->len - start > limit)
			return err_set(err, ERR_TOO_LARGE, "more than %zu bytes", limit);
		if (n == 0)
			return 0;
	}
}

int
buf_read_file(struct buf *b, const char *path, size_t limit, struct err *err)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	if ((r = buf_read_fd(b, fd, limit, err)) < 0)
		return err_wrap(err, "'%s'", path);
	return r;
}

static int
write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
sync_folder(const char *path)
{
	autofree char *copy = xstrdup(path);
	autoclose int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -1 : fsync(fd);
}

int
file_replace(const char *path, const void *data, size_t len, unsigned mode, struct err *err)
{
	autofree char *tmp = xasprintf("%s.XXXXXX", path);
	autoclose int fd = mkostemp(tmp, O_CLOEXEC);
	int saved;

	if (fd < 0)
		return err_sys(err, errno, "cannot write '%s'", path);
	if (fchmod(fd, mode) == 0 && write_all(fd, data, len) == 0 && fsync(fd) == 0 &&
	    rename(tmp, path) == 0 && sync_folder(path) == 0)
		return 0;
	saved = errno;
	unlink(tmp);
	return err_sys(err, saved, "cannot write '%s'", path);
}

int
mkdir_all(const char *path, unsigned mode, struct err *err)
{
	autofree char *part = xstrdup(path);
	struct stat st;

	for (char *p = part + 1;; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return err_sys(err, errno, "cannot create folder '%s'", part);
		*p = c;
		if (c == '\0')
			break;
	}
	if (stat(path, &st) < 0)
		return err_sys(err, errno, "cannot use folder '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return err_sys(err, ENOTDIR, "cannot use folder '%s'", path);
	return 0;
}
