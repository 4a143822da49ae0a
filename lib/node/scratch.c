#include "node/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "node/files.h"

static const char machine[] = "/run", base[] = "/run/orch/nodes";
/* The first is empty when no container is left. */
static const char *const names[] = { "runtime", "exits", "attach", "exec", "handlers" };

/* Another folder that is mounted over this one is another node's. */
static char *
new_place(const struct host *h)
{
	autofree char *whole = NULL;
	struct stat st = { 0 };

	stat(h->o.data, &st);
	whole = xasprintf("%s %llu", h->o.data, (unsigned long long)st.st_ino);
	return xasprintf("%s/%016llx", base,
	    (unsigned long long)text_hash(whole, strlen(whole), TEXT_HASH_SEED));
}

/* Where the links lead; NULL when they are none. */
static char *
place(const struct host *h)
{
	autofree char *path = host_path(h, "run/%s", names[0]);
	char to[128];
	ssize_t n = readlink(path, to, sizeof to - 1);

	if (n <= 0)
		return NULL;
	to[n] = '\0';
	*strrchr(to, '/') = '\0';
	return text_starts(to, base) ? xstrdup(to) : NULL;
}

/* Is there a file system that this one's being full does not matter to? */
static bool
apart(const struct host *h)
{
	struct stat own, other;

	return stat(h->o.data, &own) == 0 && stat(machine, &other) == 0 &&
	       own.st_dev != other.st_dev;
}

/* A folder of a node that knew nothing of links stays until it is empty. */
static int
make_one(const char *path, const char *target, bool linked, struct err *err)
{
	autofree char *there = realpath(path, NULL);
	struct stat st;
	struct err ignored;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
		if (there)
			return 0;
		if (unlink(path) < 0) /* the machine was started anew, or the folder moved */
			return err_sys(err, errno, "cannot remove '%s'", path);
	} else if (there && (!linked || rmdir(path) < 0)) {
		return 0;
	}
	if (linked && mkdir_all(target, 0700, &ignored) == 0 && symlink(target, path) == 0)
		return 0;
	return mkdir_all(path, 0700, err);
}

/* What a node left that was killed while it began something in a container. */
static void
sweep(const struct host *h)
{
	autofree char *folder = host_path(h, "run/exec");
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (text_starts(e->d_name, "probe.") || text_starts(e->d_name, "session."))
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

int
scratch_open(const struct host *h, struct err *err)
{
	autofree char *top = new_place(h);
	bool linked = apart(h);
	int r = 0;

	if (linked && mkdir_all("/run/orch", 0755, err) < 0) /* others look for theirs below it */
		return -(int)err->code;
	for (size_t i = 0; r == 0 && i < COUNT(names); i++) {
		autofree char *path = host_path(h, "run/%s", names[i]);
		autofree char *target = xasprintf("%s/%s", top, names[i]);

		r = make_one(path, target, linked, err);
	}
	sweep(h);
	return r;
}

void
scratch_close(const struct host *h)
{
	autofree char *top = place(h);

	for (size_t i = 0; top && i < COUNT(names); i++) {
		autofree char *target = xasprintf("%s/%s", top, names[i]);

		if (rmdir(target) < 0)
			return;
	}
	if (top)
		rmdir(top);
	rmdir(base); /* unless another node has one */
}

int
scratch_remove(const struct host *h, struct err *err)
{
	autofree char *top = place(h);
	int r = top ? tree_remove(top, err) : 0;

	rmdir(base);
	return r;
}
