#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/digest.h"
#include "node/image_collect.h"
#include "node/image_store.h"

/* --- who uses what ------------------------------------------------------------------------ */

static char *
used_path(const struct images *s, const char *id)
{
	return xasprintf("%s/used/%s", s->root, digest_hex(id));
}

void
image_used(struct images *s, const struct image *image)
{
	autofree char *path = used_path(s, image->id);
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		futimens(fd, NULL);
}

static double
last_used(const struct images *s, const char *id)
{
	autofree char *path = used_path(s, id);
	struct stat st;

	return stat(path, &st) == 0 ? (double)st.st_mtime : 0;
}

void
images_share(struct images *s, const char *data)
{
	autofree char *folder = realpath(data, NULL), *path = NULL;

	if (!folder || strcmp(folder, s->data) == 0)
		return;
	path = xasprintf("%s/users/%016llx", s->root,
	    (unsigned long long)text_hash(folder, strlen(folder), TEXT_HASH_SEED));
	if (symlink(folder, path) < 0 && errno == EEXIST)
		return; /* it has said so before */
}

/* --- what may go -------------------------------------------------------------------------- */

struct candidate {
	const char *id;
	const json_t *refs;
	double used, added;
};

struct census {
	struct images *s;
	json_t *all; /* by id: {"refs": [...], "added": N} */
};

static int
count_in(void *arg, const struct image *image, struct err *err)
{
	struct census *c = arg;
	json_t *one = json_object_get(c->all, image->id);

	(void)err;
	if (store_in_use(c->s, image))
		image_used(c->s, image);
	if (!one) {
		json_object_set_new(
		    c->all, image->id, json_pack("{s:[], s:i}", "refs", "added", 0));
		one = json_object_get(c->all, image->id);
	}
	json_array_append_new(get(one, "refs"), json_string(image->ref));
	if (image->added > num(get(one, "added"), 0))
		json_object_set_new(one, "added", json_integer(image->added));
	return 0;
}

static int
oldest_first(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->used != y->used)
		return x->used < y->used ? -1 : 1;
	return (x->added > y->added) - (x->added < y->added);
}

/* All of its names, unless a pod has come to use it, and what only it needed. */
static int
remove_image(struct images *s, const struct candidate *c, struct collected *ret, struct err *err)
{
	struct pruned freed;
	json_t *ref;
	size_t i;
	int r;

	json_array_foreach (c->refs, i, ref) {
		r = image_remove(s, str(ref, ""), err);
		if (r == -ERR_FORBIDDEN)
			return 0;
		if (r < 0 && r != -ERR_NOT_FOUND)
			return r;
	}
	if ((r = images_prune(s, &freed, err)) < 0)
		return r;
	ret->images++;
	ret->bytes += freed.bytes;
	return 0;
}

/* --- how much must go ---------------------------------------------------------------------- */

struct disk {
	double capacity, available;
};

static int
look(const struct images *s, struct disk *d, struct err *err)
{
	struct statvfs fs;

	if (statvfs(s->root, &fs) < 0)
		return err_sys(err, errno, "cannot look at the disk of '%s'", s->root);
	d->capacity = (double)fs.f_blocks * (double)fs.f_frsize;
	d->available = (double)fs.f_bavail * (double)fs.f_frsize;
	return 0;
}

static int
remove_some(struct images *s, const struct collect_rules *rules, const struct candidate *c,
    size_t n, double now, double goal, struct collected *ret, struct err *err)
{
	struct disk at;
	double began;
	int r = look(s, &at, err);

	began = at.available;
	for (size_t i = 0; r == 0 && i < n; i++) {
		bool enough = at.available >= goal || began + (double)ret->bytes >= goal;
		bool old = rules->max_age > 0 && now - c[i].used > rules->max_age &&
			   now - c[i].added > rules->max_age;

		if ((enough && !old) || now - c[i].added < rules->min_age ||
		    now - c[i].used < rules->min_age)
			continue;
		if ((r = remove_image(s, &c[i], ret, err)) == 0)
			r = look(s, &at, err);
	}
	if (r == 0 && at.available < goal && began + (double)ret->bytes < goal)
		return err_set(err, ERR_UNAVAILABLE,
		    "Failed to garbage collect required amount of images. Attempted to free %.0f "
		    "bytes, but only found %lld bytes eligible to free.",
		    goal - began, (long long)ret->bytes);
	return r;
}

int
images_collect(struct images *s, const struct collect_rules *rules, double now,
    struct collected *ret, struct err *err)
{
	json_auto_t *all = json_object();
	struct census census = { s, all };
	struct pruned leftovers;
	struct candidate *c;
	struct disk disk;
	const char *id;
	double goal = 0;
	json_t *one;
	size_t n = 0;
	int r;

	*ret = (struct collected){ 0 };
	if (((r = image_each(s, count_in, &census, err)) < 0 && r != -ERR_INTERNAL) ||
	    (r = look(s, &disk, err)) < 0)
		return r;
	if (rules->high < 100 && disk.capacity > 0 &&
	    100 - disk.available * 100 / disk.capacity >= rules->high) {
		goal = disk.capacity * (100 - rules->low) / 100;
		if ((r = images_prune(s, &leftovers, err)) < 0)
			return r;
	} else if (rules->max_age <= 0) {
		return 0;
	}
	c = xcalloc(json_object_size(all) + 1, sizeof *c);
	json_object_foreach (all, id, one)
		c[n++] = (struct candidate){ id, get(one, "refs"), last_used(s, id),
			(double)num(get(one, "added"), 0) };
	qsort(c, n, sizeof *c, oldest_first);
	r = remove_some(s, rules, c, n, now, goal, ret, err);
	free(c);
	return r;
}
