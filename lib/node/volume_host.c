/* hostPath: what of the machine may be mounted. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "node/files.h"
#include "node/volume_private.h"

static const struct {
	const char *type;
	mode_t mode;
	const char *words;
} types[] = { { "Directory", S_IFDIR, "directory" }, { "DirectoryOrCreate", S_IFDIR, "directory" },
	{ "File", S_IFREG, "file" }, { "FileOrCreate", S_IFREG, "file" },
	{ "Socket", S_IFSOCK, "socket file" }, { "CharDevice", S_IFCHR, "character device" },
	{ "BlockDevice", S_IFBLK, "block device" } };

static bool
steps_back(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")); p += 2)
		if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
			return true;
	return false;
}

static int
create(const char *path, mode_t mode, struct err *err)
{
	autoclose int fd = -1;

	if (mode == S_IFDIR)
		return mkdir_all(path, 0755, err);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return fd < 0 && errno != EEXIST ? err_sys(err, errno, "cannot create '%s'", path) : 0;
}

int
host_path_check(const char *path, const char *type, struct err *err)
{
	struct stat st;
	size_t i = 0;
	int r;

	if (steps_back(path))
		return err_set(
		    err, ERR_INVALID, "invalid HostPath `%s`: must not contain '..'", path);
	if (!*type)
		return 0;
	while (i < COUNT(types) && strcmp(types[i].type, type) != 0)
		i++;
	if (i == COUNT(types))
		return err_set(err, ERR_INVALID, "%s is an invalid volume type", type);
	if (strstr(type, "OrCreate") && stat(path, &st) < 0 &&
	    (r = create(path, types[i].mode, err)) < 0)
		return r;
	if (stat(path, &st) < 0 || (st.st_mode & S_IFMT) != types[i].mode)
		return err_set(err, ERR_INVALID, "hostPath type check failed: %s is not a %s", path,
		    types[i].words);
	return 0;
}
