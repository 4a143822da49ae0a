#include "api/usage.h"

#include <string.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "base/jsonl.h"
#include "base/mem.h"

enum { CPU, MEMORY, SWAP, RESOURCES };
static const char *const names[RESOURCES] = { "cpu", "memory", "swap" };
static const char unknown[] = "<unknown>";

/* Thousandths of a processor, bytes; -1: not told. */
struct amounts {
	int64_t v[RESOURCES];
};

static void
add(struct amounts *a, const json_t *usage)
{
	for (int i = 0; i < RESOURCES; i++) {
		const json_t *q = json_object_get(usage, names[i]);

		if (!q)
			continue;
		if (a->v[i] < 0)
			a->v[i] = 0;
		a->v[i] += i == CPU ? quantity_milli(q) : quantity_value(q);
	}
}

/* Of a node, a container, or all containers of a pod. */
static struct amounts
amounts_of(const json_t *item)
{
	struct amounts a = { { -1, -1, -1 } };
	const json_t *c;
	size_t i;

	add(&a, get(item, "usage"));
	json_array_foreach (get(item, "containers"), i, c)
		add(&a, get(c, "usage"));
	return a;
}

/* --- order ------------------------------------------------------------------------------------ */

struct ranked {
	json_t *item;
	int64_t size;
	const char *ns, *name;
};

static int
compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int d = (y->size > x->size) - (y->size < x->size);

	if (d == 0)
		d = strcmp(x->ns, y->ns);
	return d ? d : strcmp(x->name, y->name);
}

static struct ranked
rank(json_t *item, const char *sort)
{
	struct ranked r = { item, 0, "", text(item, "name") };

	if (sort)
		r.size = amounts_of(item).v[strcmp(sort, "cpu") == 0 ? CPU : MEMORY];
	if (get(item, "metadata")) {
		r.ns = meta_namespace(item);
		r.name = meta_name(item);
	}
	return r;
}

static void
sort_containers(json_t *item, const char *sort)
{
	json_t *list = get(item, "containers");
	size_t n = json_array_size(list);
	autofree struct ranked *r = xcalloc(n + 1, sizeof *r);

	for (size_t i = 0; i < n; i++)
		r[i] = rank(json_incref(json_array_get(list, i)), sort);
	qsort(r, n, sizeof *r, compare);
	for (size_t i = 0; i < n; i++)
		json_array_set_new(list, i, r[i].item);
}

void
usage_sort(json_t **item, size_t n, const struct usage_options *o)
{
	autofree struct ranked *r = xcalloc(n + 1, sizeof *r);

	for (size_t i = 0; i < n; i++) {
		sort_containers(item[i], o->sort);
		r[i] = rank(item[i], o->sort);
	}
	qsort(r, n, sizeof *r, compare);
	for (size_t i = 0; i < n; i++)
		item[i] = r[i].item;
}

/* --- rows ------------------------------------------------------------------------------------- */

void
usage_columns(struct grid *g, const struct usage_options *o)
{
	static const char *const used[] = { "CPU(cores)", "MEMORY(bytes)", "SWAP(bytes)" };
	static const char *const share[] = { "CPU(%)", "MEMORY(%)", "SWAP(%)" };

	if (o->pods && o->namespaces)
		grid_column(g, "NAMESPACE");
	if (o->pods && o->containers)
		grid_column(g, "POD");
	grid_column(g, "NAME");
	for (int i = 0; i < RESOURCES - !o->swap; i++) {
		grid_column_as(g, used[i]);
		if (!o->pods)
			grid_column_as(g, share[i]);
	}
}

static void
cell_used(struct grid *g, int resource, int64_t v)
{
	autofree char *shown = resource == CPU ? xasprintf("%lldm", (long long)v)
					       : xasprintf("%lldMi", (long long)v / (1 << 20));

	grid_cell(g, v < 0 ? unknown : shown);
}

/* What a node has of it; -1 when that is not known. */
static int64_t
has(const json_t *node, int resource, bool capacity)
{
	const json_t *q =
	    get(node, "status", capacity ? "capacity" : "allocatable", names[resource]);

	if (resource == SWAP) {
		q = get(node, "status", "nodeInfo", "swap", "capacity");
		return q ? num(q, 0) : -1;
	}
	return !q ? -1 : resource == CPU ? quantity_milli(q) : quantity_value(q);
}

static void
cell_share(struct grid *g, int64_t used, int64_t all)
{
	autofree char *shown =
	    xasprintf("%lld%%", all > 0 ? (long long)((double)used * 100 / (double)all) : 0LL);

	grid_cell(g, used < 0 || all < 0 ? unknown : shown);
}

static void
row_of_node(struct grid *g, const char *name, const struct amounts *a, const json_t *node,
    const struct usage_options *o)
{
	grid_cell(g, name);
	for (int i = 0; i < RESOURCES - !o->swap; i++) {
		cell_used(g, i, a->v[i]);
		cell_share(g, a->v[i], has(node, i, o->capacity));
	}
}

static void
row_of_pod(struct grid *g, const json_t *pod, const char *container, const struct amounts *a,
    const struct usage_options *o)
{
	if (o->namespaces)
		grid_cell(g, meta_namespace(pod));
	grid_cell(g, meta_name(pod));
	if (container)
		grid_cell(g, container);
	for (int i = 0; i < RESOURCES - !o->swap; i++)
		cell_used(g, i, a->v[i]);
}

static void
rows_of_sum(struct grid *g, const struct amounts *sum, const struct usage_options *o)
{
	size_t lead = 1 + o->namespaces + o->containers;

	for (size_t i = 0; i < g->ncols; i++)
		grid_cell(g, i < lead ? "" : "________");
	for (size_t i = 0; i < lead; i++)
		grid_cell(g, "");
	for (int i = 0; i < RESOURCES - !o->swap; i++)
		cell_used(g, i, sum->v[i]);
}

static void
rows_of_pod(struct grid *g, const json_t *pod, struct amounts *sum, const struct usage_options *o)
{
	struct amounts a = amounts_of(pod);
	const json_t *c;
	size_t i;

	for (int k = 0; k < RESOURCES; k++)
		if (a.v[k] >= 0)
			sum->v[k] = (sum->v[k] < 0 ? 0 : sum->v[k]) + a.v[k];
	if (!o->containers) {
		row_of_pod(g, pod, NULL, &a, o);
		return;
	}
	json_array_foreach (get(pod, "containers"), i, c) {
		a = amounts_of(c);
		row_of_pod(g, pod, text(c, "name"), &a, o);
	}
}

/* Nodes that nothing is known of, by name. */
static void
rows_of_rest(struct grid *g, json_t *const *item, size_t n, const json_t *nodes,
    const struct usage_options *o)
{
	static const struct amounts none = { { -1, -1, -1 } };
	json_auto_t *rest = json_copy((json_t *)nodes);
	autofree const char **name = NULL;
	size_t count;

	for (size_t i = 0; i < n; i++)
		json_object_del(rest, meta_name(item[i]));
	name = json_sorted_keys(rest, &count);
	for (size_t i = 0; i < count; i++)
		row_of_node(g, name[i], &none, NULL, o);
}

void
usage_rows(struct grid *g, json_t *const *item, size_t n, const json_t *nodes,
    const struct usage_options *o)
{
	struct amounts sum = { { -1, -1, -1 } };

	for (size_t i = 0; i < n; i++) {
		if (o->pods) {
			rows_of_pod(g, item[i], &sum, o);
		} else {
			struct amounts a = amounts_of(item[i]);

			row_of_node(g, meta_name(item[i]), &a,
			    json_object_get(nodes, meta_name(item[i])), o);
		}
	}
	if (o->pods && o->sum && n > 0)
		rows_of_sum(g, &sum, o);
	if (!o->pods && nodes)
		rows_of_rest(g, item, n, nodes, o);
}
