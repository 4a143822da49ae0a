#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "api/meta.h"
#include "api/object.h"
#include "base/mem.h"
#include "base/text.h"

/* A List that is being handed out.  Lists nest: an item may be one again. */
struct level {
	json_t *list;
	size_t next;
};

struct objects {
	struct stream *stream;
	char *name, *where;
	enum objects_accept accept;
	struct level *levels;
	size_t nlevels, clevels;
};

struct objects *
objects_open(FILE *f, const char *name)
{
	struct objects *in = xcalloc(1, sizeof *in);

	in->stream = stream_open(f, name);
	in->name = xstrdup(name);
	return in;
}

void
objects_close(struct objects *in)
{
	if (!in)
		return;
	for (size_t i = 0; i < in->nlevels; i++)
		json_decref(in->levels[i].list);
	free(in->levels);
	stream_close(in->stream);
	free(in->name);
	free(in->where);
	free(in);
}

void
objects_accept(struct objects *in, enum objects_accept what)
{
	in->accept = what;
}

json_t *
object_of(const json_t *value)
{
	json_t *inner = json_object_get(value, "object");

	return json_is_object(inner) && !json_object_get(value, "kind") ? inner : (json_t *)value;
}

const char *
objects_where(const struct objects *in)
{
	return in->where ? in->where : in->name;
}

const char *
objects_raw(const struct objects *in, size_t *len)
{
	*len = 0;
	return in->nlevels > 0 ? NULL : stream_raw(in->stream, len);
}

static bool
is_list(const json_t *v)
{
	json_t *items = json_object_get(v, "items");

	return text_ends(text(v, "kind"), "List") && (json_is_array(items) || json_is_null(items));
}

/* An object needs apiVersion and kind; an event an object that has them. */
static int
check(const struct objects *in, const json_t *v, struct err *err)
{
	const json_t *obj = object_of(v);
	const char *missing = !*text(obj, "apiVersion") ? "apiVersion"
			      : !*text(obj, "kind")	? "kind"
							: NULL;

	if (in->accept == ACCEPT_ANY)
		return 0;
	if (!json_is_object(v))
		return err_set(err, ERR_BAD_REQUEST, "%s: not a Kubernetes object but %s",
		    objects_where(in), json_is_array(v) ? "a list" : "a single value");
	if (obj != v && in->accept == ACCEPT_OBJECTS)
		return err_set(err, ERR_BAD_REQUEST,
		    "%s: an event or action, but objects are read here (jq .object takes them out)",
		    objects_where(in));
	if (missing && obj == v)
		return err_set(err, ERR_BAD_REQUEST, "%s: not a Kubernetes object: it has no '%s'",
		    objects_where(in), missing);
	return 0;
}

/* What a FooList says about items that do not say it themselves. */
static void
inherit(const json_t *list, json_t *item)
{
	const char *kind = text(list, "kind");
	size_t len = strlen(kind) - strlen("List");

	if (len == 0)
		return; /* a v1 List says nothing */
	if (!json_object_get(item, "kind"))
		json_object_set_new(item, "kind", json_stringn(kind, len));
	if (!json_object_get(item, "apiVersion"))
		json_object_set(item, "apiVersion", json_object_get(list, "apiVersion"));
}

static void
push(struct objects *in, json_t *list)
{
	GROW(in->levels, in->nlevels, in->clevels);
	in->levels[in->nlevels++] = (struct level){ list, 0 };
}

/* The next item of the innermost List, NULL when there is none: then that List is left. */
static json_t *
next_item(struct objects *in)
{
	struct level *top = &in->levels[in->nlevels - 1];
	json_t *item = json_array_get(json_object_get(top->list, "items"), top->next);

	if (item) {
		free(in->where);
		in->where =
		    xasprintf("%s:%lu: items[%zu]", in->name, stream_line(in->stream), top->next++);
		if (json_is_object(item))
			inherit(top->list, item);
		return json_incref(item);
	}
	json_decref(top->list);
	in->nlevels--;
	return NULL;
}

static int
next_value(struct objects *in, json_t **ret, struct err *err)
{
	int r = stream_read(in->stream, ret, err);

	if (r > 0) {
		free(in->where);
		in->where = xasprintf("%s:%lu", in->name, stream_line(in->stream));
	}
	return r;
}

int
objects_read(struct objects *in, json_t **ret, struct err *err)
{
	for (;;) {
		json_t *v;
		int r;

		if (in->nlevels > 0) {
			if (!(v = next_item(in)))
				continue;
		} else if ((r = next_value(in, &v, err)) <= 0) {
			return r;
		}
		if (in->accept != ACCEPT_ANY && is_list(v)) {
			push(in, v);
			continue;
		}
		if ((r = check(in, v, err)) < 0) {
			json_decref(v);
			return r;
		}
		*ret = v;
		return 1;
	}
}

/* --- files ------------------------------------------------------------------- */

struct walk {
	enum objects_accept what;
	int (*each)(void *arg, struct objects *in, json_t *obj, struct err *err);
	void *arg;
};

static int
walk_file(const struct walk *w, FILE *f, const char *name, struct err *err)
{
	struct objects *in = objects_open(f, name);
	json_t *obj;
	int r;

	objects_accept(in, w->what);
	while ((r = objects_read(in, &obj, err)) > 0)
		if ((r = w->each(w->arg, in, obj, err)) != 0)
			break;
	objects_close(in);
	return r;
}

static int walk_path(const struct walk *w, const char *path, struct err *err);

static int
is_manifest(const struct dirent *e)
{
	return e->d_name[0] != '.' &&
	       (text_ends(e->d_name, ".yaml") || text_ends(e->d_name, ".yml") ||
		   text_ends(e->d_name, ".json"));
}

static int
walk_folder(const struct walk *w, const char *path, struct err *err)
{
	struct dirent **names;
	int n = scandir(path, &names, is_manifest, alphasort), r = 0;

	if (n < 0)
		return err_sys(err, errno, "cannot read folder '%s'", path);
	for (int i = 0; i < n; i++) {
		autofree char *file = xasprintf("%s/%s", path, names[i]->d_name);

		if (r == 0)
			r = walk_path(w, file, err);
		free(names[i]);
	}
	free(names);
	if (n == 0)
		return err_set(
		    err, ERR_BAD_REQUEST, "folder '%s' holds no .yaml, .yml or .json file", path);
	return r;
}

static int
walk_path(const struct walk *w, const char *path, struct err *err)
{
	autofclose FILE *f = NULL;
	struct stat st;

	if (strcmp(path, "-") == 0)
		return walk_file(w, stdin, "standard input", err);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return walk_folder(w, path, err);
	if (!(f = fopen(path, "re"))) {
		err_sys(err, errno, "cannot open '%s'", path);
		return err_of_input(err);
	}
	return walk_file(w, f, path, err);
}

int
objects_each(char *const files[], int n, enum objects_accept what,
    int (*each)(void *arg, struct objects *in, json_t *obj, struct err *err), void *arg,
    struct err *err)
{
	const struct walk w = { what, each, arg };
	int r = 0;

	if (n == 0)
		return walk_path(&w, "-", err);
	for (int i = 0; i < n && r == 0; i++)
		r = walk_path(&w, files[i], err);
	return r;
}
