#include "base/tree.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

enum { BLOCK = 65536 };

/* --- out ------------------------------------------------------------------------------------- */

static int
failed(struct archive *a, struct err *err, const char *what)
{
	const char *why = archive_error_string(a);

	return err_set(err, ERR_INTERNAL, "%s: %s", what, why ? why : "unknown error");
}

/* Nobody takes it. */
static int
stuck(struct archive *out, struct err *err)
{
	failed(out, err, "cannot write the tar stream");
	err->code = ERR_UNAVAILABLE;
	return -ERR_UNAVAILABLE;
}

static int
pack_data(struct archive *in, struct archive *out, const char *path, struct err *err)
{
	const void *data;
	la_int64_t offset, at = 0;
	size_t n;
	int r;

	while ((r = archive_read_data_block(in, &data, &n, &offset)) == ARCHIVE_OK) {
		static const char zeros[4096];

		for (; at < offset; at += r) { /* a hole */
			la_int64_t gap = offset - at;

			r = (int)archive_write_data(out, zeros,
			    gap < (la_int64_t)sizeof zeros ? (size_t)gap : sizeof zeros);
			if (r <= 0)
				return stuck(out, err);
		}
		if (archive_write_data(out, data, n) < 0)
			return stuck(out, err);
		at += (la_int64_t)n;
	}
	return r == ARCHIVE_EOF ? 0 : failed(in, err, path);
}

static int
pack_entry(struct archive *in, struct archive *out, struct archive_entry *e, size_t root,
    const char *as, struct err *err)
{
	autofree char *path = xstrdup(archive_entry_pathname(e));
	autofree char *name = xasprintf("%s%s", as, path + root);
	mode_t type = archive_entry_filetype(e);

	if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK)
		return err_set(err, ERR_BAD_REQUEST, "'%s' is no file, folder or link", path);
	archive_read_disk_descend(in);
	archive_entry_copy_pathname(e, name);
	if (archive_write_header(out, e) < ARCHIVE_WARN)
		return stuck(out, err);
	return type == AE_IFREG && archive_entry_size(e) > 0 ? pack_data(in, out, path, err) : 0;
}

int
tree_pack(const char *path, const char *as, int fd, struct err *err)
{
	struct archive *in = archive_read_disk_new(), *out = archive_write_new();
	struct archive_entry *e = archive_entry_new();
	int r = 0, got = ARCHIVE_EOF;

	archive_read_disk_set_symlink_physical(in);
	archive_read_disk_set_behavior(
	    in, ARCHIVE_READDISK_NO_ACL | ARCHIVE_READDISK_NO_XATTR | ARCHIVE_READDISK_NO_FFLAGS);
	archive_write_set_format_gnutar(out); /* what busybox reads, too */
	archive_write_set_bytes_in_last_block(out, 1);
	if (archive_read_disk_open(in, path) != ARCHIVE_OK)
		r = failed(in, err, path);
	else if (archive_write_open_fd(out, fd) != ARCHIVE_OK)
		r = stuck(out, err);
	while (r >= 0 && (got = archive_read_next_header2(in, e)) == ARCHIVE_OK)
		r = pack_entry(in, out, e, strlen(path), as, err);
	if (r >= 0 && got != ARCHIVE_EOF)
		r = failed(in, err, "cannot read a file");
	if (r >= 0 && archive_write_close(out) != ARCHIVE_OK)
		r = stuck(out, err);
	archive_entry_free(e);
	archive_read_free(in);
	archive_write_free(out);
	return r;
}

/* --- in ------------------------------------------------------------------------------------- */

/* Has a path a part that is ".."? */
static bool
climbs(const char *path)
{
	for (const char *p = path; *p; p += strcspn(p, "/")) {
		p += strspn(p, "/");
		if (strcspn(p, "/") == 2 && memcmp(p, "..", 2) == 0)
			return true;
	}
	return false;
}

/* The path of an entry as it is to be made, new; NULL when it is not below what was asked for. */
static char *
renamed(const struct tree_reader *t, const char *path)
{
	size_t n = strlen(t->from);

	while (path[0] == '.' && path[1] == '/' && strcmp(t->from, ".") != 0)
		path += 2;
	if (strncmp(path, t->from, n) != 0 || (path[n] && path[n] != '/') || climbs(path + n))
		return NULL;
	return xasprintf("%s%s", t->as, path + n);
}

/*
 * Does a link at `path`, below the top of the tree, stay in it?  ".." may only come first: behind a
 * name, which may itself be a link, nobody knows what it is of.
 */
static bool
stays(const char *path, const char *target)
{
	size_t depth = 0;

	for (const char *p = path; *p; p += strcspn(p, "/")) {
		p += strspn(p, "/");
		depth += *p && !(*p == '.' && (!p[1] || p[1] == '/'));
	}
	if (*target == '/' || depth == 0) /* the tree is the link itself: all is outside */
		return false;
	while (strncmp(target, "..", 2) == 0 && (!target[2] || target[2] == '/')) {
		if (--depth == 0)
			return false;
		target += 2;
		target += strspn(target, "/");
	}
	return !climbs(target);
}

static const char *
unwanted(const struct tree_reader *t, struct archive_entry *e, const char *name)
{
	mode_t type = archive_entry_filetype(e);
	const char *hard = archive_entry_hardlink(e), *soft = archive_entry_symlink(e);

	if (hard) {
		autofree char *to = renamed(t, hard);

		if (!to)
			return "it is a link that leads elsewhere";
		archive_entry_copy_hardlink(e, to);
		return NULL;
	}
	if (type == AE_IFLNK)
		return soft && stays(name + strlen(t->as), soft)
			   ? NULL
			   : "it is a link that leads elsewhere";
	return type == AE_IFREG || type == AE_IFDIR ? NULL : "it is no file, folder or link";
}

static int
unpack_data(struct archive *in, struct archive *out, const char *name, struct err *err)
{
	const void *data;
	la_int64_t offset;
	size_t n;
	int r;

	while ((r = archive_read_data_block(in, &data, &n, &offset)) == ARCHIVE_OK)
		if (archive_write_data_block(out, data, n, offset) < ARCHIVE_OK)
			return failed(out, err, name);
	return r == ARCHIVE_EOF ? 0 : failed(in, err, name);
}

static int
unpack_entry(struct tree_reader *t, struct archive *in, struct archive *out,
    struct archive_entry *e, struct err *err)
{
	const char *path = archive_entry_pathname(e);
	autofree char *name = path ? renamed(t, path) : NULL;
	const char *why;

	if (!name)
		return err_set(err, ERR_INVALID, "'%s' came, which was not asked for",
		    path ? path : "a file without a name");
	if ((why = unwanted(t, e, name))) {
		t->skip(path, why);
		t->skipped++;
		return 0;
	}
	archive_entry_copy_pathname(e, name);
	if (archive_write_header(out, e) < ARCHIVE_WARN)
		return failed(out, err, name);
	t->made++;
	if (archive_entry_size(e) > 0 && unpack_data(in, out, name, err) < 0)
		return -(int)err->code;
	return archive_write_finish_entry(out) < ARCHIVE_WARN ? failed(out, err, name) : 0;
}

int
tree_unpack(struct tree_reader *t, int fd, struct err *err)
{
	struct archive *in = archive_read_new(), *out = archive_write_disk_new();
	struct archive_entry *e;
	int r = 0, got = ARCHIVE_EOF;

	archive_read_support_format_tar(in);
	archive_read_support_format_empty(in); /* who sent nothing will say why */
	archive_write_disk_set_options(
	    out, ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
		     ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS);
	if (archive_read_open_fd(in, fd, BLOCK) != ARCHIVE_OK) {
		r = failed(in, err, "cannot read the tar stream");
	} else {
		while (r >= 0 && ((got = archive_read_next_header(in, &e)) == ARCHIVE_OK ||
				     got == ARCHIVE_WARN))
			r = unpack_entry(t, in, out, e, err);
		if (r >= 0 && got != ARCHIVE_EOF)
			r = failed(in, err, "cannot read the tar stream");
	}
	if (archive_write_close(out) != ARCHIVE_OK && r >= 0)
		r = failed(out, err, "cannot write");
	archive_read_free(in);
	archive_write_free(out);
	return r;
}
