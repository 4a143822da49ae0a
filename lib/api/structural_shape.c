/*
 * Is a schema structural (KEP 1979)?  Every field has a type outside of logic, and logic only adds
 * conditions to fields that are specified outside.
 */
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/structural_node.h"
#include "base/mem.h"
#include "cel/regex.h"

enum level { LEVEL_ROOT, LEVEL_ITEM, LEVEL_FIELD };

static const char *const junctors[] = { "anyOf", "allOf", "oneOf" };

static void check_nested(struct causes *out, const struct path *at, const json_t *v, bool skip_any);

static void
check_pattern(struct causes *out, const struct path *at, const json_t *v)
{
	const char *pattern = text(v, "pattern"), *why = NULL;
	struct arena a = { 0 };

	if (*pattern && !cel_regex(&a, pattern, strlen(pattern), &why))
		refuse_text(out, AT(at, "pattern"), pattern,
		    "must be a valid regular expression, but isn't: %s", why);
	arena_release(&a);
}

/* anyOf: [{type: integer}, {type: string}], which says of an int-or-string what it is anyway. */
static bool
either(const json_t *list)
{
	json_auto_t *want = json_pack("[{s:s}, {s:s}]", "type", "integer", "type", "string");

	return json_equal(list, want);
}

static void
check_conditions(
    struct causes *out, const struct path *at, const json_t *v, bool skip_any, bool skip_first)
{
	for (size_t j = 0; j < COUNT(junctors); j++) {
		const json_t *list = json_object_get(v, junctors[j]);
		size_t i;
		json_t *item;

		if (j == 0 && skip_any)
			continue;
		json_array_foreach (list, i, item)
			check_nested(out, ITEM(AT(at, junctors[j]), i), item,
			    j == 1 && i == 0 && skip_first);
	}
	if (json_is_object(json_object_get(v, "not")))
		check_nested(out, AT(at, "not"), json_object_get(v, "not"), false);
	check_pattern(out, at, v);
}

/* What stands inside logic may say nothing of what there is. */
static void
check_forbidden(struct causes *out, const struct path *at, const json_t *v)
{
	static const struct {
		const char *key, *words;
		bool empty; /* an empty or false one does no harm */
	} forbidden[] = {
		{ "type", "must be empty to be structural", true },
		{ "additionalProperties", "must be undefined to be structural", false },
		{ "default", "must be undefined to be structural", false },
		{ "title", "must be empty to be structural", true },
		{ "description", "must be empty to be structural", true },
		{ "nullable", "must be false to be structural", true },
		{ "externalDocs", "must be undefined to be structural", false },
		{ "x-kubernetes-preserve-unknown-fields", "must be false to be structural", true },
		{ "x-kubernetes-embedded-resource", "must be false to be structural", true },
		{ "x-kubernetes-int-or-string", "must be false to be structural", true },
		{ "x-kubernetes-list-map-keys", "must be empty to be structural", true },
		{ "x-kubernetes-list-type", "must be undefined to be structural", false },
		{ "x-kubernetes-map-type", "must be undefined to be structural", false },
		{ "x-kubernetes-validations", "must be empty to be structural", true },
	};

	for (size_t i = 0; i < COUNT(forbidden); i++) {
		const json_t *x = json_object_get(v, forbidden[i].key);
		bool none = !x || json_is_null(x) ||
			    (forbidden[i].empty && (json_is_false(x) || !*str(x, "x") ||
						       (json_is_array(x) && !json_array_size(x))));

		if (!none)
			refuse_forbidden(out, AT(at, forbidden[i].key), "%s", forbidden[i].words);
	}
}

static void
check_nested(struct causes *out, const struct path *at, const json_t *v, bool skip_any)
{
	const json_t *properties = json_object_get(v, "properties");
	const char *name;
	json_t *part;

	check_conditions(out, at, v, skip_any, false);
	if (json_is_object(json_object_get(v, "items")))
		check_nested(out, AT(at, "items"), json_object_get(v, "items"), false);
	json_object_foreach ((json_t *)properties, name, part)
		check_nested(out, KEY(AT(at, "properties"), name), part, false);
	check_forbidden(out, at, v);
	if (json_object_get(properties, "metadata"))
		refuse_forbidden(out, KEY(AT(at, "properties"), "metadata"),
		    "must not be specified in a nested context");
}

static void
check_type(struct causes *out, const struct path *at, const json_t *s, enum level level)
{
	static const char *const words[] = {
		[LEVEL_ROOT] = "must not be empty at the root",
		[LEVEL_ITEM] = "must not be empty for specified array items",
		[LEVEL_FIELD] = "must not be empty for specified object fields",
	};
	const char *type = text(s, "type");
	bool embedded = truth(json_object_get(s, "x-kubernetes-embedded-resource"));

	if (embedded && strcmp(type, "object")) {
		if (*type)
			refuse_text(out, AT(at, "type"), type,
			    "must be object if x-kubernetes-embedded-resource is true");
		else
			refuse_required(out, AT(at, "type"),
			    "must be object if x-kubernetes-embedded-resource is true");
	} else if (!*type && !truth(json_object_get(s, "x-kubernetes-int-or-string")) &&
		   !truth(json_object_get(s, "x-kubernetes-preserve-unknown-fields"))) {
		refuse_required(out, AT(at, "type"), words[level]);
	}
	if (embedded && json_object_get(s, "additionalProperties"))
		refuse_forbidden(out, AT(at, "additionalProperties"),
		    "must not be used if x-kubernetes-embedded-resource is set");
	if (level == LEVEL_ROOT && *type && strcmp(type, "object"))
		refuse_text(out, AT(at, "type"), type, "must be object at the root");
}

static void
check_metadata(struct causes *out, const struct path *at, const json_t *s, bool resource, bool root)
{
	static const char *const known[] = { "type", "properties", "default", "name" };
	const json_t *properties = json_object_get(s, "properties");
	size_t fields = json_object_size(properties), keys = json_object_size(s);

	if (resource && strcmp(text(s, "type"), "object"))
		refuse_text(out, AT(at, "type"), text(s, "type"), "must be object");
	if (!root)
		return;
	fields -= json_object_get(properties, "name") != NULL;
	fields -= json_object_get(properties, "generateName") != NULL;
	for (size_t i = 0; i < COUNT(known); i++)
		keys -= json_object_get(s, known[i]) != NULL;
	if (fields || keys)
		refuse_forbidden(out, at,
		    "must not specify anything other than name and generateName, but metadata is "
		    "implicitly specified");
}

static void
check_resource(struct causes *out, const struct path *at, const json_t *s, enum level level)
{
	static const char *const words[] = { "kind", "apiVersion" };
	const json_t *properties = json_object_get(s, "properties");
	bool embedded = truth(json_object_get(s, "x-kubernetes-embedded-resource"));
	bool resource = level == LEVEL_ROOT || embedded;

	for (size_t i = 0; resource && i < COUNT(words); i++) {
		const json_t *part = json_object_get(properties, words[i]);

		if (part && strcmp(text(part, "type"), "string"))
			refuse_text(out, AT(KEY(AT(at, "properties"), words[i]), "type"),
			    text(part, "type"), "must be string");
	}
	if (json_object_get(properties, "metadata"))
		check_metadata(out, KEY(AT(at, "properties"), "metadata"),
		    json_object_get(properties, "metadata"), resource, level == LEVEL_ROOT);
	if (embedded && !truth(json_object_get(s, "x-kubernetes-preserve-unknown-fields")) &&
	    !json_object_size(properties))
		refuse_required(out, AT(at, "properties"),
		    "must not be empty if x-kubernetes-embedded-resource is true without "
		    "x-kubernetes-preserve-unknown-fields");
}

static void
check_extensions(struct causes *out, const struct path *at, const json_t *s)
{
	static const char *const words[] = { "x-kubernetes-preserve-unknown-fields",
		"x-kubernetes-embedded-resource" };

	if (!truth(json_object_get(s, "x-kubernetes-int-or-string")))
		return;
	for (size_t i = 0; i < COUNT(words); i++)
		if (truth(json_object_get(s, words[i])))
			refuse_value(out, AT(at, words[i]), json_object_get(s, words[i]),
			    "must be false if x-kubernetes-int-or-string is true");
}

static void
check_invariants(struct causes *out, const struct path *at, const json_t *s, enum level level)
{
	const json_t *items = json_object_get(s, "items"),
		     *more = json_object_get(s, "additionalProperties");
	const char *name;
	json_t *part;

	if (!strcmp(text(s, "type"), "array") && !json_is_object(items))
		refuse_required(out, AT(at, "items"), "must be specified");
	if (json_is_object(items))
		check_invariants(out, AT(at, "items"), items, LEVEL_ITEM);
	json_object_foreach (json_object_get(s, "properties"), name, part)
		check_invariants(out, KEY(AT(at, "properties"), name), part, LEVEL_FIELD);
	if (more && level == LEVEL_ROOT)
		refuse_forbidden(
		    out, AT(at, "additionalProperties"), "must not be used at the root");
	if (json_is_object(more))
		check_invariants(out, AT(at, "additionalProperties"), more, LEVEL_FIELD);
	check_extensions(out, at, s);
	check_conditions(out, at, s, either(json_object_get(s, "anyOf")),
	    either(json_object_get(json_array_get(json_object_get(s, "allOf"), 0), "anyOf")));
	check_type(out, at, s, level);
	check_resource(out, at, s, level);
}

/* Whatever logic speaks of must be specified outside of it: here is v, and there s (NULL: nothing).
 */
static void
check_complete(struct causes *out, const struct path *there, const json_t *s,
    const struct path *here, const json_t *v)
{
	const char *name;
	json_t *part;

	if (!json_is_object(s)) {
		autofree char *where = path_print(here),
			      *why = xasprintf("because it is defined in %s", where);

		refuse_required(out, there, why);
		return;
	}
	if (json_is_object(json_object_get(v, "not")))
		check_complete(out, there, s, AT(here, "not"), json_object_get(v, "not"));
	for (size_t j = 0; j < COUNT(junctors); j++) {
		size_t i;

		json_array_foreach (json_object_get(v, junctors[j]), i, part)
			check_complete(out, there, s, ITEM(AT(here, junctors[j]), i), part);
	}
	if (s == v)
		return;
	if (json_is_object(json_object_get(v, "items")))
		check_complete(out, AT(there, "items"), json_object_get(s, "items"),
		    AT(here, "items"), json_object_get(v, "items"));
	json_object_foreach (json_object_get(v, "properties"), name, part)
		check_complete(out, KEY(AT(there, "properties"), name),
		    json_object_get(json_object_get(s, "properties"), name),
		    KEY(AT(here, "properties"), name), part);
}

static int
by_words(const void *a, const void *b)
{
	const struct cause *x = a, *y = b;
	int c = strcmp(x->field, y->field);

	return c ? c : strcmp(x->message, y->message);
}

void
schema_shape(const json_t *schema, const struct path *at, struct causes *out)
{
	size_t before = out->n;

	check_invariants(out, at, schema, LEVEL_ROOT);
	check_complete(out, at, schema, at, schema);
	if (out->n > before)
		qsort(out->item + before, out->n - before, sizeof *out->item, by_words);
}
