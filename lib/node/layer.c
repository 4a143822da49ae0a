/*
 * Unpacking a layer: a tar, compressed or not, into a folder as overlayfs wants it.
 *
 * OCI image-spec, "Image Layer Filesystem Changeset": an entry ".wh.NAME" deletes NAME of the
 * layers below, ".wh..wh..opq" hides all that they have in this folder.  overlayfs writes the first
 * as a character device 0/0 and the second as the attribute trusted.overlay.opaque=y on the folder.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/mem.h"
#include "base/text.h"
#include "node/digest.h"
#include "node/files.h"
#include "node/image.h"
#include "node/image_store.h"

/* Deletions are kept in memory until the end of a layer. */
enum { MAX_WHITEOUTS = 1 << 20 };

struct unpack {
	struct archive *raw;  /* takes the compression off */
	struct digest digest; /* of the bytes after that */
	struct names whiteouts;
	char block[65536];
};

const char *
layer_name(const char *diff_id, char buf[static LAYER_NAME])
{
	snprintf(buf, LAYER_NAME, "%.24s", digest_valid(diff_id) ? digest_hex(diff_id) : "invalid");
	return buf;
}

static char *
layer_path(const struct images *s, const char *diff_id)
{
	char name[LAYER_NAME];

	return xasprintf("%s/%s", s->layers, layer_name(diff_id, name));
}

char *
layer_folder(const char *diff_id)
{
	char name[LAYER_NAME];

	return xstrdup(layer_name(diff_id, name));
}

bool
layer_present(struct images *s, const char *diff_id)
{
	autofree char *path = layer_path(s, diff_id);

	return file_exists(path);
}

static la_ssize_t
read_tar(struct archive *a, void *arg, const void **block)
{
	struct unpack *u = arg;
	la_ssize_t n = archive_read_data(u->raw, u->block, sizeof u->block);

	if (n < 0)
		archive_set_error(a, EIO, "%s", archive_error_string(u->raw));
	else
		digest_add(&u->digest, u->block, (size_t)n);
	*block = u->block;
	return n;
}

/* Remember a whiteout for later; is this entry one (or a leftover of aufs)? */
static bool
whiteout(struct unpack *u, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (!text_starts(name, ".wh."))
		return false;
	if (!text_starts(name, ".wh..wh.") || strcmp(name, ".wh..wh..opq") == 0) {
		GROW(u->whiteouts.item, u->whiteouts.n, u->whiteouts.cap);
		u->whiteouts.item[u->whiteouts.n++] = xstrdup(path);
	}
	return true;
}

static int
copy_data(struct archive *from, struct archive *to)
{
	const void *block;
	size_t size;
	la_int64_t offset;
	int r;

	while ((r = archive_read_data_block(from, &block, &size, &offset)) == ARCHIVE_OK)
		if (archive_write_data_block(to, block, size, offset) < ARCHIVE_OK)
			return -1;
	return r == ARCHIVE_EOF ? 0 : -1;
}

/* "/etc/passwd" in an archive means the image's own. */
static void
relative_names(struct archive_entry *e)
{
	const char *path = archive_entry_pathname(e), *link = archive_entry_hardlink(e);

	if (*path == '/') {
		autofree char *copy = xstrdup(path + strspn(path, "/"));

		archive_entry_set_pathname(e, *copy ? copy : ".");
	}
	if (link && *link == '/') {
		autofree char *copy = xstrdup(link + strspn(link, "/"));

		archive_entry_set_hardlink(e, copy);
	}
}

/* Keep file capabilities and users' attributes; an image has no say in overlayfs' own. */
static void
safe_attributes(struct archive_entry *e)
{
	struct {
		const char *name;
		const void *value;
		size_t size;
	} keep[64];
	const char *name;
	const void *value;
	size_t size, n = 0;

	archive_entry_xattr_reset(e);
	while (archive_entry_xattr_next(e, &name, &value, &size) == ARCHIVE_OK)
		if (n < COUNT(keep) &&
		    (strcmp(name, "security.capability") == 0 || text_starts(name, "user."))) {
			void *copy = xmalloc(size);

			memcpy(copy, value, size);
			keep[n].name = xstrdup(name);
			keep[n].value = copy;
			keep[n++].size = size;
		}
	archive_entry_xattr_clear(e);
	while (n-- > 0) {
		archive_entry_xattr_add_entry(e, keep[n].name, keep[n].value, keep[n].size);
		free((void *)keep[n].name);
		free((void *)keep[n].value);
	}
}

/* Is it this machine (a full disk) or the archive? */
static int
blame(struct archive *disk, struct archive *tar, const char *path, struct err *err)
{
	static const int ours[] = { ENOSPC, EDQUOT, EROFS, EIO, EACCES, EPERM, EMFILE, ENFILE };
	const char *why = archive_error_string(disk);

	for (size_t i = 0; i < COUNT(ours) && why; i++)
		if (archive_errno(disk) == ours[i])
			return err_set(
			    err, ERR_INTERNAL, "cannot unpack '%s': %s", path, strerror(ours[i]));
	return err_set(err, ERR_INVALID, "cannot unpack '%s': %s", path,
	    why ? why : archive_error_string(tar));
}

/* A file takes the place of a folder that this layer has made before it: the later entry counts. */
static void
make_way(const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	autoclose int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
	struct err ignored;

	if (fd >= 0 && name_is_below(path))
		tree_remove(path, &ignored);
}

static int
extract(struct unpack *u, struct archive *tar, struct archive *disk, struct err *err)
{
	struct archive_entry *e;
	int r;

	while ((r = archive_read_next_header(tar, &e)) != ARCHIVE_EOF) {
		const char *path;

		if (u->whiteouts.n > MAX_WHITEOUTS)
			return err_set(
			    err, ERR_INVALID, "it deletes more than %d names", MAX_WHITEOUTS);

		if (r < ARCHIVE_WARN)
			return err_set(
			    err, ERR_INVALID, "bad archive: %s", archive_error_string(tar));
		path = archive_entry_pathname(e);
		if (!path)
			return err_set(err, ERR_INVALID, "bad archive: a name that cannot be read");
		if (whiteout(u, path + strspn(path, "/")))
			continue;
		relative_names(e);
		safe_attributes(e);
		path = archive_entry_pathname(e);
		if (archive_entry_filetype(e) != AE_IFDIR || archive_entry_hardlink(e))
			make_way(path);
		if (archive_write_header(disk, e) < ARCHIVE_WARN || copy_data(tar, disk) < 0 ||
		    archive_write_finish_entry(disk) < ARCHIVE_WARN)
			return blame(disk, tar, path, err);
	}
	return 0;
}

/* A folder below the working folder, made when missing, never through a symbolic link. */
static int
open_folder(char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	int at = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (char *part = strtok(path, "/"); part && at >= 0; part = strtok(NULL, "/")) {
		int next;

		if (mkdirat(at, part, 0755) < 0 && errno != EEXIST)
			next = -1;
		else
			next = (int)syscall(SYS_openat2, at, part, &how, sizeof how);
		close(at);
		at = next;
	}
	return at;
}

/* A way that leads through a link or a file is the image's fault. */
static int
undeleted(int code, const char *path, struct err *err)
{
	bool theirs = code == ELOOP || code == EXDEV || code == ENOTDIR || code == ENAMETOOLONG;

	err_sys(err, code, "cannot apply the deletion '%s'", path);
	if (theirs)
		err->code = ERR_INVALID;
	return -(int)err->code;
}

static int
apply_whiteout(char *path, struct err *err)
{
	autofree char *copy = xstrdup(path);
	char *slash = strrchr(copy, '/');
	const char *name = slash ? slash + 1 : copy;
	autofree char *folder = slash ? xstrndup(copy, (size_t)(slash - copy)) : xstrdup("");
	autoclose int at = open_folder(folder);

	if (at < 0)
		return undeleted(errno, path, err);
	if (strcmp(name, ".wh..wh..opq") == 0) {
		if (fsetxattr(at, "trusted.overlay.opaque", "y", 1, 0) < 0)
			return err_sys(err, errno, "cannot apply the deletion '%s'", path);
		return 0;
	}
	name += strlen(".wh.");
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(err, ERR_INVALID, "bad deletion '%s'", path);
	/* A layer's own file of that name stays: deletions concern the layers below. */
	if (mknodat(at, name, S_IFCHR, makedev(0, 0)) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot apply the deletion '%s'", path);
	return 0;
}

static struct archive *
open_disk(void)
{
	struct archive *disk = archive_write_disk_new();
	int flags = ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
		    ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_UNLINK |
		    ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT |
		    ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS;

	if (!disk)
		abort();
	archive_write_disk_set_options(disk, flags);
	return disk; /* numeric owners: names of this machine mean nothing to an image */
}

/* The tar out of u->raw into the working folder. */
static int
unpack_tar(struct unpack *u, struct err *err)
{
	struct archive *tar = archive_read_new(), *disk = open_disk();
	int r = 0;

	archive_read_support_format_tar(tar);
	archive_read_support_format_empty(tar);
	if (archive_read_open(tar, u, NULL, read_tar, NULL) != ARCHIVE_OK)
		r = err_set(err, ERR_INVALID, "bad archive: %s", archive_error_string(tar));
	if (r == 0)
		r = extract(u, tar, disk, err);
	archive_read_free(tar);
	if (archive_write_free(disk) < ARCHIVE_WARN && r == 0)
		r = err_set(err, ERR_INTERNAL, "cannot finish unpacking");
	for (size_t i = 0; r == 0 && i < u->whiteouts.n; i++)
		r = apply_whiteout(u->whiteouts.item[i], err);
	return r;
}

static struct archive *
new_raw(void)
{
	struct archive *raw = archive_read_new();

	/* What layers are compressed with; "all" would start programs for rarer ones. */
	archive_read_support_filter_gzip(raw);
	archive_read_support_filter_zstd(raw);
	archive_read_support_filter_bzip2(raw);
	archive_read_support_filter_xz(raw);
	archive_read_support_filter_lz4(raw);
	archive_read_support_format_raw(raw);
	archive_read_support_format_empty(raw);
	return raw;
}

int
layer_diff_id(const char *file, char digest[static DIGEST_TEXT], struct err *err)
{
	struct archive *raw = new_raw();
	struct archive_entry *e;
	struct digest sum;
	char block[65536];
	la_ssize_t n = 0;

	digest_init(&sum);
	if (archive_read_open_filename(raw, file, sizeof block) != ARCHIVE_OK ||
	    archive_read_next_header(raw, &e) < ARCHIVE_WARN)
		n = -1;
	while (n >= 0 && (n = archive_read_data(raw, block, sizeof block)) > 0)
		digest_add(&sum, block, (size_t)n);
	digest_end(&sum, digest);
	if (n < 0)
		err_set(err, ERR_INVALID, "bad archive: %s", archive_error_string(raw));
	archive_read_free(raw);
	return n < 0 ? -(int)err->code : 0;
}

/* Unpack `file` into the working folder; digest gets what its tar has. */
static int
unpack(const char *file, char digest[static DIGEST_TEXT], struct err *err)
{
	struct unpack *u = xcalloc(1, sizeof *u);
	struct archive_entry *e;
	la_ssize_t n = 0;
	int r = 0;

	u->raw = new_raw();
	digest_init(&u->digest);
	if (archive_read_open_filename(u->raw, file, sizeof u->block) != ARCHIVE_OK)
		r = err_set(err, ERR_INVALID, "bad archive: %s", archive_error_string(u->raw));
	else if (archive_read_next_header(u->raw, &e) == ARCHIVE_OK) {
		r = unpack_tar(u, err);
		/* What follows the end of the tar belongs to the digest too. */
		while (r == 0 && (n = archive_read_data(u->raw, u->block, sizeof u->block)) > 0)
			digest_add(&u->digest, u->block, (size_t)n);
		if (r == 0 && n < 0)
			r = err_set(
			    err, ERR_INVALID, "bad archive: %s", archive_error_string(u->raw));
	}
	digest_end(&u->digest, digest);
	archive_read_free(u->raw);
	for (size_t i = 0; i < u->whiteouts.n; i++)
		free(u->whiteouts.item[i]);
	free(u->whiteouts.item);
	free(u);
	return r;
}

/* unpack() with its working folder set and put back. */
static int
unpack_into(const char *folder, const char *file, const char *diff_id, struct err *err)
{
	autoclose int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char digest[DIGEST_TEXT];
	mode_t mask;
	int r;

	if (back < 0 || chdir(folder) < 0)
		return err_sys(err, errno, "cannot change to '%s'", folder);
	mask = umask(0);
	r = unpack(file, digest, err);
	umask(mask);
	if (fchdir(back) < 0 && r == 0)
		r = err_sys(err, errno, "cannot change back from '%s'", folder);
	if (r == 0 && strcmp(digest, diff_id) != 0)
		return err_set(err, ERR_INVALID, "its content has digest %s, the image says %s",
		    digest, diff_id);
	return r;
}

/* What a rename makes visible must be on the disk first. */
static int
sync_folder(const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -1 : syncfs(fd);
}

int
layer_add(struct images *s, const char *file, const char *diff_id, struct err *err)
{
	autofree char *tmp = NULL, *root = NULL, *path = layer_path(s, diff_id);
	autofree char *source = realpath(file, NULL);
	struct err ignored;
	int r;

	if (file_exists(path))
		return 0;
	if (!source)
		return err_sys(err, errno, "cannot read layer '%s'", diff_id);
	if ((r = images_tmp(s, &tmp, err)) < 0)
		return r;
	root = xasprintf("%s/root", tmp);
	if (mkdir(root, 0755) < 0)
		r = err_sys(err, errno, "cannot create '%s'", root);
	if (r == 0 && (r = unpack_into(root, source, diff_id, err)) < 0)
		err_wrap(err, "layer %.19s", diff_id);
	if (r == 0 && sync_folder(root) < 0)
		r = err_sys(err, errno, "cannot write layer '%s'", path);
	if (r == 0 && rename(root, path) < 0 && errno != EEXIST && errno != ENOTEMPTY)
		r = err_sys(err, errno, "cannot keep layer '%s'", path);
	tree_remove(tmp, r < 0 ? &ignored : err);
	return r;
}
