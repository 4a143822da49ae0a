/*
 * Compiling the schema of a custom kind: JSON to a tree of nodes.  What may not stand in a schema
 * was refused before (structural_check.c, structural_shape.c); here whatever has the wrong type
 * counts as missing.
 */
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/structural_node.h"
#include "api/structural_rule.h"
#include "base/mem.h"

static void node_read(struct structural *s, struct node *n, const json_t *schema);

static struct node *
node_new(struct structural *s, const json_t *schema)
{
	struct node *n = arena_alloc(&s->arena, sizeof *n);

	node_read(s, n, schema);
	return n;
}

static void
inherit(struct node *n, const struct node *part)
{
	n->defaults |= part->defaults;
	n->rules_inside |= part->rules_inside;
	n->lists_inside |= part->lists_inside;
	n->embedded_inside |= part->embedded_inside;
}

/* What nodes need of the schema they copy: it is larger by far as JSON. */
const char *
schema_keep(struct structural *s, const char *text)
{
	return *text ? arena_text(&s->arena, text, strlen(text)) : "";
}

static const json_t *
keep_json(struct structural *s, const json_t *v)
{
	json_t *copy = v ? json_deep_copy(v) : NULL;

	if (copy)
		json_array_append_new(s->kept, copy);
	return copy;
}

static void
read_type(struct node *n, const char *word)
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {
		{ "string", IS_STRING },
		{ "number", IS_NUMBER },
		{ "integer", IS_INTEGER },
		{ "boolean", IS_BOOLEAN },
		{ "array", IS_ARRAY },
		{ "object", IS_OBJECT },
	};

	n->word = "";
	for (size_t i = 0; i < COUNT(words); i++) {
		if (strcmp(word, words[i].word))
			continue;
		n->word = words[i].word;
		n->types = words[i].bit;
	}
}

static int64_t
bound(const json_t *schema, const char *key)
{
	const json_t *v = json_object_get(schema, key);

	return json_is_integer(v) ? json_integer_value(v) : -1;
}

static bool
number(const json_t *schema, const char *key, double *ret)
{
	const json_t *v = json_object_get(schema, key);

	*ret = json_number_value(v);
	return json_is_number(v);
}

/* NULL-terminated. */
static const char **
words(struct structural *s, const json_t *list, size_t *n)
{
	const char **ret = arena_alloc(&s->arena, (json_array_size(list) + 1) * sizeof *ret);
	size_t i;
	json_t *item;

	*n = 0;
	json_array_foreach (list, i, item)
		if (json_is_string(item))
			ret[(*n)++] = schema_keep(s, json_string_value(item));
	ret[*n] = NULL;
	return ret;
}

static struct nodes
read_several(struct structural *s, const json_t *list)
{
	struct nodes ret = { NULL, json_array_size(list) };
	size_t i;
	json_t *item;

	if (ret.n)
		ret.item = arena_alloc(&s->arena, ret.n * sizeof *ret.item);
	json_array_foreach (list, i, item)
		node_read(s, &ret.item[i], item);
	return ret;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct property *)a)->name, ((const struct property *)b)->name);
}

static void
read_properties(struct structural *s, struct node *n, const json_t *properties)
{
	const char *name;
	json_t *schema;

	if (!json_object_size(properties))
		return;
	n->property = arena_alloc(&s->arena, json_object_size(properties) * sizeof *n->property);
	json_object_foreach ((json_t *)properties, name, schema) {
		struct node *part = node_new(s, schema);

		n->property[n->nproperties++] = (struct property){ schema_keep(s, name), part };
		inherit(n, part);
	}
	qsort(n->property, n->nproperties, sizeof *n->property, by_name);
}

static void
read_bounds(struct node *n, const json_t *schema)
{
	n->has_minimum = number(schema, "minimum", &n->minimum);
	n->has_maximum = number(schema, "maximum", &n->maximum);
	n->has_multiple = number(schema, "multipleOf", &n->multiple);
	n->exclusive_minimum = truth(json_object_get(schema, "exclusiveMinimum"));
	n->exclusive_maximum = truth(json_object_get(schema, "exclusiveMaximum"));
	n->min_length = bound(schema, "minLength");
	n->max_length = bound(schema, "maxLength");
	n->min_items = bound(schema, "minItems");
	n->max_items = bound(schema, "maxItems");
	n->min_properties = bound(schema, "minProperties");
	n->max_properties = bound(schema, "maxProperties");
}

static void
read_extensions(struct structural *s, struct node *n, const json_t *schema)
{
	const char *list = text(schema, "x-kubernetes-list-type");
	size_t nkeys;

	n->int_or_string = truth(json_object_get(schema, "x-kubernetes-int-or-string"));
	n->preserve = truth(json_object_get(schema, "x-kubernetes-preserve-unknown-fields"));
	n->embedded = truth(json_object_get(schema, "x-kubernetes-embedded-resource"));
	n->list_typed = *list;
	n->list = !strcmp(list, "set") ? LIST_SET : !strcmp(list, "map") ? LIST_MAP : LIST_ATOMIC;
	n->keys = words(s, json_object_get(schema, "x-kubernetes-list-map-keys"), &nkeys);
	if (n->list == LIST_MAP && !nkeys)
		n->list = LIST_ATOMIC;
	n->atomic = !strcmp(text(schema, "x-kubernetes-map-type"), "atomic");
	n->lists_inside |= n->list != LIST_ATOMIC || n->embedded;
	n->embedded_inside |= n->embedded;
	if (n->int_or_string)
		n->types = IS_INTEGER | IS_STRING;
}

static void
read_parts(struct structural *s, struct node *n, const json_t *schema)
{
	const json_t *items = json_object_get(schema, "items");
	const json_t *more = json_object_get(schema, "additionalProperties");

	read_properties(s, n, json_object_get(schema, "properties"));
	if (json_is_object(items))
		inherit(n, n->items = node_new(s, items));
	if (json_is_object(more))
		inherit(n, n->additional = node_new(s, more));
	n->closed = json_is_false(more);
	n->open = json_is_true(more);
	n->all = read_several(s, json_object_get(schema, "allOf"));
	n->any = read_several(s, json_object_get(schema, "anyOf"));
	n->one = read_several(s, json_object_get(schema, "oneOf"));
	if (json_is_object(json_object_get(schema, "not")))
		n->not = node_new(s, json_object_get(schema, "not"));
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* There may be a hundred thousand of them, and as many values to be looked for. */
static void
read_choices(struct structural *s, struct node *n, const json_t *list)
{
	size_t i;
	json_t *item;

	n->enumeration = keep_json(s, list);
	n->choice = arena_alloc(&s->arena, json_array_size(list) * sizeof *n->choice);
	json_array_foreach (n->enumeration, i, item)
		if (json_is_string(item))
			n->choice[n->nchoices++] = json_string_value(item);
	if (n->nchoices)
		qsort(n->choice, n->nchoices, sizeof *n->choice, by_text);
}

bool
node_chooses(const struct node *n, const json_t *value)
{
	const char *text = json_string_value(value);

	return text && n->nchoices && strlen(text) == json_string_length(value) &&
	       bsearch(&text, n->choice, n->nchoices, sizeof text, by_text);
}

static void
node_read(struct structural *s, struct node *n, const json_t *schema)
{
	const char *pattern = text(schema, "pattern"), *format = text(schema, "format");

	*n = (struct node){ .summary = schema_keep(s, text(schema, "description")) };
	read_type(n, text(schema, "type"));
	n->nullable = truth(json_object_get(schema, "nullable"));
	read_bounds(n, schema);
	n->pattern = *pattern ? schema_keep(s, pattern) : NULL;
	n->format_fits = format_check(format);
	n->format = n->format_fits ? schema_keep(s, format) : NULL;
	n->dflt = keep_json(s, json_object_get(schema, "default"));
	if (json_array_size(json_object_get(schema, "enum")))
		read_choices(s, n, json_object_get(schema, "enum"));
	n->required = words(s, json_object_get(schema, "required"), &n->nrequired);
	read_parts(s, n, schema);
	read_extensions(s, n, schema);
	n->defaults |= n->dflt != NULL;
	rules_read(s, n, schema);
	n->rules_inside |= n->nrules > 0;
}

const struct node *
node_property(const struct node *n, const char *name)
{
	const struct property key = { name, NULL };
	const struct property *p =
	    n->nproperties ? bsearch(&key, n->property, n->nproperties, sizeof key, by_name) : NULL;

	return p ? p->node : NULL;
}

char *
node_path(const struct path *at)
{
	return at ? path_print(at) : xstrdup("<nil>");
}

struct structural *
structural_load(const json_t *schema)
{
	struct structural *s = xcalloc(1, sizeof *s);

	s->kept = json_array();
	s->root = node_new(s, schema);
	s->type = node_type(&s->arena, s->root);
	rules_compile(s);
	return s;
}

struct structural *
structural_new(const json_t *schema, const char *path, struct causes *causes)
{
	const struct path *at = &(const struct path){ NULL, path, NULL, 0 };
	size_t before = causes->n, shaped;
	struct structural *s = NULL;
	const char *unusable = schema_unusable(schema);

	if (!unusable)
		schema_shape(schema, at, causes);
	if (!unusable && causes->n == before) {
		s = structural_load(schema);
		node_check_defaults(s->root, at, causes);
	}
	shaped = causes->n;
	schema_check(schema, at, causes);
	if (s && shaped == before)
		rules_check(s, at, causes, shaped);
	if (unusable && causes->n == before)
		cause_add(causes, "FieldValueInvalid", path, "Invalid value: \"\": %s", unusable);
	if (causes->n == before)
		return s;
	structural_free(s);
	return NULL;
}

void
structural_free(struct structural *s)
{
	if (!s)
		return;
	rules_free(s);
	json_decref(s->kept);
	arena_release(&s->arena);
	free(s);
}

const struct type *
structural_type(const struct structural *s)
{
	return s->type;
}

/* Of a tree of jansson: what it allocates for each value. */
static size_t
json_size(const json_t *v)
{
	enum { EACH = 64 };
	const char *key;
	size_t i, sum = EACH;
	json_t *part;

	if (json_is_string(v))
		return sum + json_string_length(v);
	json_array_foreach (v, i, part)
		sum += json_size(part);
	json_object_foreach ((json_t *)v, key, part)
		sum += EACH + strlen(key) + json_size(part);
	return sum;
}

size_t
structural_size(const struct structural *s)
{
	return sizeof *s + s->arena.total + json_size(s->kept) + rules_size(s);
}
