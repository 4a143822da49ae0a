/* What may stand in the schema of a custom kind (apiextensions validation). */
#include <string.h>

#include "api/meta.h"
#include "api/rules.h"
#include "api/structural_node.h"
#include "api/structural_rule.h"
#include "base/mem.h"
#include "base/text.h"

/* What is asked differs by where the schema stands. */
struct place {
	const char *no_default; /* why there may be none; NULL: there may */
	bool inside_meta, root;
};

static void check(struct causes *out, const struct path *at, const json_t *s, struct place here);

static const json_t *
word(const json_t *s, const char *key)
{
	const json_t *v = json_object_get(s, key);

	return json_is_string(v) ? v : NULL;
}

static bool
is(const json_t *v, const char *text)
{
	return !strcmp(str(v, ""), text);
}

static void
check_words(struct causes *out, const struct path *at, const json_t *s, struct place here)
{
	static const char *const types[] = { "array", "boolean", "integer", "number", "object",
		"string", NULL };
	const char *type = text(s, "type");

	if (*type && !text_in(type, types))
		refuse_unsupported(out, AT(at, "type"), type, types);
	if (json_object_get(s, "default") && here.no_default)
		refuse_forbidden(out, AT(at, "default"), "must not be set %s", here.no_default);
	if (*text(s, "id"))
		refuse_forbidden(out, AT(at, "id"), "id is not supported");
	if (json_object_get(s, "additionalItems"))
		refuse_forbidden(
		    out, AT(at, "additionalItems"), "additionalItems is not supported");
	if (json_object_size(json_object_get(s, "patternProperties")))
		refuse_forbidden(
		    out, AT(at, "patternProperties"), "patternProperties is not supported");
	if (json_object_size(json_object_get(s, "definitions")))
		refuse_forbidden(out, AT(at, "definitions"), "definitions is not supported");
	if (json_object_get(s, "dependencies"))
		refuse_forbidden(out, AT(at, "dependencies"), "dependencies is not supported");
	if (json_object_get(s, "$ref"))
		refuse_forbidden(out, AT(at, "$ref"), "$ref is not supported");
	if (!strcmp(type, "null"))
		refuse_forbidden(out, AT(at, "type"),
		    "type cannot be set to null, use nullable as an alternative");
	if (json_array_size(json_object_get(s, "items")))
		refuse_forbidden(
		    out, AT(at, "items"), "items must be a schema object and not an array");
	if (here.inside_meta && truth(json_object_get(s, "x-kubernetes-embedded-resource")))
		refuse_forbidden(out, AT(at, "x-kubernetes-embedded-resource"),
		    "must not be used inside of resource meta");
	if (truth(json_object_get(s, "uniqueItems")))
		refuse_forbidden(out, AT(at, "uniqueItems"),
		    "uniqueItems cannot be set to true since the runtime complexity becomes "
		    "quadratic");
}

static void
check_properties(struct causes *out, const struct path *at, const json_t *s, struct place here)
{
	static const char *const own[] = { "metadata", "kind", "apiVersion", NULL };
	const json_t *more = json_object_get(s, "additionalProperties"),
		     *properties = json_object_get(s, "properties");
	bool resource = here.root || truth(json_object_get(s, "x-kubernetes-embedded-resource"));
	const char *name;
	json_t *part;

	if (json_object_size(properties) && (json_is_false(more) || json_is_object(more)))
		refuse_forbidden(out, AT(at, "additionalProperties"),
		    "additionalProperties and properties are mutual exclusive");
	if (json_is_object(more)) {
		struct place inside = { here.no_default, here.inside_meta, false };

		if (here.inside_meta)
			inside.no_default =
			    "inside additionalProperties applying to object metadata";
		check(out, AT(at, "additionalProperties"), more, inside);
	}
	json_object_foreach ((json_t *)properties, name, part) {
		struct place inside = { here.no_default, here.inside_meta, false };
		autofree char *why = NULL;

		if (resource && text_in(name, own)) {
			inside.inside_meta = true;
			if (here.root)
				inside.no_default = why = xasprintf("in top-level %s", name);
		}
		check(out, KEY(AT(at, "properties"), name), part, inside);
	}
}

static void
check_parts(struct causes *out, const struct path *at, const json_t *s, struct place here)
{
	static const char *const lists[] = { "allOf", "oneOf", "anyOf", "items" };
	static const char *const single[] = { "not", "items" };
	size_t i;
	json_t *part;
	const char *name;

	here.root = false;
	for (size_t k = 0; k < COUNT(single); k++)
		if (json_is_object(json_object_get(s, single[k])))
			check(out, AT(at, single[k]), json_object_get(s, single[k]), here);
	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (json_object_get(s, lists[k]), i, part)
			check(out, ITEM(AT(at, lists[k]), i), part, here);
	json_object_foreach (json_object_get(s, "definitions"), name, part)
		check(out, KEY(AT(at, "definitions"), name), part, here);
	json_object_foreach (json_object_get(s, "dependencies"), name, part)
		if (json_is_object(part))
			check(out, KEY(AT(at, "dependencies"), name), part, here);
}

/* "must be object if x-kubernetes-map-type is specified" */
static void
check_fits(
    struct causes *out, const struct path *at, const json_t *s, const char *key, const char *want)
{
	const json_t *v = word(s, key);
	const char *type = text(s, "type");
	autofree char *why = xasprintf("must be %s if %s is specified", want, key);

	if (!v)
		return;
	if (!*type)
		refuse_required(out, AT(at, "type"), why);
	else if (strcmp(type, want))
		refuse_text(out, AT(at, "type"), type, "%s", why);
}

static void
check_value(struct causes *out, const struct path *at, const json_t *s, const char *key,
    const char *const *values)
{
	const json_t *v = word(s, key);

	if (v && !text_in(json_string_value(v), values))
		refuse_unsupported(out, AT(at, key), json_string_value(v), values);
}

/* The items of a set are compared as a whole, so they must be owned as a whole. */
static void
check_set(struct causes *out, const struct path *at, const json_t *s)
{
	const json_t *items = json_object_get(s, "items"),
		     *list = word(items, "x-kubernetes-list-type");
	const struct path *inside = AT(at, "items");

	if (is(json_object_get(items, "type"), "array") && list && !is(list, "atomic"))
		refuse_value(out, AT(inside, "x-kubernetes-list-type"), list,
		    "must be atomic as item of a list with x-kubernetes-list-type=set");
	else if (is(json_object_get(items, "type"), "object") &&
		 !is(json_object_get(items, "x-kubernetes-map-type"), "atomic"))
		refuse_value(out, AT(inside, "x-kubernetes-map-type"), list,
		    "must be atomic as item of a list with x-kubernetes-list-type=set");
}

static void
check_keys(struct causes *out, const struct path *at, const json_t *s)
{
	const json_t *keys = json_object_get(s, "x-kubernetes-list-map-keys"),
		     *items = json_object_get(s, "items");
	const struct path *inside = AT(at, "items"), *here = AT(at, "x-kubernetes-list-map-keys");
	const char *type = text(items, "type");
	json_auto_t *seen = json_object(), *shown = crd_shown_items(items);
	size_t i;
	json_t *key;

	if (!json_array_size(keys))
		refuse_required(out, here, "must not be empty if x-kubernetes-list-type is map");
	if (!items)
		refuse_required(out, inside, "must have a schema if x-kubernetes-list-type is map");
	else if (!json_is_object(items))
		refuse_value(out, inside, shown,
		    "must only have a single schema if x-kubernetes-list-type is map");
	else if (strcmp(type, "object"))
		refuse_text(out, AT(inside, "type"), type,
		    "must be object if parent array's x-kubernetes-list-type is map");
	if (strcmp(type, "object"))
		return;
	json_array_foreach (keys, i, key) {
		const json_t *part =
		    json_object_get(json_object_get(items, "properties"), str(key, ""));

		if (!part)
			refuse_value(
			    out, here, keys, "entries must all be names of item properties");
		else if (is(json_object_get(part, "type"), "array") ||
			 is(json_object_get(part, "type"), "object"))
			refuse_text(out, AT(KEY(AT(inside, "properties"), str(key, "")), "type"),
			    type,
			    "must be a scalar type if parent array's x-kubernetes-list-type is "
			    "map");
		if (json_object_get(seen, str(key, "")))
			refuse_value(out, here, keys, "must not contain duplicate entries");
		json_object_set_new(seen, str(key, ""), json_true());
	}
}

/* Keys that an item may lack cannot tell items apart. */
static void
check_key_values(struct causes *out, const struct path *at, const json_t *s)
{
	const json_t *list = word(s, "x-kubernetes-list-type"),
		     *items = json_object_get(s, "items");
	json_auto_t *needed = json_object();
	size_t i;
	json_t *key;

	if (!json_is_object(items) || !list || (!is(list, "set") && !is(list, "map")))
		return;
	if (truth(json_object_get(items, "nullable")))
		refuse_forbidden(out, AT(AT(at, "items"), "nullable"),
		    "cannot be nullable when x-kubernetes-list-type is %s",
		    json_string_value(list));
	if (!is(list, "map"))
		return;
	json_array_foreach (json_object_get(items, "required"), i, key)
		json_object_set_new(needed, str(key, ""), json_true());
	json_array_foreach (json_object_get(s, "x-kubernetes-list-map-keys"), i, key) {
		const json_t *part =
		    json_object_get(json_object_get(items, "properties"), str(key, ""));
		const struct path *inside = KEY(AT(AT(at, "items"), "properties"), str(key, ""));

		if (!part)
			continue;
		if (!json_object_get(needed, str(key, "")) && !json_object_get(part, "default"))
			refuse_required(out, AT(inside, "default"),
			    "this property is in x-kubernetes-list-map-keys, so it must have a "
			    "default or be a required property");
		if (truth(json_object_get(part, "nullable")))
			refuse_forbidden(out, AT(inside, "nullable"),
			    "this property is in x-kubernetes-list-map-keys, so it cannot be "
			    "nullable");
	}
}

static void
check_lists(struct causes *out, const struct path *at, const json_t *s)
{
	static const char *const maps[] = { "atomic", "granular", NULL }, *const lists[] = {
		"atomic", "set", "map", NULL
	};
	const json_t *list = word(s, "x-kubernetes-list-type");
	const struct path *here = AT(at, "x-kubernetes-list-type");

	if (json_is_false(json_object_get(s, "x-kubernetes-preserve-unknown-fields")))
		refuse_value(out, AT(at, "x-kubernetes-preserve-unknown-fields"), json_false(),
		    "must be true or undefined");
	check_fits(out, at, s, "x-kubernetes-map-type", "object");
	check_value(out, at, s, "x-kubernetes-map-type", maps);
	check_fits(out, at, s, "x-kubernetes-list-type", "array");
	if (list && is(list, "set") && is(json_object_get(s, "type"), "array") &&
	    json_is_object(json_object_get(s, "items")))
		check_set(out, at, s);
	check_value(out, at, s, "x-kubernetes-list-type", lists);
	if (json_array_size(json_object_get(s, "x-kubernetes-list-map-keys"))) {
		if (!list)
			refuse_required(
			    out, here, "must be map if x-kubernetes-list-map-keys is non-empty");
		else if (!is(list, "map"))
			refuse_value(out, here, list,
			    "must be map if x-kubernetes-list-map-keys is non-empty");
	}
	if (list && is(list, "map"))
		check_keys(out, at, s);
	check_key_values(out, at, s);
}

static void
check(struct causes *out, const struct path *at, const json_t *s, struct place here)
{
	check_words(out, at, s, here);
	check_properties(out, at, s, here);
	check_parts(out, at, s, here);
	check_lists(out, at, s);
	rules_check_words(out, at, s);
}

/* --- words that are not known at all ---------------------------------------------------------- */

static bool
any(const json_t *v)
{
	return json_is_string(v) ? json_string_length(v) : json_object_size(v);
}

static const char *
unusable_here(const json_t *s)
{
	if (any(json_object_get(s, "id")))
		return "OpenAPIV3Schema 'id' is not supported";
	if (any(json_object_get(s, "$schema")))
		return "OpenAPIV3Schema 'schema' is not supported";
	if (any(json_object_get(s, "$ref")))
		return "OpenAPIV3Schema '$ref' is not supported";
	if (any(json_object_get(s, "patternProperties")))
		return "OpenAPIV3Schema 'patternProperties' is not supported";
	if (any(json_object_get(s, "dependencies")))
		return "OpenAPIV3Schema 'dependencies' is not supported";
	if (json_object_get(s, "additionalItems"))
		return "OpenAPIV3Schema 'additionalItems' is not supported";
	if (any(json_object_get(s, "definitions")))
		return "OpenAPIV3Schema 'definitions' is not supported";
	if (json_is_false(json_object_get(s, "x-kubernetes-preserve-unknown-fields")))
		return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or "
		       "undefined";
	if (json_array_size(json_object_get(s, "items")))
		return "OpenAPIV3Schema 'items' must be a schema, but is an array";
	return NULL;
}

const char *
schema_unusable(const json_t *s)
{
	static const char *const single[] = { "items", "additionalProperties", "not" };
	static const char *const lists[] = { "allOf", "anyOf", "oneOf" };
	const char *why = unusable_here(s), *name;
	json_t *part;
	size_t i;

	for (size_t k = 0; !why && k < COUNT(single); k++)
		if (json_is_object(json_object_get(s, single[k])))
			why = schema_unusable(json_object_get(s, single[k]));
	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (json_object_get(s, lists[k]), i, part)
			why = why ? why : schema_unusable(part);
	json_object_foreach (json_object_get(s, "properties"), name, part)
		why = why ? why : schema_unusable(part);
	return why;
}

void
schema_check(const json_t *schema, const struct path *at, struct causes *out)
{
	check(out, at, schema, (struct place){ .root = true });
}
