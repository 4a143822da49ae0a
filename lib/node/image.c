/* The image store: references, configurations, layers on disk. image.h says how it is laid out. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/digest.h"
#include "node/files.h"
#include "node/image.h"
#include "node/image_store.h"
#include "node/reference.h"

enum { MAX_JSON = 8 << 20 };

int
images_open(struct images **ret, const char *data, struct err *err)
{
	static const char *const folders[] = { "", "refs", "configs", "layers", "layers/empty",
		"partial", "used", "users" };
	struct images *s = xcalloc(1, sizeof *s);
	int r;

	s->data = xstrdup(data);
	s->root = xasprintf("%s/images", data);
	s->layers = xasprintf("%s/layers", s->root);
	r = mkdir_all(data, 0711, err);
	for (size_t i = 0; i < COUNT(folders) && r == 0; i++) {
		autofree char *path = xasprintf("%s/%s", s->root, folders[i]);

		r = mkdir_all(
		    path, i == 0 ? 0700 : 0755, err); /* set-user-id programs live in there */
	}
	if (r < 0)
		images_close(s);
	else
		*ret = s;
	return r;
}

void
images_close(struct images *s)
{
	if (!s)
		return;
	free(s->data);
	free(s->root);
	free(s->layers);
	free(s);
}

const char *
images_layers(const struct images *s)
{
	return s->layers;
}

int
store_lock(struct images *s, int how, struct err *err)
{
	autofree char *path = xasprintf("%s/lock", s->root);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	while (flock(fd, how) < 0)
		if (errno != EINTR) {
			close(fd);
			return err_sys(err, errno, "cannot lock '%s'", path);
		}
	return fd;
}

int
images_hold(struct images *s, struct err *err)
{
	return store_lock(s, LOCK_SH, err);
}

int
images_tmp(struct images *s, char **ret, struct err *err)
{
	autofree char *path = xasprintf("%s/tmp.XXXXXX", s->root);

	if (!mkdtemp(path))
		return err_sys(err, errno, "cannot create a folder in '%s'", s->root);
	*ret = steal(path);
	return 0;
}

/* refs/NAME of a completed reference: '/' is the only character that no file name takes. */
char *
store_ref_path(const struct images *s, const char *ref)
{
	autobuf struct buf b = BUF_INIT;

	buf_printf(&b, "%s/refs/", s->root);
	for (; *ref; ref++)
		if (*ref == '/')
			buf_puts(&b, "%2F");
		else
			buf_putc(&b, *ref);
	return buf_detach(&b);
}

static char *
config_path(const struct images *s, const char *id)
{
	return xasprintf("%s/configs/%s", s->root, digest_hex(id));
}

void
image_release(struct image *image)
{
	free(image->ref);
	free(image->id);
	free(image->digest);
	free(image->source);
	json_decref(image->layers);
	json_decref(image->config);
	*image = (struct image){ 0 };
}

static int
load_json(const char *path, json_t **ret, bool *damaged, struct err *err)
{
	autobuf struct buf b = BUF_INIT;
	json_error_t where;
	int r;

	if ((r = buf_read_file(&b, path, MAX_JSON, err)) < 0)
		return r;
	if ((*ret = json_loadb(b.data, b.len, 0, &where)))
		return 0;
	*damaged = true;
	return err_set(err, ERR_INTERNAL, "'%s' is damaged: %s", path, where.text);
}

/* The configuration of an image, whose name is its digest. */
static int
load_config(struct images *s, struct image *image, struct err *err)
{
	autofree char *file = config_path(s, image->id);
	autobuf struct buf b = BUF_INIT;
	char digest[DIGEST_TEXT];
	int r;

	r = buf_read_file(&b, file, MAX_JSON, err);
	if (r < 0 && r != -ERR_NOT_FOUND)
		return r;
	if (r == 0 && strcmp(digest_of(b.data ? b.data : "", b.len, digest), image->id) == 0 &&
	    (image->config = json_loadb(b.data, b.len, 0, NULL)))
		return 0;
	image->damaged = true;
	if (r < 0)
		return err_set(err, ERR_INTERNAL, "'%s' is gone", file);
	return err_set(err, ERR_INTERNAL, "'%s' is damaged: its digest is %.19s", file, digest);
}

int
image_load(struct images *s, const char *path, struct image *ret, struct err *err)
{
	json_auto_t *ref = NULL;
	int r;

	*ret = (struct image){ 0 };
	if ((r = load_json(path, &ref, &ret->damaged, err)) < 0)
		return r;
	if (!digest_valid(text(ref, "id")) || !*text(ref, "ref")) {
		ret->damaged = true;
		return err_set(err, ERR_INTERNAL, "'%s' is damaged: it names no image", path);
	}
	*ret = (struct image){
		.ref = xstrdup(text(ref, "ref")),
		.id = xstrdup(text(ref, "id")),
		.digest = xstrdup(text(ref, "digest")),
		.source = xstrdup(text(ref, "source")),
		.size = num(get(ref, "size"), 0),
		.added = num(get(ref, "added"), 0),
		.layers = json_incref(get(ref, "layers")),
	};
	return load_config(s, ret, err);
}

static int
load(struct images *s, const char *path, struct image *ret, struct err *err)
{
	int r = image_load(s, path, ret, err);

	if (r < 0)
		image_release(ret);
	return r;
}

int
image_whole(struct images *s, const struct image *image, struct err *err)
{
	json_t *diff;
	size_t i;

	json_array_foreach (get(image->config, "rootfs", "diff_ids"), i, diff)
		if (!layer_present(s, str(diff, "")))
			return err_set(err, ERR_INTERNAL,
			    "image '%s' is damaged: layer %.19s is gone", image->ref,
			    str(diff, ""));
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder of the store, sorted. */
int
store_names(const struct images *s, const char *folder, struct names *out, struct err *err)
{
	autofree char *path = xasprintf("%s/%s", s->root, folder);
	DIR *d = opendir(path);
	struct dirent *e;

	*out = (struct names){ 0 };
	if (!d)
		return err_sys(err, errno, "cannot read '%s'", path);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.') {
			GROW(out->item, out->n, out->cap);
			out->item[out->n++] = xstrdup(e->d_name);
		}
	closedir(d);
	if (out->n)
		qsort(out->item, out->n, sizeof *out->item, by_name);
	return 0;
}

void
names_release(struct names *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->item[i]);
	free(n->item);
}

int
image_each(struct images *s, int (*each)(void *, const struct image *, struct err *), void *arg,
    struct err *err)
{
	struct names refs;
	struct err damage = { 0 };
	int r = store_names(s, "refs", &refs, err);

	for (size_t i = 0; r == 0 && i < refs.n; i++) {
		autofree char *path = xasprintf("%s/refs/%s", s->root, refs.item[i]);
		struct image image;

		if ((r = load(s, path, &image, err)) == -ERR_NOT_FOUND || r == -ERR_INTERNAL) {
			if (r == -ERR_INTERNAL && !damage.code)
				damage = *err;
			r = 0; /* removed since we read the names, or no reason to hide the others
				*/
			continue;
		}
		if (r < 0)
			break;
		r = each(arg, &image, err);
		image_release(&image);
	}
	names_release(&refs);
	if (r == 0 && damage.code) {
		*err = damage;
		r = -(int)damage.code;
	}
	return r;
}

struct by_id {
	const char *id;
	struct image *ret;
	struct images *s;
};

static int
match_id(void *arg, const struct image *image, struct err *err)
{
	struct by_id *want = arg;
	autofree char *path = NULL;

	if (strcmp(image->id, want->id) != 0)
		return 0;
	path = store_ref_path(want->s, image->ref);
	return load(want->s, path, want->ret, err) < 0 ? -(int)err->code : 1;
}

int
image_find(struct images *s, const char *ref, struct image *ret, struct err *err)
{
	autofree char *full = NULL, *path = NULL;
	int r;

	if (digest_valid(ref)) {
		struct by_id want = { ref, ret, s };

		if ((r = image_each(s, match_id, &want, err)) == 0)
			return err_set(err, ERR_NOT_FOUND, "image '%s' is not here", ref);
		return r < 0 ? r : 0;
	}
	if ((r = reference_complete(&full, ref, err)) < 0)
		return r;
	path = store_ref_path(s, full);
	if ((r = load(s, path, ret, err)) == -ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, "image '%s' is not here", ref);
	return r < 0 ? err_wrap(err, "image '%s'", ref) : 0;
}

int
image_commit(struct images *s, const struct buf *config, const struct image_source *from, char **id,
    struct err *err)
{
	char digest[DIGEST_TEXT];
	autofree char *path = NULL, *ref = NULL, *file = NULL;
	autobuf struct buf b = BUF_INIT;
	json_auto_t *entry = NULL;
	int r;

	if ((r = reference_complete(&ref, from->ref, err)) < 0)
		return r;
	file = config_path(s, digest_of(config->data, config->len, digest));
	if ((r = file_replace(file, config->data, config->len, 0644, err)) < 0)
		return r;
	entry = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:O?}", "ref", ref, "id", digest,
	    "digest", from->digest, "source", from->source, "size", (json_int_t)from->size, "added",
	    (json_int_t)clock_now(), "layers", from->layers);
	jsonl_add(&b, entry);
	path = store_ref_path(s, ref);
	if ((r = file_replace(path, b.data, b.len, 0644, err)) < 0)
		return r;
	if (id)
		*id = xstrdup(digest);
	return 0;
}

char *
image_status_id(const struct image *image)
{
	struct reference r;
	struct err ignored;
	char *out;

	if (!*image->digest || reference_parse(&r, image->ref, &ignored) < 0)
		return xstrdup(image->id);
	out = xasprintf("%s/%s@%s", r.domain, r.path, image->digest);
	reference_release(&r);
	return out;
}

char *
image_lowerdir(const struct image *image)
{
	json_t *diffs = get(image->config, "rootfs", "diff_ids");
	autobuf struct buf b = BUF_INIT;

	for (size_t i = json_array_size(diffs); i-- > 0;) {
		char name[LAYER_NAME];

		buf_printf(&b, "%s%s", b.len ? ":" : "",
		    layer_name(str(json_array_get(diffs, i), ""), name));
	}
	if (b.len == 0)
		buf_puts(&b, "empty");
	return buf_detach(&b);
}

const char *
image_architecture(void)
{
	static const char *const words[][2] = { { "x86_64", "amd64" }, { "aarch64", "arm64" },
		{ "armv7l", "arm" }, { "armv6l", "arm" }, { "i686", "386" },
		{ "ppc64le", "ppc64le" }, { "s390x", "s390x" }, { "riscv64", "riscv64" } };
	struct utsname u;

	uname(&u);
	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(u.machine, words[i][0]) == 0)
			return words[i][1];
	return "unknown";
}

int
image_config_parse(json_t **ret, const struct buf *raw, size_t layers, struct err *err)
{
	json_error_t where;
	json_auto_t *config = json_loadb(raw->data, raw->len, 0, &where);
	json_t *diffs = get(config, "rootfs", "diff_ids"), *diff;
	const char *arch = text(config, "architecture");
	size_t i;

	if (!json_is_object(config))
		return err_set(err, ERR_INVALID, "its configuration is not JSON: %s", where.text);
	if (json_array_size(diffs) != layers)
		return err_set(err, ERR_INVALID,
		    "its configuration names %zu layers, its manifest %zu", json_array_size(diffs),
		    layers);
	json_array_foreach (diffs, i, diff)
		if (!digest_valid(str(diff, "")))
			return err_set(err, ERR_INVALID,
			    "rootfs.diff_ids[%zu] of its configuration is not a sha256 digest", i);
	if (*arch && strcmp(arch, image_architecture()) != 0)
		return err_set(err, ERR_INVALID, "it is made for %s, this machine is %s", arch,
		    image_architecture());
	*ret = steal(config);
	return 0;
}
