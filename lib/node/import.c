/* Images out of archives: an OCI image layout in a tar, or what `docker save` writes. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/digest.h"
#include "node/files.h"
#include "node/image.h"
#include "node/reference.h"

enum { MAX_JSON = 8 << 20 };

struct import {
	struct images *store;
	const char *folder;  /* the archive, unpacked */
	const char *archive; /* itself, a file */
	const char *name;    /* what the caller calls the image, or NULL */
	int (*each)(void *arg, const char *ref, const char *id, struct err *err);
	void *arg;
};

static int
spool_entry(struct archive *a, const char *path, struct err *err)
{
	autofree char *folder = xstrdup(path);
	autoclose int fd = -1;
	char *slash = strrchr(folder, '/');
	int r;

	*slash = '\0';
	if ((r = mkdir_all(folder, 0700, err)) < 0)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, errno, "cannot write '%s'", path);
	if (archive_read_data_into_fd(a, fd) == ARCHIVE_OK)
		return 0;
	if (archive_errno(a) == ENOSPC || archive_errno(a) == EDQUOT)
		return err_sys(err, archive_errno(a), "cannot write '%s'", path);
	return err_set(err, ERR_INVALID, "cannot read the archive: %s", archive_error_string(a));
}

static struct archive *
open_tar(const char *path, struct err *err)
{
	struct archive *a = archive_read_new();

	archive_read_support_filter_all(a);
	archive_read_support_format_tar(a);
	if (archive_read_open_filename(a, path, 1 << 16) == ARCHIVE_OK)
		return a;
	err_set(err, ERR_INVALID, "not a tar archive: %s", archive_error_string(a));
	archive_read_free(a);
	return NULL;
}

/* What stands in the archive below its root: "./x" and "x" are one. */
static const char *
entry_name(struct archive_entry *e)
{
	const char *name = archive_entry_pathname(e);

	return name && strncmp(name, "./", 2) == 0 ? name + 2 : name;
}

/* What kind of archive is it, by the names in it? */
enum content { NOTHING, IMAGE, ROOT };

static int
look(const char *archive, enum content *ret, struct err *err)
{
	static const char *const tops[] = { "bin", "etc", "lib", "sbin", "usr", NULL };
	struct archive *a = open_tar(archive, err);
	struct archive_entry *e;
	int got, r = 0;

	*ret = NOTHING;
	if (!a)
		return -(int)err->code;
	while (*ret != IMAGE && (got = archive_read_next_header(a, &e)) != ARCHIVE_EOF) {
		const char *name = entry_name(e);
		autofree char *top = xstrndup(name ? name : "", strcspn(name ? name : "", "/"));

		if (got < ARCHIVE_WARN) {
			r = err_set(err, ERR_INVALID, "cannot read the archive: %s",
			    archive_error_string(a));
			break;
		}
		if (name && (strcmp(name, "index.json") == 0 || strcmp(name, "manifest.json") == 0))
			*ret = IMAGE;
		else if (text_in(top, tops) ||
			 (name && !strchr(name, '/') && archive_entry_filetype(e) == AE_IFREG &&
			     (archive_entry_mode(e) & 0111)))
			*ret = ROOT; /* unless what follows says otherwise */
	}
	archive_read_free(a);
	return r;
}

/* The plain files of the archive into our folder. */
static int
spool(const char *archive, const char *folder, struct err *err)
{
	struct archive *a = open_tar(archive, err);
	struct archive_entry *e;
	int r = 0, got;

	if (!a)
		return -(int)err->code;
	while (r == 0 && (got = archive_read_next_header(a, &e)) != ARCHIVE_EOF) {
		const char *name = entry_name(e);

		if (got < ARCHIVE_WARN) {
			r = err_set(err, ERR_INVALID, "cannot read the archive: %s",
			    archive_error_string(a));
		} else if (name && archive_entry_filetype(e) == AE_IFREG) {
			autofree char *path = xasprintf("%s/%s", folder, name);

			r = name_is_below(name)
				? spool_entry(a, path, err)
				: err_set(err, ERR_INVALID,
				      "the archive names a file '%s' outside of it", name);
		}
	}
	archive_read_free(a);
	return r;
}

static int
get_blob(void *arg, const json_t *descriptor, char **file, struct err *err)
{
	const struct import *in = arg;
	const char *digest = text(descriptor, "digest");
	autofree char *path = NULL;
	int r;

	if (!digest_valid(digest))
		return err_set(err, ERR_INVALID, "'%.80s' is no sha256 digest", digest);
	path = xasprintf("%s/blobs/sha256/%s", in->folder, digest_hex(digest));
	if (!file_exists(path))
		return err_set(err, ERR_INVALID, "the archive lacks blob %s", digest);
	if ((r = blob_verify(path, descriptor, err)) < 0)
		return r;
	*file = steal(path);
	return 0;
}

static int
read_blob(struct import *in, const json_t *descriptor, struct buf *raw, struct err *err)
{
	autofree char *file = NULL;
	int r;

	if ((r = get_blob(in, descriptor, &file, err)) < 0)
		return r;
	return buf_read_file(raw, file, MAX_JSON, err);
}

/* containerd and docker write the whole name, skopeo and the specification a tag or name. */
static const char *
layout_name(const struct import *in, const json_t *descriptor)
{
	const char *whole = text(descriptor, "annotations", "io.containerd.image.name");

	if (in->name)
		return in->name;
	return *whole ? whole
		      : text(descriptor, "annotations", "org.opencontainers.image.ref.name");
}

static int
import_descriptor(struct import *in, const json_t *descriptor, struct err *err)
{
	const char *name = layout_name(in, descriptor);
	struct blobs blobs = { in, get_blob };
	autobuf struct buf raw = BUF_INIT;
	json_auto_t *manifest = NULL;
	autofree char *id = NULL, *ref = NULL;
	struct image_source from = { name, text(descriptor, "digest"), "import", 0, NULL };
	int r;

	if (!*name)
		return err_set(err, ERR_INVALID,
		    "the archive does not say how the image is called: "
		    "give a name");
	if ((r = reference_complete(&ref, name, err)) < 0 ||
	    (r = read_blob(in, descriptor, &raw, err)) < 0 ||
	    (r = manifest_parse(&manifest, &raw, err)) < 0)
		return r;
	if (manifest_is_index(manifest)) {
		const json_t *mine;

		buf_clear(&raw);
		if ((r = index_choose(manifest, &mine, err)) < 0 ||
		    (r = read_blob(in, mine, &raw, err)) < 0)
			return err_wrap(err, "image '%s'", name);
	}
	if ((r = image_assemble(in->store, &raw, &blobs, &from, &id, err)) < 0)
		return err_wrap(err, "image '%s'", name);
	return in->each ? in->each(in->arg, ref, id, err) : 0;
}

static int
import_layout(struct import *in, const json_t *index, struct err *err)
{
	json_t *list = get(index, "manifests"), *descriptor;
	size_t i;
	int r;

	if (json_array_size(list) == 0)
		return err_set(err, ERR_INVALID, "the archive holds no image");
	if (in->name && json_array_size(list) > 1)
		return err_set(err, ERR_INVALID,
		    "the archive holds %zu images: one name cannot be for all",
		    json_array_size(list));
	json_array_foreach (list, i, descriptor)
		if ((r = import_descriptor(in, descriptor, err)) < 0)
			return r;
	return 0;
}

/* One element of docker's manifest.json: {"Config": file, "RepoTags": [name], "Layers": [file]}. */
static int
import_saved(struct import *in, const json_t *saved, struct err *err)
{
	const char *name = in->name ? in->name : str(json_array_get(get(saved, "RepoTags"), 0), "");
	struct image_source from = { name, "", "import", 0, NULL };
	autofree char *path = NULL, *id = NULL, *ref = NULL;
	autobuf struct buf raw = BUF_INIT;
	json_auto_t *config = NULL;
	json_t *layers = get(saved, "Layers"), *layer;
	size_t i;
	int r;

	if (!*name)
		return err_set(err, ERR_INVALID,
		    "the archive does not say how the image is called: "
		    "give a name");
	if (!name_is_below(text(saved, "Config")))
		return err_set(
		    err, ERR_INVALID, "manifest.json: bad Config '%s'", text(saved, "Config"));
	path = xasprintf("%s/%s", in->folder, text(saved, "Config"));
	if ((r = reference_complete(&ref, name, err)) < 0 ||
	    (r = buf_read_file(&raw, path, MAX_JSON, err)) < 0 ||
	    (r = image_config_parse(&config, &raw, json_array_size(layers), err)) < 0)
		return err_wrap(err, "image '%s'", name);
	json_array_foreach (layers, i, layer) {
		autofree char *file = xasprintf("%s/%s", in->folder, str(layer, ""));
		json_t *diff_id = json_array_get(get(config, "rootfs", "diff_ids"), i);
		struct stat st = { 0 };

		if (!name_is_below(str(layer, "")))
			return err_set(
			    err, ERR_INVALID, "manifest.json: bad layer '%s'", str(layer, ""));
		if ((r = layer_add(in->store, file, str(diff_id, ""), err)) < 0)
			return err_wrap(err, "image '%s'", name);
		stat(file, &st);
		from.size += st.st_size;
	}
	if ((r = image_commit(in->store, &raw, &from, &id, err)) < 0)
		return r;
	return in->each ? in->each(in->arg, ref, id, err) : 0;
}

static int
read_json(const char *folder, const char *name, json_t **ret, struct err *err)
{
	autofree char *path = xasprintf("%s/%s", folder, name);
	autobuf struct buf b = BUF_INIT;
	json_error_t where;
	int r;

	if ((r = buf_read_file(&b, path, MAX_JSON, err)) < 0)
		return r;
	if (!(*ret = json_loadb(b.data, b.len, 0, &where)))
		return err_set(err, ERR_INVALID, "%s, line %d: %s", name, where.line, where.text);
	return 0;
}

/* A root file system: the archive is the layer. */
static int
import_root(struct import *in, struct err *err)
{
	struct image_source from = { in->name, "", "import", 0, NULL };
	autofree char *id = NULL, *ref = NULL;
	autobuf struct buf raw = BUF_INIT;
	json_auto_t *config = NULL;
	char diff_id[DIGEST_TEXT];
	struct stat st = { 0 };
	int r;

	if (!in->name)
		return err_set(err, ERR_INVALID, "a root file system has no name: give one");
	if ((r = reference_complete(&ref, in->name, err)) < 0 ||
	    (r = layer_diff_id(in->archive, diff_id, err)) < 0 ||
	    (r = layer_add(in->store, in->archive, diff_id, err)) < 0)
		return r;
	config = json_pack("{s:s, s:s, s:{}, s:{s:s, s:[s]}}", "architecture", image_architecture(),
	    "os", "linux", "config", "rootfs", "type", "layers", "diff_ids", diff_id);
	json_add(&raw, config);
	stat(in->archive, &st);
	from.size = st.st_size;
	if ((r = image_commit(in->store, &raw, &from, &id, err)) < 0)
		return r;
	return in->each ? in->each(in->arg, ref, id, err) : 0;
}

static int
import_folder(struct import *in, struct err *err)
{
	json_auto_t *index = NULL, *saved = NULL;
	json_t *one;
	size_t i;
	int r;

	if ((r = read_json(in->folder, "index.json", &index, err)) == 0)
		return import_layout(in, index, err);
	if (r != -ERR_NOT_FOUND)
		return r;
	if ((r = read_json(in->folder, "manifest.json", &saved, err)) < 0)
		return r;
	json_array_foreach (saved, i, one)
		if ((r = import_saved(in, one, err)) < 0)
			return r;
	return 0;
}

/* The archive as a file: a pipe is written down. */
static int
keep_archive(int fd, const char *tmp, char **ret, struct err *err)
{
	autofree char *path = xasprintf("%s/archive", tmp);
	autoclose int to = -1;
	struct stat st;
	char block[65536];
	ssize_t n;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_CUR) == 0) {
		*ret = xasprintf("/proc/self/fd/%d", fd);
		return 0;
	}
	if ((to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
		return err_sys(err, errno, "cannot write '%s'", path);
	while ((n = read(fd, block, sizeof block)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0 && write(to, block, (size_t)n) != n)
			return err_sys(err, errno ? errno : ENOSPC, "cannot write '%s'", path);
	if (n < 0)
		return err_sys(err, errno, "cannot read the archive");
	*ret = steal(path);
	return 0;
}

static int
import_archive(struct import *in, const char *tmp, struct err *err)
{
	autofree char *folder = xasprintf("%s/files", tmp);
	enum content content;
	int r;

	in->folder = folder;
	if ((r = look(in->archive, &content, err)) < 0)
		return r;
	if (content == ROOT)
		return import_root(in, err);
	if (content == NOTHING)
		return err_set(err, ERR_INVALID,
		    "neither an OCI layout (index.json), nor a docker archive (manifest.json), nor "
		    "a "
		    "root file system (bin, etc, usr)");
	if ((r = mkdir_all(folder, 0700, err)) < 0 || (r = spool(in->archive, folder, err)) < 0)
		return r;
	return import_folder(in, err);
}

int
image_import(struct images *s, int fd, const char *name,
    int (*each)(void *arg, const char *ref, const char *id, struct err *err), void *arg,
    struct err *err)
{
	autoclose int hold = images_hold(s, err);
	autofree char *tmp = NULL, *archive = NULL;
	struct import in = { s, NULL, NULL, name, each, arg };
	struct err ignored;
	int r;

	if (hold < 0)
		return hold;
	if ((r = images_tmp(s, &tmp, err)) < 0)
		return r;
	if ((r = keep_archive(fd, tmp, &archive, err)) == 0) {
		in.archive = archive;
		r = import_archive(&in, tmp, err);
	}
	tree_remove(tmp, &ignored);
	return r;
}
