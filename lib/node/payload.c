#include "node/payload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/files.h"

struct entry {
	char *name;
	struct buf data;
	unsigned mode;
};

struct payload {
	struct entry *e;
	size_t n, cap;
};

enum { MAX_FILE = 64 << 20 };

struct payload *
payload_new(void)
{
	return xcalloc(1, sizeof(struct payload));
}

void
payload_free(struct payload *p)
{
	for (size_t i = 0; p && i < p->n; i++) {
		free(p->e[i].name);
		buf_release(&p->e[i].data);
	}
	if (p)
		free(p->e);
	free(p);
}

static struct entry *
entry(struct payload *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->e[i].name, name) == 0) {
			buf_clear(&p->e[i].data);
			return &p->e[i];
		}
	if (p->n == p->cap)
		p->e = xreallocarray(p->e, p->cap = p->cap ? p->cap * 2 : 8, sizeof *p->e);
	p->e[p->n] = (struct entry){ .name = xstrdup(name) };
	return &p->e[p->n++];
}

/* Below the folder, and none of our own names, which begin with two dots. */
static bool
fits(const char *name)
{
	return name_is_below(name) && !text_starts(name, "..") && !text_ends(name, "/");
}

int
payload_add(struct payload *p, const char *name, const void *data, size_t len, unsigned mode,
    struct err *err)
{
	struct entry *e;

	if (!fits(name))
		return err_set(err, ERR_INVALID, "file '%s' would be outside of the volume", name);
	e = entry(p, name);
	buf_add(&e->data, data, len);
	e->mode = mode & 07777;
	return 0;
}

bool
payload_keep(struct payload *p, const char *folder, const char *name)
{
	autofree char *path = xasprintf("%s/..data/%s", folder, name);
	autobuf struct buf b = BUF_INIT;
	struct stat st;
	struct err ignored;

	return fits(name) && stat(path, &st) == 0 &&
	       buf_read_file(&b, path, MAX_FILE, &ignored) == 0 &&
	       payload_add(p, name, b.data ? b.data : "", b.len, st.st_mode, &ignored) == 0;
}

/* --- is it so already? ------------------------------------------------------------------ */

static size_t
count_files(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	size_t n = 0;

	while (d && (e = readdir(d))) {
		autofree char *path = xasprintf("%s/%s", folder, e->d_name);

		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			n += e->d_type == DT_DIR ? count_files(path) : 1;
	}
	if (d)
		closedir(d);
	return n;
}

static unsigned
shown_mode(const struct entry *e, gid_t group)
{
	return group == (gid_t)-1 ? e->mode : e->mode | 0040;
}

static bool
same(const struct payload *p, const char *data, gid_t group)
{
	if (access(data, F_OK) < 0 || count_files(data) != p->n)
		return false;
	for (size_t i = 0; i < p->n; i++) {
		const struct entry *e = &p->e[i];
		autofree char *path = xasprintf("%s/%s", data, e->name);
		autobuf struct buf has = BUF_INIT;
		struct err ignored;
		struct stat st;

		if (stat(path, &st) < 0 || (st.st_mode & 07777) != shown_mode(e, group) ||
		    (size_t)st.st_size != e->data.len ||
		    buf_read_file(&has, path, e->data.len + 1, &ignored) < 0 ||
		    has.len != e->data.len ||
		    (has.len && memcmp(has.data, e->data.data, has.len) != 0))
			return false;
	}
	return true;
}

/* --- writing it ---------------------------------------------------------------------------- */

/* A name for the next state: the time, as Kubernetes has it, so that none comes twice. */
static void
state_name(char *buf, size_t size)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(buf, size, "..%Y_%m_%d_%H_%M_%S", &tm);
	snprintf(buf + n, size - n, ".%09ld", now.tv_nsec);
}

static int
write_entry(const struct entry *e, const char *folder, gid_t group, struct err *err)
{
	autofree char *path = xasprintf("%s/%s", folder, e->name), *parent = xstrdup(path);
	int r;

	*strrchr(parent, '/') = '\0';
	if ((r = mkdir_all(parent, 0755, err)) < 0 ||
	    (r = file_write(path, e->data.data ? e->data.data : "", e->data.len, 0600, err)) < 0)
		return r;
	if ((group != (gid_t)-1 && chown(path, (uid_t)-1, group) < 0) ||
	    chmod(path, shown_mode(e, group)) < 0)
		return err_sys(err, errno, "cannot set the owner of '%s'", path);
	return 0;
}

static char *
first_part(const char *name)
{
	return xstrndup(name, strcspn(name, "/"));
}

/* A link by which a file is found; one that is there already is right: it never changes. */
static int
link_entry(const struct entry *e, const char *folder, struct err *err)
{
	autofree char *top = first_part(e->name), *path = xasprintf("%s/%s", folder, top);
	autofree char *target = xasprintf("..data/%s", top);
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return 0;
	if (symlink(target, path) < 0)
		return err_sys(err, errno, "cannot link '%s'", path);
	return 0;
}

static bool
holds(const struct payload *p, const char *top)
{
	size_t len = strlen(top);

	for (size_t i = 0; i < p->n; i++)
		if (strncmp(p->e[i].name, top, len) == 0 &&
		    (p->e[i].name[len] == '\0' || p->e[i].name[len] == '/'))
			return true;
	return false;
}

/* What was there before and is no more; also what a crash has left. */
static void
drop_old(const struct payload *p, const char *folder, const char *state)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	struct err ignored;

	while (d && (e = readdir(d))) {
		autofree char *path = xasprintf("%s/%s", folder, e->d_name);
		bool own = text_starts(e->d_name, "..");

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    strcmp(e->d_name, "..data") == 0 || strcmp(e->d_name, state) == 0)
			continue;
		if (own || !holds(p, e->d_name))
			tree_remove(path, &ignored);
	}
	if (d)
		closedir(d);
}

static int
write_state(
    const struct payload *p, const char *folder, const char *state, gid_t group, struct err *err)
{
	autofree char *path = xasprintf("%s/%s", folder, state);
	autofree char *fresh = xasprintf("%s/..data_tmp", folder);
	autofree char *data = xasprintf("%s/..data", folder);
	int r;

	if ((r = mkdir_all(path, 0755, err)) < 0)
		return r;
	for (size_t i = 0; i < p->n; i++)
		if ((r = write_entry(&p->e[i], path, group, err)) < 0)
			return r;
	unlink(fresh); /* of somebody before us, who was ended here */
	if (symlink(state, fresh) < 0 || rename(fresh, data) < 0)
		return err_sys(err, errno, "cannot link '%s'", data);
	return 0;
}

int
payload_write(const struct payload *p, const char *folder, gid_t group, struct err *err)
{
	autofree char *data = xasprintf("%s/..data", folder);
	char state[64], before[64];
	ssize_t n = readlink(data, before, sizeof before - 1);
	int r = 0;

	before[n > 0 ? n : 0] = '\0';
	snprintf(state, sizeof state, "%s", before);
	if (!*before || !same(p, data, group)) {
		state_name(state, sizeof state);
		if ((r = write_state(p, folder, state, group, err)) < 0) {
			autofree char *half = xasprintf("%s/%s", folder, state);
			struct err ignored;

			tree_remove(half, &ignored);
			return r;
		}
	}
	for (size_t i = 0; i < p->n && r == 0; i++)
		r = link_entry(&p->e[i], folder, err);
	if (r == 0)
		drop_old(p, folder, state);
	return r;
}
