/* Taking images out of the store, and what no image needs any more. */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/digest.h"
#include "node/files.h"
#include "node/image.h"
#include "node/image_store.h"
#include "node/reference.h"

enum { MAX_STATE = 8 << 20 };

static bool
names(const char *file, const struct image *image)
{
	autobuf struct buf b = BUF_INIT;
	struct err ignored;

	if (buf_read_file(&b, file, MAX_STATE, &ignored) < 0)
		return file_exists(file); /* who cannot be read may use it */
	if (!b.data)
		return false;
	if (!image->id) /* damaged: its name is all that is known */
		return strstr(b.data, image->ref) != NULL;
	return strstr(b.data, image->id) || (*image->digest && strstr(b.data, image->digest));
}

/* Does a container or volume of this data folder come from the image?  Pods' state files name what
 * they use.
 */
static bool
used_below(const char *data, const struct image *image)
{
	autofree char *pods = xasprintf("%s/pods", data);
	DIR *d = opendir(pods);
	struct dirent *e;
	bool found = !d && file_exists(pods);

	while (d && !found && (e = readdir(d))) {
		autofree char *state = xasprintf("%s/%s/state.json", pods, e->d_name);
		autofree char *volumes = xasprintf("%s/%s/" VOLUME_IMAGES, pods, e->d_name);

		found = e->d_name[0] != '.' && (names(state, image) || names(volumes, image));
	}
	if (d)
		closedir(d);
	return found;
}

bool
store_in_use(struct images *s, const struct image *image)
{
	bool found = used_below(s->data, image);
	struct names users;
	struct err ignored;

	if (store_names(s, "users", &users, &ignored) == 0)
		for (size_t i = 0; i < users.n && !found; i++) {
			autofree char *data = xasprintf("%s/users/%s", s->root, users.item[i]);

			found = used_below(data, image);
			if (!file_exists(data)) /* that folder has gone */
				unlink(data);
		}
	names_release(&users);
	return found;
}

/* The path of what `ref` names, whether it can be read or not; *image gets what could be. */
static int
find_any(struct images *s, const char *ref, struct image *image, char **path, struct err *err)
{
	autofree char *full = NULL;
	int r = image_find(s, ref, image, err);

	if (r == 0) {
		*path = store_ref_path(s, image->ref);
		return 0;
	}
	if (r != -ERR_INTERNAL || digest_valid(ref) || reference_complete(&full, ref, err) < 0)
		return r;
	*path = store_ref_path(s, full);
	if ((r = image_load(s, *path, image, err)) < 0 && !image->damaged) {
		image_release(image);
		return r;
	}
	if (!image->ref)
		image->ref = steal(full);
	return 0;
}

int
image_remove(struct images *s, const char *ref, struct err *err)
{
	autoclose int fd = store_lock(s, LOCK_EX, err);
	autofree char *path = NULL;
	struct image image;
	bool used;
	int r;

	if (fd < 0)
		return fd;
	if ((r = find_any(s, ref, &image, &path, err)) < 0)
		return r;
	used = store_in_use(s, &image);
	image_release(&image);
	if (used)
		return err_set(err, ERR_FORBIDDEN, "image '%s' is used by a pod", ref);
	if (unlink(path) < 0)
		return err_sys(err, errno, "cannot remove '%s'", path);
	return 0;
}

/* "docker.io%2Flibrary%2Fweb:1" */
static char *
ref_of_file(const char *name)
{
	autobuf struct buf b = BUF_INIT;

	for (; *name; name++)
		if (strncmp(name, "%2F", 3) == 0) {
			buf_putc(&b, '/');
			name += 2;
		} else {
			buf_putc(&b, *name);
		}
	return buf_detach(&b);
}

/*
 * References that lead nowhere any more are removed, unless a pod runs from the image: then nobody
 * knows which layers it stands on, and *unknown says to leave them all.
 */
static int
remove_damaged(struct images *s, bool *unknown, struct err *err)
{
	struct names refs;
	int r = store_names(s, "refs", &refs, err);

	for (size_t i = 0; r == 0 && i < refs.n; i++) {
		autofree char *path = xasprintf("%s/refs/%s", s->root, refs.item[i]);
		struct image image;

		if (image_load(s, path, &image, err) < 0 && image.damaged) {
			if (!image.ref)
				image.ref = ref_of_file(refs.item[i]);
			if (store_in_use(s, &image))
				*unknown = true;
			else if (unlink(path) < 0)
				r = err_sys(err, errno, "cannot remove '%s'", path);
		}
		image_release(&image);
	}
	names_release(&refs);
	return r;
}

/* Everything that the references need: layer folder names and configuration digests. */
static int
keep(void *arg, const struct image *image, struct err *err)
{
	json_t *needed = arg, *diff;
	size_t i;

	(void)err;
	json_object_set_new(needed, digest_hex(image->id), json_true());
	json_array_foreach (get(image->config, "rootfs", "diff_ids"), i, diff) {
		char name[LAYER_NAME];

		json_object_set_new(needed, layer_name(str(diff, ""), name), json_true());
	}
	return 0;
}

static int64_t tree_bytes; /* nftw() hands nothing through */

static int
add_size(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)path;
	(void)type;
	(void)at;
	tree_bytes +=
	    (int64_t)st->st_blocks * 512 / (S_ISDIR(st->st_mode) ? 1 : (int64_t)st->st_nlink);
	return 0;
}

/* What removing it gives back, in bytes of the disk. */
static int64_t
tree_size(const char *path)
{
	tree_bytes = 0;
	nftw(path, add_size, 16, FTW_PHYS | FTW_MOUNT);
	return tree_bytes;
}

static int
sweep(struct images *s, const char *folder, const json_t *needed, struct pruned *freed,
    struct err *err)
{
	struct names found;
	int r = store_names(s, folder, &found, err);

	for (size_t i = 0; r == 0 && i < found.n; i++) {
		autofree char *path = xasprintf("%s/%s/%s", s->root, folder, found.item[i]);
		bool tmp = text_starts(found.item[i], "tmp.");

		if (*folder ? json_object_get(needed, found.item[i]) != NULL : !tmp)
			continue;
		freed->bytes += tree_size(path);
		if ((r = tree_remove(path, err)) == 0)
			freed->things++;
	}
	names_release(&found);
	return r;
}

bool
images_left(const struct images *s)
{
	struct names found;
	struct err ignored;
	bool ret = false;

	if (store_names(s, "", &found, &ignored) < 0)
		return false;
	for (size_t i = 0; i < found.n; i++)
		ret = ret || text_starts(found.item[i], "tmp.");
	names_release(&found);
	return ret;
}

int
images_sweep(struct images *s, struct err *err)
{
	struct pruned uncounted = { 0 };
	autoclose int fd = store_lock(s, LOCK_EX | LOCK_NB, err);

	if (fd < 0) /* they are somebody's, who is at work */
		return errno == EWOULDBLOCK ? 1 : fd;
	return sweep(s, "", NULL, &uncounted, err);
}

int
images_prune(struct images *s, struct pruned *freed, struct err *err)
{
	struct pruned ignored, uncounted = { 0 };
	autoclose int fd = store_lock(s, LOCK_EX, err);
	json_auto_t *needed = json_pack("{s:b}", "empty", 1);
	bool unknown = false;
	int r;

	if (fd < 0)
		return fd;
	if (!freed)
		freed = &ignored;
	*freed = (struct pruned){ 0 };
	if ((r = remove_damaged(s, &unknown, err)) < 0 ||
	    ((r = image_each(s, keep, needed, err)) < 0 && !unknown) ||
	    (!unknown && (r = sweep(s, "configs", needed, freed, err)) < 0) ||
	    (!unknown && (r = sweep(s, "layers", needed, freed, err)) < 0) ||
	    (r = sweep(s, "partial", needed, freed, err)) < 0 ||
	    (r = sweep(s, "used", needed, &uncounted, err)) < 0)
		return r;
	return sweep(s, "", needed, freed, err);
}
