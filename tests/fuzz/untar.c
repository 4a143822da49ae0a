/* What a container sends to orch-cp: nothing is written outside of where it is to go. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/tree.h"
#include "node/files.h"

#include "tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char top[] = "/dev/shm/fuzz-untar.XXXXXX";
static int home = -1;

static void
leave(void)
{
	struct err ignored;

	if (fchdir(home) == 0)
		tree_remove(top, &ignored);
}

static void
begin(void)
{
	home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!mkdtemp(top) || (geteuid() == 0 && chown(top, 65534, 65534) < 0))
		abort();
	atexit(leave);
}

static void
skipped(const char *path, const char *why)
{
	if (!path || !*why)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree uint8_t *copy = xmalloc(size + 1);
	struct tree_reader t = { .from = "a", .as = "out", .skip = skipped };
	struct err err;
	struct stat st;
	int fd = memfd_create("tar", MFD_CLOEXEC);

	if (home < 0)
		begin();
	memcpy(copy, data, size);
	mend(copy, size);
	if (fd < 0 || write(fd, copy, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0 ||
	    chdir(top) < 0)
		abort();
	setfsuid(65534); /* whatever gets out does no harm to this machine */
	tree_unpack(&t, fd, &err);
	setfsuid(geteuid());
	close(fd);
	tree_remove("out", &err);
	if (stat(".", &st) < 0 || st.st_nlink != 2 || rmdir(top) < 0 || mkdir(top, 0700) < 0)
		abort(); /* something beside it */
	if ((geteuid() == 0 && chown(top, 65534, 65534) < 0) || fchdir(home) < 0)
		abort();
	return 0;
}
