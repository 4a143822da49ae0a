/* The data of configmaps and secrets: files, folders, environment files and literals. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "api/meta.h"
#include "base/bytes.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "client/generate.h"

enum { LARGEST = 1 << 20, LONGEST_KEY = 253 };

struct data {
	json_t *obj;
	bool secret;
};

static bool
key_fits(const char *key)
{
	size_t len = strlen(key);

	return len > 0 && len <= LONGEST_KEY && strcmp(key, ".") != 0 &&
	       strncmp(key, "..", 2) != 0 &&
	       strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._") ==
		   len;
}

static bool
is_text(const char *p, size_t len)
{
	for (size_t n; len > 0; p += n, len -= n)
		if (*p == '\0' || (n = text_utf8(p, len)) == 0)
			return false;
	return true;
}

static int
add(struct data *d, const char *key, const char *value, size_t len, struct err *err)
{
	bool plain = !d->secret && is_text(value, len);
	json_t *text;

	if (!key_fits(key))
		return err_set(err, ERR_BAD_REQUEST,
		    "'%s' cannot be a key: letters, digits, '-', '_' and '.' can", key);
	if (get(d->obj, "data", key) || get(d->obj, "binaryData", key))
		return err_set(err, ERR_BAD_REQUEST, "key '%s' is there twice", key);
	if (plain) {
		text = json_stringn(value, len);
	} else {
		autofree char *bytes = bytes_encode(value, len);

		text = json_string(bytes);
	}
	put(d->obj, text, plain || d->secret ? "data" : "binaryData", key);
	return 0;
}

/* --- files ------------------------------------------------------------------------------------ */

static int
add_file(struct data *d, const char *key, const char *path, struct err *err)
{
	autobuf struct buf b = BUF_INIT;

	if (buf_read_file(&b, path, LARGEST, err) < 0)
		return err_of_input(err);
	return add(d, key, b.data ? b.data : "", b.len, err);
}

static int
by_name(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* Its files, by name; folders in it and whatever else is no file are left out. */
static int
add_folder(struct data *d, const char *path, struct err *err)
{
	struct dirent **entry;
	int n = scandir(path, &entry, by_name, alphasort), r = 0;

	if (n < 0)
		return err_sys(err, errno, "cannot read folder '%s'", path);
	for (int i = 0; i < n; i++) {
		autofree char *file = xasprintf("%s/%s", path, entry[i]->d_name);
		struct stat st;

		if (r >= 0 && stat(file, &st) == 0 && S_ISREG(st.st_mode))
			r = add_file(d, entry[i]->d_name, file, err);
		free(entry[i]);
	}
	free(entry);
	return r;
}

/* [KEY=]PATH */
static int
add_source(struct data *d, const char *source, struct err *err)
{
	const char *eq = strchr(source, '='), *path = eq ? eq + 1 : source;
	const char *slash = strrchr(path, '/');
	autofree char *key =
	    eq ? xstrndup(source, (size_t)(eq - source)) : xstrdup(slash ? slash + 1 : path);
	struct stat st;

	if (stat(path, &st) < 0) {
		err_sys(err, errno, "cannot read '%s'", path);
		return err_of_input(err);
	}
	if (!S_ISDIR(st.st_mode))
		return add_file(d, key, path, err);
	if (eq)
		return err_set(
		    err, ERR_BAD_REQUEST, "'%s': a key goes with a file, not a folder", source);
	return add_folder(d, path, err);
}

/* --- environment files and literals ------------------------------------------------------- */

static bool
variable_fits(const char *name)
{
	return *name && !(*name >= '0' && *name <= '9') && key_fits(name);
}

/* NAME=VALUE, or NAME for what it is in the environment; "#" begins a comment. */
static int
add_line(struct data *d, char *line, struct err *err)
{
	char *eq;
	const char *value;

	line[strcspn(line, "\r\n")] = '\0';
	line += strspn(line, " \t");
	if (!*line || *line == '#')
		return 0;
	if ((eq = strchr(line, '=')))
		*eq = '\0';
	if (!variable_fits(line))
		return err_set(err, ERR_BAD_REQUEST, "'%s' cannot be the name of a variable", line);
	value = eq ? eq + 1 : getenv(line);
	return value ? add(d, line, value, strlen(value), err) : 0;
}

static int
add_env_file(struct data *d, const char *path, struct err *err)
{
	autobuf struct buf b = BUF_INIT;
	char *rest, *line;
	unsigned long n = 0;

	if (buf_read_file(&b, path, LARGEST, err) < 0)
		return err_of_input(err);
	rest = b.data;
	if (rest && text_starts(rest, "\xef\xbb\xbf"))
		rest += 3; /* a byte order mark */
	while (rest && (line = strsep(&rest, "\n"))) {
		n++;
		if (!is_text(line, strlen(line)))
			return err_set(err, ERR_BAD_REQUEST, "%s:%lu: this is not UTF-8", path, n);
		if (add_line(d, line, err) < 0)
			return err_wrap(err, "%s:%lu", path, n);
	}
	return 0;
}

static int
add_literal(struct data *d, const char *literal, struct err *err)
{
	const char *eq = strchr(literal, '=');
	autofree char *key = eq ? xstrndup(literal, (size_t)(eq - literal)) : NULL;

	if (!eq)
		return err_set(
		    err, ERR_BAD_REQUEST, "--from-literal: '%s' is no KEY=VALUE", literal);
	return add(d, key, eq + 1, strlen(eq + 1), err);
}

int
generate_data(json_t *obj, bool secret, struct err *err)
{
	const struct generate_options *o = &generate_options;
	struct data d = { obj, secret };
	int r = 0;

	for (size_t i = 0; i < o->files.n && r >= 0; i++)
		r = add_source(&d, o->files.item[i], err);
	for (size_t i = 0; i < o->env_files.n && r >= 0; i++)
		r = add_env_file(&d, o->env_files.item[i], err);
	for (size_t i = 0; i < o->literals.n && r >= 0; i++)
		r = add_literal(&d, o->literals.item[i], err);
	if (r >= 0 && o->cert)
		r = add_file(&d, "tls.crt", o->cert, err);
	if (r >= 0 && o->key)
		r = add_file(&d, "tls.key", o->key, err);
	return r;
}
