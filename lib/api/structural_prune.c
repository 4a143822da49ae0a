/* Pruning and defaults of custom objects, and what a default itself must be. */
#include <string.h>

#include "api/structural_node.h"
#include "base/mem.h"

static void
note(struct buf *unknown, const struct path *at)
{
	autofree char *name = NULL;

	if (!unknown)
		return;
	name = path_print(at);
	buf_add(unknown, name, strlen(name) + 1);
}

static bool
of_every_object(const char *name)
{
	return !strcmp(name, "apiVersion") || !strcmp(name, "kind") || !strcmp(name, "metadata");
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void prune(
    const struct node *n, const struct path *at, json_t *value, bool resource, struct buf *unknown);

/* In alphabetical order, as the warnings come. */
static void
prune_object(
    const struct node *n, const struct path *at, json_t *value, bool resource, struct buf *unknown)
{
	size_t size = json_object_size(value), count = 0;
	autofree const char **names = xreallocarray(NULL, size + 1, sizeof *names);
	const char *name;
	json_t *v;

	json_object_foreach (value, name, v)
		names[count++] = name;
	qsort(names, count, sizeof *names, by_text);
	for (size_t i = 0; i < count; i++) {
		const struct node *part = node_property(n, names[i]);

		v = json_object_get(value, names[i]);
		if (resource && of_every_object(names[i]))
			continue; /* its own rules apply */
		if (!part)
			part = n->additional;
		if (part)
			prune(part, AT(at, names[i]), v, part->embedded, unknown);
		else if (!n->preserve && !n->open) {
			note(unknown, AT(at, names[i]));
			json_object_del(value, names[i]);
		}
	}
}

static void
prune(
    const struct node *n, const struct path *at, json_t *value, bool resource, struct buf *unknown)
{
	size_t i;
	json_t *item;

	if (json_is_object(value))
		prune_object(n, at, value, resource, unknown);
	else if (json_is_array(value) && n->items)
		json_array_foreach (value, i, item)
			prune(n->items, ITEM(at, i), item, n->items->embedded, unknown);
}

void
node_prune(const struct node *n, json_t *value, bool resource)
{
	prune(n, NULL, value, resource, NULL);
}

void
structural_prune(const struct structural *s, json_t *obj, struct buf *unknown)
{
	prune(s->root, NULL, obj, true, unknown);
}

/* A null where none may stand gives way when there is a default. */
static void
fill(const struct node *n, json_t *value)
{
	size_t i;
	json_t *v;
	const char *name;

	if (!n->defaults)
		return;
	if (json_is_array(value) && n->items) {
		json_array_foreach (value, i, v)
			if (json_is_null(v) && !n->items->nullable && n->items->dflt)
				json_array_set_new(value, i, json_deep_copy(n->items->dflt));
		json_array_foreach (value, i, v)
			fill(n->items, v);
	}
	if (!json_is_object(value))
		return;
	for (i = 0; i < n->nproperties; i++) {
		const struct node *part = n->property[i].node;

		if (!part->defaults)
			continue;
		v = json_object_get(value, n->property[i].name);
		if (part->dflt && (!v || (json_is_null(v) && !part->nullable))) {
			v = json_deep_copy(part->dflt);
			json_object_set_new(value, n->property[i].name, v);
		}
		if (v)
			fill(part, v);
	}
	if (n->additional && n->additional->defaults)
		json_object_foreach (value, name, v) {
			if (node_property(n, name))
				continue;
			if (json_is_null(v) && !n->additional->nullable && n->additional->dflt)
				json_object_set_new(
				    value, name, json_deep_copy(n->additional->dflt));
			else
				fill(n->additional, v);
		}
}

/* A null that the schema does not allow, and that has no default, counts as missing. */
static void
drop_nulls(const struct node *n, json_t *value)
{
	const char *name;
	json_t *v;
	void *next;
	size_t i;

	if (json_is_array(value) && n->items)
		json_array_foreach (value, i, v)
			drop_nulls(n->items, v);
	json_object_foreach_safe(value, next, name, v)
	{
		const struct node *part = node_property(n, name);

		if (!part)
			part = n->additional;
		if (!part)
			continue;
		if (json_is_null(v) && !part->nullable)
			json_object_del(value, name);
		else
			drop_nulls(part, v);
	}
}

void
structural_default(const struct structural *s, json_t *obj)
{
	fill(s->root, obj);
	drop_nulls(s->root, obj);
}

/* A default of metadata and the like is looked at in an object that has it. */
static void
check_default(const struct node *n, const struct path *at, struct causes *out)
{
	json_auto_t *copy = json_deep_copy(n->dflt);
	const struct path *here = AT(at, "default");
	size_t before = out->n;

	node_prune(n, copy, n->embedded);
	if (!json_equal(copy, n->dflt))
		refuse_value(out, here, n->dflt, "must not have unknown fields");
	node_validate_embedded(n, here, n->dflt, false, out);
	if (out->n == before)
		node_validate(n, here, n->dflt, NULL, out);
}

void
node_check_defaults(const struct node *n, const struct path *at, struct causes *out)
{
	if (!n->defaults)
		return;
	if (n->dflt)
		check_default(n, at, out);
	if (n->items)
		node_check_defaults(n->items, AT(at, "items"), out);
	for (size_t i = 0; i < n->nproperties; i++)
		node_check_defaults(
		    n->property[i].node, KEY(AT(at, "properties"), n->property[i].name), out);
}
