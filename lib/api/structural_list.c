/* What a schema says of lists that are sets or maps, and of objects within objects. */
#include <string.h>

#include "api/check.h"
#include "api/rules.h"
#include "api/structural_rule.h"
#include "base/mem.h"
#include "base/text.h"

/* The keys of an item, as one text to compare by. */
static char *
item_key(const struct node *n, const json_t *item, json_t **shown)
{
	json_auto_t *key = json_object();
	char *text;

	for (const char *const *k = n->keys; json_is_object(item) && *k; k++)
		if (json_object_get(item, *k))
			json_object_set(key, *k, json_object_get(item, *k));
	text = json_dumps(key, JSON_COMPACT | JSON_SORT_KEYS);
	if (shown)
		*shown = json_incref(key);
	return text ? text : xstrdup("");
}

json_t *
node_index(const struct node *n, const json_t *old)
{
	json_t *index;
	size_t i;
	json_t *item;

	if (n->list != LIST_MAP || !json_is_array(old))
		return NULL;
	index = json_object();
	json_array_foreach (old, i, item) {
		autofree char *key = item_key(n, item, NULL);

		if (json_is_object(item) && !json_object_get(index, key))
			json_object_set(index, key, item);
	}
	return index;
}

const json_t *
node_same_item(const struct node *n, const json_t *index, const json_t *item)
{
	autofree char *key = index && json_is_object(item) ? item_key(n, item, NULL) : NULL;

	return key ? json_object_get(index, key) : NULL;
}

static bool
same_list(const struct node *n, const json_t *value, const json_t *old)
{
	json_auto_t *before = node_index(n, old);
	size_t i;
	json_t *item;

	if (!before)
		return json_equal(value, old);
	json_array_foreach (value, i, item) {
		const json_t *was = node_same_item(n, before, item);

		if (!was || !n->items || !node_unchanged(n->items, item, was))
			return false;
	}
	return true;
}

bool
node_unchanged(const struct node *n, const json_t *value, const json_t *old)
{
	const char *name;
	json_t *v;

	if (json_is_array(value) && json_is_array(old))
		return json_array_size(value) == json_array_size(old) && same_list(n, value, old);
	if (!json_is_object(value) || !json_is_object(old))
		return json_equal(value, old);
	if (json_object_size(value) != json_object_size(old))
		return false;
	json_object_foreach ((json_t *)value, name, v) {
		const struct node *part = node_property(n, name);
		const json_t *was = json_object_get(old, name);

		part = part ? part : n->additional;
		if (!part || !was || !node_unchanged(part, v, was))
			return false;
	}
	return true;
}

static void
check_unique_items(
    struct causes *out, const struct node *n, const struct path *at, const json_t *list)
{
	json_auto_t *seen = json_object();
	size_t i;
	json_t *item;

	json_array_foreach (list, i, item) {
		json_auto_t *key = NULL;
		autofree char *text =
		    n->list == LIST_MAP
			? item_key(n, item, &key)
			: json_dumps(item, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
		json_int_t times = json_integer_value(json_object_get(seen, text)) + 1;

		if (times == 2)
			refuse_duplicate_value(out, ITEM(at, i), key ? key : item);
		json_object_set_new(seen, text, json_integer(times));
	}
}

static bool
all_objects(struct causes *out, const struct path *at, const json_t *list)
{
	size_t i;
	json_t *item;

	json_array_foreach (list, i, item)
		if (!json_is_object(item) && !json_is_null(item)) {
			refuse_value(out, ITEM(at, i), item,
			    "must be an object for an array of list-type map");
			return false;
		}
	return true;
}

void
node_validate_lists(
    const struct node *n, const struct path *at, const json_t *value, struct causes *out)
{
	size_t i;
	json_t *v;
	const char *name;

	if (!n->lists_inside)
		return;
	if (json_is_array(value)) {
		if (n->list == LIST_SET || (n->list == LIST_MAP && all_objects(out, at, value)))
			check_unique_items(out, n, at, value);
		if (n->items)
			json_array_foreach (value, i, v)
				node_validate_lists(n->items, ITEM(at, i), v, out);
		return;
	}
	if (n->additional)
		json_object_foreach ((json_t *)value, name, v)
			node_validate_lists(n->additional, KEY(at, name), v, out);
	for (i = 0; i < n->nproperties; i++)
		if ((v = json_object_get(value, n->property[i].name)))
			node_validate_lists(
			    n->property[i].node, AT(at, n->property[i].name), v, out);
}

/* A text that must be there: NULL when it is not, which is said. */
static const char *
needed(struct causes *out, const struct path *at, const json_t *value, const char *key)
{
	const json_t *v = json_object_get(value, key);

	if (!v || (json_is_string(v) && !json_string_length(v)))
		refuse_required(out, AT(at, key), "");
	else if (!json_is_string(v))
		refuse_value(out, AT(at, key), v, "must be a string");
	else
		return json_string_value(v);
	return NULL;
}

void
node_validate_resource(const struct path *at, const json_t *value, struct causes *out)
{
	const char *version = needed(out, at, value, "apiVersion"),
		   *kind = needed(out, at, value, "kind");
	const json_t *meta = json_object_get(value, "metadata");

	if (version && strchr(version, '/') != strrchr(version, '/'))
		refuse_text(out, AT(at, "apiVersion"), version,
		    "unexpected GroupVersion string: %s", version);
	if (kind)
		check_kind_word(out, AT(at, "kind"), kind);
	if (json_is_object(meta))
		meta_embedded(out, AT(at, "metadata"), meta);
}

void
node_validate_embedded(
    const struct node *n, const struct path *at, const json_t *value, bool root, struct causes *out)
{
	size_t i;
	json_t *v;
	const char *name;

	if (!n->lists_inside)
		return;
	if (n->embedded && !root && json_is_object(value))
		node_validate_resource(at, value, out);
	if (json_is_array(value) && n->items) {
		json_array_foreach (value, i, v)
			node_validate_embedded(n->items, ITEM(at, i), v, false, out);
		return;
	}
	if (n->additional)
		json_object_foreach ((json_t *)value, name, v)
			node_validate_embedded(n->additional, KEY(at, name), v, false, out);
	for (i = 0; i < n->nproperties; i++)
		if ((v = json_object_get(value, n->property[i].name)))
			node_validate_embedded(
			    n->property[i].node, AT(at, n->property[i].name), v, false, out);
}

/* Was something found on which rules must not be asked? */
static bool
blocks(const struct causes *c, size_t from)
{
	static const char *const reasons[] = { "FieldValueNotSupported", "FieldValueRequired",
		"FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid", NULL };

	for (size_t i = from; i < c->n; i++)
		if (text_in(c->item[i].reason, reasons))
			return true;
	return false;
}

/* Duplicates that were there before stay where they are. */
static void
check_lists(const struct structural *s, const json_t *obj, const json_t *old, struct causes *out)
{
	struct causes before = CAUSES_INIT;

	if (old)
		node_validate_lists(s->root, NULL, old, &before);
	if (!before.n)
		node_validate_lists(s->root, NULL, obj, out);
	causes_release(&before);
}

static void
check_values(const struct structural *s, const struct structural_change *c, struct causes *out)
{
	const struct node *status = node_property(s->root, "status");
	const json_t *v = json_object_get(c->obj, "status");

	if (!c->status) {
		node_validate(s->root, NULL, c->obj, c->old, out);
		if (c->more)
			c->more(c, out);
		node_validate_embedded(s->root, NULL, c->obj, true, out);
		return;
	}
	if (status && v)
		node_validate_field(status, "status", v, json_object_get(c->old, "status"), out);
	if (c->more)
		c->more(c, out);
}

void
structural_validate_change(const struct structural *s, const struct structural_change *c,
    struct causes *causes, size_t before)
{
	check_values(s, c, causes);
	check_lists(s, c->obj, c->old, causes);
	if (!s->root->rules_inside)
		return;
	if (blocks(causes, before))
		cause_add(causes, "FieldValueInvalid", "<nil>",
		    "Invalid value: null: some validation rules were not checked because the "
		    "object "
		    "was invalid; correct the existing errors to complete validation");
	else
		rules_validate(s, c->obj, c->old, causes, c->passed);
}

void
structural_validate_update(const struct structural *s, const json_t *obj, const json_t *old,
    struct causes *causes, struct causes *passed)
{
	const struct structural_change c = { .obj = obj, .old = old, .passed = passed };

	structural_validate_change(s, &c, causes, causes->n);
}

void
structural_validate(
    const struct structural *s, const json_t *obj, const json_t *old, struct causes *causes)
{
	structural_validate_update(s, obj, old, causes, NULL);
}
