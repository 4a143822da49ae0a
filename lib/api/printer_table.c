/* Tables: the rows of each kind together, in the order in which the kinds came. */
#include <ctype.h>
#include <string.h>

#include "api/grid.h"
#include "api/meta.h"
#include "api/printer_table.h"
#include "api/table.h"
#include "api/table_cells.h"
#include "base/mem.h"

/* Objects become text at once: a table of many needs a tenth of the memory. */
struct table {
	char *group_kind;
	const struct kind *kind; /* NULL when the schema does not know it */
	json_t *waiting; /* its objects, as long as it may still learn the kind; NULL: made */
	bool namespaced;
	bool named;	  /* has a name column, in two forms: plain and with the kind */
	size_t name;	  /* where the two are */
	struct grid grid; /* its first column is the namespace */
};

struct tables {
	bool wide;
	const struct printer_options *o;
	struct table *item;
	size_t n, cap;
	size_t last;	 /* 1 + the index of the one printed last */
	char *namespace; /* of the objects so far */
	bool many_namespaces;
};

struct tables *
tables_new(bool wide, const struct printer_options *o)
{
	struct tables *t = xcalloc(1, sizeof *t);

	t->wide = wide;
	t->o = o;
	return t;
}

void
tables_free(struct tables *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		free(t->item[i].group_kind);
		json_decref(t->item[i].waiting);
		grid_release(&t->item[i].grid);
	}
	free(t->item);
	free(t->namespace);
	free(t);
}

/* --- columns ------------------------------------------------------------------ */

/* Calls `each` for every label key of -L. */
static void
each_label(const struct tables *t, void (*each)(struct grid *g, const char *key, const json_t *obj),
    struct grid *g, const json_t *obj)
{
	const char *p = t->o->label_columns;

	while (p && *p) {
		size_t len = strcspn(p, ",");
		autofree char *key = xstrndup(p, len);

		if (len > 0)
			each(g, key, obj);
		p += len + (p[len] == ',');
	}
}

static void
label_head(struct grid *g, const char *key, const json_t *obj)
{
	const char *slash = strrchr(key, '/');

	(void)obj;
	grid_column(g, slash ? slash + 1 : key);
}

static void
label_cell(struct grid *g, const char *key, const json_t *obj)
{
	const char *v = meta_label(obj, key);

	grid_cell(g, v ? v : "<none>");
}

static bool
is_name(const struct column *c)
{
	return strcmp(c->format, "name") == 0 && strcmp(c->name, "Name") == 0;
}

static void
make_columns(const struct tables *t, struct table *one)
{
	size_t n;
	const struct column *cols = table_columns(one->kind, &n);

	grid_column(&one->grid, "Namespace");
	for (size_t i = 0; i < n; i++) {
		if (!t->wide && cols[i].priority > 0)
			continue;
		if (is_name(&cols[i])) {
			one->named = true;
			one->name = one->grid.ncols;
			grid_column(&one->grid, cols[i].name);
		}
		grid_column(&one->grid, cols[i].name);
	}
	each_label(t, label_head, &one->grid, NULL);
	if (t->o->show_labels)
		grid_column(&one->grid, "Labels");
}

static void
make_row(const struct tables *t, struct table *one, const json_t *obj)
{
	json_auto_t *cells = table_cells(one->kind, obj, t->o->now);
	struct grid *g = &one->grid;
	size_t n;
	const struct column *cols = table_columns(one->kind, &n);

	grid_cell(g, meta_namespace(obj));
	for (size_t i = 0; i < n; i++) {
		if (!t->wide && cols[i].priority > 0)
			continue;
		grid_value(g, json_array_get(cells, i));
		if (is_name(&cols[i])) {
			autofree char *name = printer_name(obj);

			grid_cell(g, name);
		}
	}
	each_label(t, label_cell, g, obj);
	if (t->o->show_labels) {
		autobuf struct buf b = BUF_INIT;

		add_labels(&b, meta_labels(obj));
		grid_cell(g, b.data);
	}
}

/* --- rows ------------------------------------------------------------------------ */

static struct table *
table_of(struct tables *t, const json_t *obj)
{
	char name[128];
	struct table *one;

	meta_group_kind(obj, name);
	for (size_t i = t->n; i-- > 0;)
		if (strcmp(t->item[i].group_kind, name) == 0)
			return &t->item[i];
	GROW(t->item, t->n, t->cap);
	one = &t->item[t->n++];
	*one = (struct table){ .group_kind = xstrdup(name) };
	one->waiting = json_array();
	grid_init(&one->grid);
	return one;
}

/* From now on it has columns. */
static void
settle(const struct tables *t, struct table *one)
{
	json_auto_t *waiting = one->waiting;
	size_t i;
	json_t *obj;

	one->waiting = NULL;
	make_columns(t, one);
	json_array_foreach (waiting, i, obj)
		make_row(t, one, obj);
}

/* An unknown kind may be learned before anything is printed: its objects wait for that. */
static void
add_row(const struct tables *t, struct table *one, json_t *obj)
{
	if (one->waiting &&
	    (one->kind = kind_of_object(text(obj, "apiVersion"), text(obj, "kind"))))
		settle(t, one);
	if (one->waiting)
		json_array_append(one->waiting, obj);
	else
		make_row(t, one, obj);
}

void
tables_add(struct tables *t, json_t *obj)
{
	struct table *one = table_of(t, obj);
	const char *ns = meta_namespace(obj);

	if (*ns) {
		one->namespaced = true;
		if (t->namespace && strcmp(t->namespace, ns) != 0)
			t->many_namespaces = true;
		else if (!t->namespace)
			t->namespace = xstrdup(ns);
	}
	add_row(t, one, obj);
}

/* It is printed now: with the columns of its kind, if that has come since. */
static void
last_look(const struct tables *t, struct table *one)
{
	const json_t *first = json_array_get(one->waiting, 0);

	one->kind = kind_of_object(text(first, "apiVersion"), text(first, "kind"));
	settle(t, one);
}

static void
print_table(struct tables *t, size_t i, struct buf *out)
{
	struct table *one = &t->item[i];
	bool with_kind = t->n > 1 || t->o->show_kind;
	bool with_namespace = one->namespaced && (t->o->show_namespace || t->many_namespaces);

	grid_hide(&one->grid, 0, !with_namespace);
	if (one->named) {
		grid_hide(&one->grid, one->name, with_kind);
		grid_hide(&one->grid, one->name + 1, !with_kind);
	}
	if (t->last && t->last != i + 1 && !t->o->no_headers) {
		buf_putc(out, '\n');
		one->grid.headed = false; /* rows of another kind stand between */
	}
	grid_print(&one->grid, !t->o->no_headers, out);
	t->last = i + 1;
}

void
tables_print(struct tables *t, struct buf *out)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->item[i].waiting)
			last_look(t, &t->item[i]);
		if (grid_rows(&t->item[i].grid) > 0)
			print_table(t, i, out);
	}
}
