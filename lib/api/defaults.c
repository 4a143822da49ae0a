/*
 * Filling in what an object does not say.
 *
 * Defaults that always hold stand in the schema ("=1").  Those that depend on other
 * fields are the rules in lib/api/defaults_rules.c, by type.  A struct's rule runs before
 * its own static defaults and before its fields are entered, so that a rule sees what the
 * user wrote: Kubernetes goes from the outside in as well.
 */
#include "api/defaults.h"
#include "api/custom.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/validate.h"

/* The value of a default's text.  Nearly all are one word, which needs no parser. */
static json_t *
parse(const char *text)
{
	size_t n = strlen(text);
	long long number;
	char *end;

	if (*text == '"' && !strchr(text, '\\'))
		return json_stringn(text + 1, n - 2);
	if (!strcmp(text, "{}"))
		return json_object();
	if (!strcmp(text, "true") || !strcmp(text, "false"))
		return json_boolean(*text == 't');
	number = strtoll(text, &end, 10);
	if (end > text && *end == '\0')
		return json_integer(number);
	return json_loads(text, JSON_DECODE_ANY, NULL);
}

static bool
is_unset(const json_t *v)
{
	return !v || json_is_null(v);
}

void
default_to(json_t *obj, const char *key, json_t *value)
{
	if (is_unset(json_object_get(obj, key)))
		json_object_set_new(obj, key, value);
	else
		json_decref(value);
}

json_t *
default_object(json_t *obj, const char *key)
{
	json_t *now = json_object_get(obj, key);

	if (json_is_object(now))
		return now;
	if (now && !json_is_null(now))
		return NULL;
	json_object_set_new(obj, key, json_object());
	return json_object_get(obj, key);
}

static void apply(const struct type *t, json_t *value);

static void
apply_struct(const struct type *t, json_t *value)
{
	default_rule *rule = default_rule_of(t->name);
	const char *key;
	json_t *item;

	if (rule)
		rule(value);
	for (size_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];

		if (f->dflt && is_unset(json_object_get(value, f->name)))
			json_object_set_new_nocheck(value, f->name, parse(f->dflt));
	}
	json_object_foreach (value, key, item) {
		const struct field *f =
		    json_is_object(item) || json_is_array(item) ? type_field(t, key) : NULL;

		if (f && f->type->class >= CLASS_STRUCT)
			apply(f->type, item);
	}
}

static void
apply(const struct type *t, json_t *value)
{
	const char *key;
	size_t i;
	json_t *item;

	if (t->class == CLASS_LIST && t->elem->class >= CLASS_STRUCT && json_is_array(value)) {
		json_array_foreach (value, i, item)
			apply(t->elem, item);
	} else if (t->class == CLASS_MAP && t->elem->class >= CLASS_STRUCT &&
		   json_is_object(value)) {
		json_object_foreach (value, key, item)
			apply(t->elem, item);
	} else if (t->class == CLASS_STRUCT && json_is_object(value)) {
		apply_struct(t, value);
	}
}

void
defaults_apply(const struct kind *k, json_t *obj)
{
	if (k->custom)
		custom_default(k, obj);
	else
		apply(k->type, obj);
}

bool
field_is(const json_t *obj, const char *key, const char *want)
{
	return !strcmp(str(json_object_get(obj, key), ""), want);
}

bool
field_unset(const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	return !v || json_is_null(v);
}

/* Unset, or an empty list or object. */
bool
field_empty(const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	return field_unset(obj, key) || (json_is_array(v) && !json_array_size(v)) ||
	       (json_is_object(v) && !json_object_size(v));
}

void
default_copy(json_t *obj, const char *key, const json_t *value)
{
	if (value && field_empty(obj, key))
		json_object_set_new(obj, key, json_deep_copy(value));
}
