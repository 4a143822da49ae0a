/* Images out of archives: an OCI image layout in a tar, or what `docker save` writes. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/digest.h"
#include "node/files.h"
#include "node/image.h"
#include "node/reference.h"

enum { MAX_JSON = 8 << 20 };

struct import {
	struct images *store;
	const char *folder; /* the archive, unpacked */
	const char *name;   /* what the caller calls the image, or NULL */
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

/* The plain files of the archive into our folder. */
static int
spool(int fd, const char *folder, struct err *err)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	int r = 0, got;

	archive_read_support_filter_all(a);
	archive_read_support_format_tar(a);
	if (archive_read_open_fd(a, fd, 1 << 16) != ARCHIVE_OK)
		r = err_set(err, ERR_INVALID, "not a tar archive: %s", archive_error_string(a));
	while (r == 0 && (got = archive_read_next_header(a, &e)) != ARCHIVE_EOF) {
		const char *name = archive_entry_pathname(e);

		if (got < ARCHIVE_WARN) {
			r = err_set(err, ERR_INVALID, "cannot read the archive: %s",
			    archive_error_string(a));
		} else if (name && archive_entry_filetype(e) == AE_IFREG) {
			autofree char *path = NULL;

			name += strncmp(name, "./", 2) == 0 ? 2 : 0;
			path = xasprintf("%s/%s", folder, name);
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
	struct image_source from = { name, text(descriptor, "digest"), "import", 0 };
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
	struct image_source from = { name, "", "import", 0 };
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
	if ((r = read_json(in->folder, "manifest.json", &saved, err)) == -ERR_NOT_FOUND)
		return err_set(err, ERR_INVALID,
		    "neither an OCI layout (index.json) nor a docker archive (manifest.json)");
	if (r < 0)
		return r;
	json_array_foreach (saved, i, one)
		if ((r = import_saved(in, one, err)) < 0)
			return r;
	return 0;
}

int
image_import(struct images *s, int fd, const char *name,
    int (*each)(void *arg, const char *ref, const char *id, struct err *err), void *arg,
    struct err *err)
{
	autoclose int hold = images_hold(s, err);
	autofree char *tmp = NULL;
	struct import in = { s, NULL, name, each, arg };
	struct err ignored;
	int r;

	if (hold < 0)
		return hold;
	if ((r = images_tmp(s, &tmp, err)) < 0)
		return r;
	in.folder = tmp;
	if ((r = spool(fd, tmp, err)) == 0)
		r = import_folder(&in, err);
	tree_remove(tmp, &ignored);
	return r;
}
