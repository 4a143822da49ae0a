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

/* n NULL: nothing is known of what may be in value.  keep: what is not known stays. */
struct place {
	const struct node *n;
	bool keep, resource;
};

static void prune(struct place here, const struct path *at, json_t *value, struct buf *unknown);

static struct place
place_in(const struct node *n)
{
	return (struct place){ n, n && n->preserve, n && n->embedded };
}

/* Is the field known?  Then *below says as what. */
static bool
known(const struct place *here, const char *name, struct place *below)
{
	const struct node *n = here->n, *part = n ? node_property(n, name) : NULL;

	if (part || (n && (n->additional || n->open || n->closed))) {
		*below = place_in(part ? part : n->additional);
		return true;
	}
	return false;
}

static void
prune_object(struct place here, const struct path *at, json_t *value, struct buf *unknown)
{
	struct place below;
	const char *name;
	void *next;
	json_t *v;

	json_object_foreach_safe(value, next, name, v)
	{
		if (here.resource && of_every_object(name))
			continue; /* its own rules apply */
		if (known(&here, name, &below)) {
			prune(below, AT(at, name), v, unknown);
		} else if (!here.keep) {
			note(unknown, AT(at, name));
			json_object_del(value, name);
		}
	}
}

static void
prune(struct place here, const struct path *at, json_t *value, struct buf *unknown)
{
	struct place below = place_in(here.n ? here.n->items : NULL);
	size_t i;
	json_t *item;

	if (json_is_object(value))
		prune_object(here, at, value, unknown);
	if (!json_is_array(value) || (here.keep && !below.n))
		return;
	below.keep |= here.keep;
	json_array_foreach (value, i, item)
		prune(below, ITEM(at, i), item, unknown);
}

void
node_prune(const struct node *n, json_t *value, bool resource)
{
	prune((struct place){ n, n->preserve, resource }, NULL, value, NULL);
}

void
structural_prune(const struct structural *s, json_t *obj, struct buf *unknown)
{
	prune((struct place){ s->root, s->root->preserve, true }, NULL, obj, unknown);
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
