/* Pruning and defaults of custom objects, and what a default itself must be. */
#include <string.h>

#include "api/structural_rule.h"
#include "base/buf.h"
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
		if (json_is_null(v) && !part->nullable && !part->dflt)
			json_object_del(value, name);
		else
			drop_nulls(part, v);
	}
}

void
structural_drop_nulls(const struct structural *s, json_t *obj)
{
	drop_nulls(s->root, obj);
}

void
structural_default(const struct structural *s, json_t *obj)
{
	fill(s->root, obj);
	drop_nulls(s->root, obj);
}

/* Where a schema describes apiVersion, kind, metadata or, in that, a field. */
struct inside {
	const char *name, *field; /* NULL: nothing of the kind; the field as a whole */
};

/* What is wrong with an object that has this default in its metadata, as one line; "": nothing. */
static char *
metadata_fault(const struct inside *in, const json_t *dflt)
{
	json_auto_t *obj = json_pack(
			"{s:s, s:s}", "apiVersion", "validation/v1", "kind", "Validation"),
		    *value = json_deep_copy(dflt);
	struct causes found = CAUSES_INIT;
	struct buf b = BUF_INIT;

	if (in->field)
		json_object_set_new(obj, in->name, json_pack("{s:O}", in->field, value));
	else
		json_object_set(obj, in->name, value);
	node_validate_resource(NULL, obj, &found);
	buf_puts(&b, found.n > 1 ? "[" : "");
	for (size_t i = 0; i < found.n; i++)
		buf_printf(
		    &b, "%s%s: %s", i ? ", " : "", found.item[i].field, found.item[i].message);
	buf_puts(&b, found.n > 1 ? "]" : "");
	causes_release(&found);
	return buf_detach(&b);
}

static void
refuse_default(struct causes *out, const struct path *at, const json_t *dflt, const char *why,
    const char *fault)
{
	json_auto_t *shown = sorted_copy(dflt);

	refuse_value(out, at, shown, "%s%s", why, fault);
}

/* It must fit the metadata of some object. */
static bool
check_metadata(
    const struct inside *in, const struct path *at, const json_t *dflt, struct causes *out)
{
	autofree char *fault = metadata_fault(in, dflt);
	bool wrong = *fault;

	if (wrong)
		refuse_default(out, at, dflt, "must result in valid metadata: ", fault);
	return !wrong;
}

static bool
check_pruned(const struct node *n, const struct path *at, struct causes *out)
{
	json_auto_t *copy = json_deep_copy(n->dflt);
	size_t before;

	node_prune(n, copy, n->embedded);
	if (!json_equal(copy, n->dflt))
		refuse_default(out, at, n->dflt, "must not have unknown fields", "");
	before = out->n;
	node_validate_embedded(n, at, n->dflt, false, out);
	return out->n == before;
}

static void
check_default(
    const struct node *n, const struct inside *in, const struct path *at, struct causes *out)
{
	bool fits = in->name ? check_metadata(in, at, n->dflt, out) : check_pruned(n, at, out);
	size_t before = out->n;

	if (fits)
		node_validate(n, at, n->dflt, NULL, out);
	if (fits && out->n == before)
		rules_validate_default(n, at, out);
}

static void
check_defaults(const struct node *n, const struct inside *around, bool resource,
    const struct path *at, struct causes *out)
{
	static const struct inside nothing;
	const struct inside *in = resource ? &nothing : around;

	if (!n->defaults)
		return;
	if (n->dflt)
		check_default(n, in, AT(at, "default"), out);
	if (n->items)
		check_defaults(n->items, in, n->items->embedded, AT(at, "items"), out);
	for (size_t i = 0; i < n->nproperties; i++) {
		const struct property *p = &n->property[i];
		struct inside below = nothing;

		if (in->name && !in->field)
			below = (struct inside){ in->name, p->name };
		else if (resource && of_every_object(p->name))
			below.name = p->name;
		check_defaults(
		    p->node, &below, p->node->embedded, KEY(AT(at, "properties"), p->name), out);
	}
}

void
node_check_defaults(const struct node *root, const struct path *at, struct causes *out)
{
	check_defaults(root, &(const struct inside){ 0 }, true, at, out);
}
