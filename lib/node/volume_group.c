/* fsGroup: a volume and all in it belong to a group, which may read and write there; what is made
 * in its folders later does too. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "node/volume_private.h"

enum { OF_FILE = 0660, OF_FOLDER = 02770, DEEPEST = 250 };

/* An open (O_PATH) file or folder; never what a link leads to: who writes to the volume may make
 * links. */
static int
own_one(int fd, const struct stat *st, gid_t group)
{
	mode_t add = S_ISDIR(st->st_mode) ? OF_FOLDER : OF_FILE;
	char self[64];

	if (st->st_gid != group && fchownat(fd, "", (uid_t)-1, group, AT_EMPTY_PATH) < 0)
		return -1;
	if (S_ISLNK(st->st_mode) || (st->st_gid == group && (st->st_mode & add) == add))
		return 0;
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	return chmod(self, (st->st_mode & 07777) | add); /* O_PATH knows no fchmod */
}

static int own_below(int parent, const char *name, gid_t group, dev_t dev, int depth);

static int
own_folder(int fd, gid_t group, dev_t dev, int depth)
{
	int again = depth < DEEPEST ? openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *d = again < 0 ? NULL : fdopendir(again);
	struct dirent *e;
	int r = 0;

	if (!d) {
		if (again >= 0)
			close(again);
		if (depth >= DEEPEST) /* three descriptors a level */
			errno = ELOOP;
		return -1;
	}
	while (r == 0 && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = own_below(dirfd(d), e->d_name, group, dev, depth + 1);
	closedir(d);
	return r;
}

static int
own_below(int parent, const char *name, gid_t group, dev_t dev, int depth)
{
	autoclose int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1; /* removed while we look */
	if (fstat(fd, &st) < 0)
		return -1;
	if (st.st_dev != dev) /* another's mount */
		return 0;
	if (own_one(fd, &st, group) < 0)
		return -1;
	return S_ISDIR(st.st_mode) ? own_folder(fd, group, dev, depth) : 0;
}

int
volume_own(const char *path, gid_t group, bool always, struct err *err)
{
	autoclose int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot look at '%s'", path);
	if (!always && st.st_gid == group && (st.st_mode & OF_FOLDER) == OF_FOLDER)
		return 0;
	/* The root last: it tells the next one that all the rest is done. */
	if ((S_ISDIR(st.st_mode) && own_folder(fd, group, st.st_dev, 0) < 0) ||
	    own_one(fd, &st, group) < 0)
		return err_sys(err, errno, "cannot give '%s' to group %u", path, (unsigned)group);
	return 0;
}
