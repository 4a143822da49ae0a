#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/grid.h"
#include "api/jsonpath.h"
#include "api/meta.h"
#include "api/printer.h"
#include "api/table.h"
#include "api/tree.h"
#include "base/mem.h"

enum { DEEPEST = 32 }; /* what lies deeper is a tree of its own */

struct node {
	json_t *obj;
	struct node **child; /* sorted, once linked */
	size_t nchildren, ccap;
	bool owned;   /* an owner is there */
	bool missing; /* it has owners, and none of them is there */
	bool marked, shown;
};

struct tree {
	struct node *node;
	size_t n, cap;
	json_t *by_key; /* uid, or "Kind.group/ns/name": index */
	bool linked, marked;
};

struct tree *
tree_new(void)
{
	struct tree *t = xcalloc(1, sizeof *t);

	t->by_key = json_object();
	return t;
}

void
tree_free(struct tree *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		json_decref(t->node[i].obj);
		free(t->node[i].child);
	}
	free(t->node);
	json_decref(t->by_key);
	free(t);
}

static char *
key_of(const json_t *obj)
{
	char group_kind[128];

	if (*meta_uid(obj))
		return xstrdup(meta_uid(obj));
	return xasprintf(
	    "%s/%s/%s", meta_group_kind(obj, group_kind), meta_namespace(obj), meta_name(obj));
}

void
tree_add(struct tree *t, json_t *obj)
{
	autofree char *key = key_of(obj);

	if (json_object_get(t->by_key, key))
		return;
	json_object_set_new(t->by_key, key, json_integer((json_int_t)t->n));
	GROW(t->node, t->n, t->cap);
	t->node[t->n++] = (struct node){ .obj = json_incref(obj) };
	t->linked = false;
}

static struct node *
node_of(const struct tree *t, const char *key)
{
	const json_t *index = json_object_get(t->by_key, key);

	return index ? &t->node[json_integer_value(index)] : NULL;
}

bool
tree_mark(struct tree *t, const char *uid)
{
	struct node *n = node_of(t, uid);

	if (n)
		t->marked = n->marked = true;
	return n;
}

/* --- links -------------------------------------------------------------------------------- */

/* By kind, then as they came to be. */
static int
node_cmp(const void *one, const void *other)
{
	const struct node *x = *(struct node *const *)one, *y = *(struct node *const *)other;
	char a[128], b[128];
	int d = strcmp(meta_group_kind(x->obj, a), meta_group_kind(y->obj, b));

	d = d ? d : strcmp(meta_namespace(x->obj), meta_namespace(y->obj));
	d = d ? d : strcmp(meta_created(x->obj), meta_created(y->obj));
	return d ? d : strcmp(meta_name(x->obj), meta_name(y->obj));
}

static void
link_owners(struct tree *t, struct node *n)
{
	json_t *refs = get(n->obj, "metadata", "ownerReferences"), *ref;
	size_t i;

	json_array_foreach (refs, i, ref) {
		struct node *owner = node_of(t, text(ref, "uid"));

		if (!owner || (owner->nchildren && owner->child[owner->nchildren - 1] == n))
			continue;
		GROW(owner->child, owner->nchildren, owner->ccap);
		owner->child[owner->nchildren++] = n;
		n->owned = true;
	}
	n->missing = json_array_size(refs) > 0 && !n->owned;
}

static void
link_all(struct tree *t)
{
	if (t->linked)
		return;
	for (size_t i = 0; i < t->n; i++) {
		t->node[i].nchildren = 0;
		t->node[i].owned = false;
	}
	for (size_t i = 0; i < t->n; i++)
		link_owners(t, &t->node[i]);
	for (size_t i = 0; i < t->n; i++)
		if (t->node[i].nchildren)
			qsort(t->node[i].child, t->node[i].nchildren, sizeof *t->node[i].child,
			    node_cmp);
	t->linked = true;
}

/* --- walks -------------------------------------------------------------------------------- */

/* A line of the tree: what is in front of the name is put together while walking down. */
struct visit {
	struct tree *tree;
	void (*each)(struct visit *v, struct node *n, const char *lead, bool again);
	struct buf lead;
	int depth;
	bool ascii;
	void *arg;
	void (*object)(void *arg, json_t *obj);
	struct grid *grid;
	bool namespaces;
};

static void
descend(struct visit *v, struct node *n, const char *branch, const char *below)
{
	bool again = n->shown || v->depth >= DEEPEST;
	size_t len = v->lead.len;

	n->shown = n->shown || !again;
	v->depth++;
	buf_puts(&v->lead, branch);
	v->each(v, n, v->lead.data, again);
	v->lead.data[v->lead.len = len] = '\0';
	buf_puts(&v->lead, below);
	for (size_t i = 0; i < n->nchildren && !again; i++) {
		bool last = i + 1 == n->nchildren;
		struct node *child = n->child[i];

		if (v->ascii)
			descend(v, child, last ? "`- " : "|- ", last ? "   " : "|  ");
		else
			descend(v, child, last ? "└─ " : "├─ ", last ? "   " : "│  ");
	}
	v->lead.data[v->lead.len = len] = '\0';
	v->depth--;
}

static void
walk_all(struct visit *v)
{
	struct tree *t = v->tree;

	link_all(t);
	buf_puts(&v->lead, "");
	for (size_t i = 0; i < t->n; i++)
		t->node[i].shown = false;
	for (size_t i = 0; i < t->n; i++)
		if (t->marked ? t->node[i].marked && !t->node[i].shown : !t->node[i].owned)
			descend(v, &t->node[i], "", "");
	/* in a circle everybody has an owner; and what lay too deep */
	for (size_t i = 0; i < t->n && !t->marked; i++)
		if (!t->node[i].shown)
			descend(v, &t->node[i], "", "");
	buf_release(&v->lead);
}

static void
hand_out(struct visit *v, struct node *n, const char *lead, bool again)
{
	(void)lead;
	if (!again)
		v->object(v->arg, n->obj);
}

void
tree_each(struct tree *t, void (*each)(void *arg, json_t *obj), void *arg)
{
	struct visit v = { .tree = t, .each = hand_out, .object = each, .arg = arg };

	walk_all(&v);
}

/* --- health ------------------------------------------------------------------------------- */

/* The cell of the first of these columns that the kind has. */
static const json_t *
cell_of(const struct kind *k, const json_t *cells, const char *const *names)
{
	size_t n;
	const struct column *cols = table_columns(k, &n);

	for (; *names; names++)
		for (size_t i = 0; i < n; i++)
			if (strcasecmp(cols[i].name, *names) == 0)
				return json_array_get(cells, i);
	return NULL;
}

void
tree_health(const json_t *obj, struct buf *ready, struct buf *status)
{
	static const char *const readies[] = { "Ready", "Completions", NULL };
	static const char *const wanteds[] = { "Desired", NULL }, *const states[] = { "Status",
		NULL };
	const struct kind *k = kind_of_object(text(obj, "apiVersion"), text(obj, "kind"));
	json_auto_t *cells = table_cells(k, obj, 0);
	const json_t *have = cell_of(k, cells, readies), *want = cell_of(k, cells, wanteds);
	const json_t *condition = condition_find(obj, "Ready");

	if (have)
		jsonpath_text(ready, have);
	else if (condition)
		buf_puts(ready, text(condition, "status"));
	if (have && want) {
		buf_putc(ready, '/');
		jsonpath_text(ready, want);
	}
	if (cell_of(k, cells, states))
		jsonpath_text(status, cell_of(k, cells, states));
	else if (meta_deleting(obj))
		buf_puts(status, "Terminating");
}

/* --- the picture -------------------------------------------------------------------------- */

/* "replicaset.apps/web-6d" of the first owner, which is not there. */
static void
say_missing(const struct node *n, struct buf *name)
{
	const json_t *ref = json_array_get(get(n->obj, "metadata", "ownerReferences"), 0);

	buf_printf(name, " (its owner %s/%s is not here)", text(ref, "kind"), text(ref, "name"));
}

static void
add_row(struct visit *v, struct node *n, const char *lead, bool again)
{
	autofree char *shown = printer_name(n->obj);
	autobuf struct buf name = BUF_INIT, ready = BUF_INIT, status = BUF_INIT;

	buf_printf(&name, "%s%s", lead, shown);
	buf_puts(&ready, "");
	buf_puts(&status, "");
	if (again)
		buf_puts(&name, n->shown ? " (see above)" : " (see below)");
	else
		tree_health(n->obj, &ready, &status);
	if (n->missing && !*lead)
		say_missing(n, &name);
	if (v->namespaces)
		grid_cell(v->grid, meta_namespace(n->obj));
	grid_cell(v->grid, name.data);
	grid_cell(v->grid, ready.data);
	grid_cell(v->grid, status.data);
}

static void
note_namespace(void *arg, json_t *obj)
{
	const char **seen = arg; /* the first one, and one that differs */

	if (!*meta_namespace(obj))
		return;
	if (!seen[0])
		seen[0] = meta_namespace(obj);
	else if (strcmp(seen[0], meta_namespace(obj)) != 0)
		seen[1] = meta_namespace(obj);
}

/* Empty cells at the end of a line leave no trace. */
static void
trim_lines(const struct buf *in, struct buf *out)
{
	const char *p = in->data;

	while (p && *p) {
		size_t len = strcspn(p, "\n"), used = len;

		while (used > 0 && p[used - 1] == ' ')
			used--;
		buf_add(out, p, used);
		buf_putc(out, '\n');
		p += len + (p[len] == '\n');
	}
}

void
tree_print(struct tree *t, const struct tree_look *look, struct buf *out)
{
	const char *seen[2] = { NULL, NULL };
	autobuf struct buf text = BUF_INIT;
	struct grid g;
	struct visit v = { .tree = t, .each = add_row, .ascii = look->ascii, .grid = &g };

	tree_each(t, note_namespace, seen);
	v.namespaces = look->namespaces || seen[1];
	grid_init(&g);
	if (v.namespaces)
		grid_column(&g, "namespace");
	grid_column(&g, "name");
	grid_column(&g, "ready");
	grid_column(&g, "status");
	walk_all(&v);
	if (grid_rows(&g) > 0)
		grid_print(&g, !look->no_headers, &text);
	trim_lines(&text, out);
	grid_release(&g);
}
