/* Removing folders that somebody who means harm has made. */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/files.h"

/* Far deeper than there are descriptors, and than a path can be long. */
static void
deep(const char *top)
{
	struct rlimit few = { 100, 100 };
	struct err err;

	assert(mkdir(top, 0700) == 0);
	int back = open(".", O_RDONLY | O_DIRECTORY), r = chdir(top);

	for (int i = 0; i < 1000 && r == 0; i++) {
		r = mkdir("d", 0700) | mkdir(".deep.0", 0700) | symlink("/etc/passwd", "link");
		r = r ? r : chdir("d");
	}
	assert(r == 0 && fchdir(back) == 0);
	setrlimit(RLIMIT_NOFILE, &few);
	assert(tree_remove(top, &err) == 0);
	assert(access(top, F_OK) < 0);
	close(back);
}

int
main(void)
{
	char path[] = "/tmp/files.XXXXXX", top[64];
	struct err err;

	assert(mkdtemp(path));
	snprintf(top, sizeof top, "%s/top", path);
	deep(top);
	assert(tree_remove(top, &err) == 0); /* what is not there */
	assert(rmdir(path) == 0);
	assert(access("/etc/passwd", F_OK) == 0);
	return 0;
}
