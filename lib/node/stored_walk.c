/* A walk over a tree of files that others change meanwhile: threads may do it side by side. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "node/stored.h"

/*
 * KEEP: so many levels stay open.  Below, only the last one is: the way back is "..", and when that
 * has become another folder the walk goes on from the last one that stayed open.
 */
enum { KEEP = 64, LOOK_AT_CLOCK = 256, MAX_NAMES = 1 << 20 };

struct level {
	int fd; /* -1: not open now */
	dev_t dev;
	ino_t ino;
	char **name; /* folders in it that are still to be seen */
	size_t n, cap;
};

struct walk {
	struct level *level;
	size_t n, cap;
	dev_t dev;
	double until;
	size_t seen, names; /* entries so far; folders that wait */
	double bytes, inodes;
	bool partial;
};

static void
count(struct walk *w, const struct stat *st)
{
	double names = S_ISDIR(st->st_mode) || st->st_nlink == 0 ? 1 : (double)st->st_nlink;

	w->bytes += (double)st->st_blocks * 512 / names;
	w->inodes += 1 / names;
}

static bool
late(struct walk *w)
{
	if (++w->seen % LOOK_AT_CLOCK == 0 && clock_monotonic() > w->until)
		w->partial = true;
	return w->partial;
}

/* Count what is in the folder of the last level, and note the folders in it. */
static void
read_level(struct walk *w)
{
	struct level *l = &w->level[w->n - 1];
	int fd = openat(l->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct stat st;

	if (!d && fd >= 0)
		close(fd);
	while (d && !late(w) && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != w->dev)
			continue;
		if (!S_ISDIR(st.st_mode)) {
			count(w, &st);
		} else if (w->names < MAX_NAMES) {
			GROW(l->name, l->n, l->cap);
			l->name[l->n++] = xstrdup(e->d_name);
			w->names++;
		}
	}
	if (d)
		closedir(d);
}

/* Takes fd. */
static void
push(struct walk *w, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || (w->n > 0 && st.st_dev != w->dev)) {
		close(fd);
		return;
	}
	if (w->n > KEEP) { /* the one above can be found again */
		close(w->level[w->n - 1].fd);
		w->level[w->n - 1].fd = -1;
	}
	w->dev = st.st_dev;
	count(w, &st);
	GROW(w->level, w->n, w->cap);
	w->level[w->n++] = (struct level){ .fd = fd, .dev = st.st_dev, .ino = st.st_ino };
	read_level(w);
}

static void
drop(struct walk *w)
{
	struct level *l = &w->level[--w->n];

	for (size_t i = 0; i < l->n; i++)
		free(l->name[i]);
	w->names -= l->n;
	free(l->name);
	if (l->fd >= 0)
		close(l->fd);
}

/* Back to the level above, which is open then; or further up. */
static void
pop(struct walk *w)
{
	struct level *above = w->n > 1 ? &w->level[w->n - 2] : NULL;
	struct stat st;

	if (above && above->fd < 0) {
		above->fd = openat(
		    w->level[w->n - 1].fd, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (above->fd >= 0 && (fstat(above->fd, &st) < 0 || st.st_ino != above->ino ||
					  st.st_dev != above->dev)) {
			close(above->fd);
			above->fd = -1;
		}
	}
	drop(w);
	while (w->n > 0 && w->level[w->n - 1].fd < 0)
		drop(w);
}

void
stored_below(const char *folder, double until, struct stored *ret)
{
	struct walk w = { .until = until };
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		push(&w, fd);
	while (w.n > 0) {
		struct level *l = &w.level[w.n - 1];
		autofree char *name = NULL;

		if (l->n == 0 || w.partial) {
			pop(&w);
			continue;
		}
		name = l->name[--l->n];
		w.names--;
		fd = openat(l->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			push(&w, fd);
	}
	free(w.level);
	ret->bytes += (int64_t)w.bytes;
	ret->inodes += (int64_t)(w.inodes + 0.5);
	ret->partial = ret->partial || w.partial;
}
