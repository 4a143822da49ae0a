/*
 * Values against a schema, as kube-openapi's validator asks them: every question of one value, in
 * this order: type, logic, text, format, number, list, enumeration, object.  What was wrong before
 * and is the same still is let through.
 */
#include <math.h>
#include <string.h>

#include "api/structural_value.h"
#include "base/mem.h"
#include "base/text.h"

static void validate(struct check *c, const struct node *n, const struct path *at,
    const json_t *value, const json_t *old, struct causes *out);

/* The logic of schemas has no field of its own to complain about. */
static void
refuse_logic(struct check *c, struct causes *out, const struct path *at, const char *what)
{
	autofree char *name = path_print(at), *field = value_field(c, "");

	cause_add(out, "FieldValueInvalid", field, "Invalid value: \"\": \"%s\" %s", name, what);
}

static unsigned
type_of(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_STRING:
		return IS_STRING;
	case JSON_INTEGER:
		return IS_INTEGER;
	case JSON_REAL:
		return IS_NUMBER;
	case JSON_TRUE:
	case JSON_FALSE:
		return IS_BOOLEAN;
	case JSON_ARRAY:
		return IS_ARRAY;
	case JSON_OBJECT:
		return IS_OBJECT;
	default:
		return 0;
	}
}

static const char *
type_word(unsigned type)
{
	return type == IS_STRING    ? "string"
	       : type == IS_INTEGER ? "integer"
	       : type == IS_NUMBER  ? "number"
	       : type == IS_BOOLEAN ? "boolean"
	       : type == IS_ARRAY   ? "array"
				    : "object";
}

static void
refuse_type(
    struct check *c, struct causes *out, const struct path *at, const char *want, const char *is)
{
	autofree char *value = xasprintf("\"%s\"", is);

	value_refuse(
	    c, out, "FieldValueTypeInvalid", at, value, "must be of type %s: \"%s\"", want, is);
}

static void
check_type(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    struct causes *out)
{
	const char *want = n->int_or_string ? "integer,string" : n->word;
	unsigned type = type_of(value);
	bool fits = n->types & type || (type == IS_INTEGER && n->types & IS_NUMBER) ||
		    (type == IS_NUMBER && n->types & IS_INTEGER &&
			floor(json_real_value(value)) == json_real_value(value) &&
			fabs(json_real_value(value)) < 9007199254740992.0);

	if (!n->types && !n->format)
		return;
	if (!type) {
		if (n->types && !n->nullable)
			refuse_type(c, out, at, want, "null");
		else
			c->matches++;
		return;
	}
	if (n->format && type != IS_STRING && type != IS_ARRAY && !fits)
		refuse_type(c, out, at, n->format,
		    type == IS_INTEGER	? "int64"
		    : type == IS_NUMBER ? "double"
					: "");
	else if (!fits && !(n->format && !(n->types & (IS_NUMBER | IS_INTEGER))))
		refuse_type(c, out, at, want, type_word(type));
	else
		c->matches++;
}

/* What one alternative has to say.  True: nothing. */
static bool
try(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    const json_t *old, struct causes *said, unsigned *matches)
{
	unsigned before = c->matches;

	validate(c, n, at, value, old, said);
	*matches = c->matches - before;
	return !said->n;
}

static void
take(struct causes *out, struct causes *from)
{
	for (size_t i = 0; i < from->n; i++)
		cause_add(
		    out, from->item[i].reason, from->item[i].field, "%s", from->item[i].message);
}

/* How many of the alternatives fit (at most `enough` are looked for); best gets what the closest of
 * them misses when none does. */
static size_t
alternatives(struct check *c, const struct nodes *list, const struct path *at, const json_t *value,
    const json_t *old, size_t enough, struct causes *best)
{
	unsigned most = 0, matches, before = c->matches;
	size_t fit = 0;

	for (size_t i = 0; i < list->n && fit < enough && !c->spent; i++) {
		struct causes said = CAUSES_INIT;

		if (try(c, &list->item[i], at, value, old, &said, &matches))
			fit++;
		if (said.n && !fit && (!best->n || matches > most)) {
			struct causes worse = *best;

			*best = said;
			said = worse;
			most = matches;
		}
		causes_release(&said);
	}
	c->matches = before + most;
	if (fit)
		causes_truncate(best, 0);
	return fit;
}

static void
check_any(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    const json_t *old, struct causes *out)
{
	struct causes best = CAUSES_INIT;

	if (n->any.n && !alternatives(c, &n->any, at, value, old, 1, &best))
		refuse_logic(c, out, at, "must validate at least one schema (anyOf)");
	take(out, &best);
	causes_release(&best);
}

static void
check_one(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    const json_t *old, struct causes *out)
{
	struct causes best = CAUSES_INIT;
	size_t fit;

	if (!n->one.n)
		return;
	fit = alternatives(c, &n->one, at, value, old, SIZE_MAX, &best);
	if (fit != 1) {
		autofree char *what = fit ? xasprintf("must validate one and only one schema "
						      "(oneOf). Found %zu valid alternatives",
						fit)
					  : xstrdup("must validate one and only one schema "
						    "(oneOf). Found none valid");

		refuse_logic(c, out, at, what);
	}
	take(out, &best);
	causes_release(&best);
}

static void
check_all(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    const json_t *old, struct causes *out)
{
	size_t fit = 0;

	for (size_t i = 0; i < n->all.n; i++) {
		size_t before = out->n;

		validate(c, &n->all.item[i], at, value, old, out);
		fit += out->n == before;
	}
	if (fit < n->all.n)
		refuse_logic(c, out, at,
		    fit		    ? "must validate all the schemas (allOf)"
		    : n->all.n == 1 ? "must validate all the schemas (allOf). None validated"
				    : "must validate all the schemas (allOf). None validated");
}

static void
check_logic(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    const json_t *old, struct causes *out)
{
	check_any(c, n, at, value, old, out);
	check_one(c, n, at, value, old, out);
	check_all(c, n, at, value, old, out);
	if (n->not ) {
		struct causes said = CAUSES_INIT;
		unsigned matches;

		if (try(c, n->not, at, value, old, &said, &matches) && !c->spent)
			refuse_logic(c, out, at, "must not validate the schema (not)");
		causes_release(&said);
		c->matches -= matches;
	}
	c->matches++;
}

static void
check_size(struct check *c, struct causes *out, const struct path *at, size_t size, int64_t least,
    int64_t most, const char *what)
{
	if (least >= 0 && (int64_t)size < least) {
		autofree char *is = xasprintf("%zu", size);

		value_refuse(c, out, "FieldValueInvalid", at, is, "should have at least %lld %s",
		    (long long)least, what);
	}
	if (most >= 0 && (int64_t)size > most) {
		autofree char *name = path_print(at), *field = value_field(c, name);

		cause_add(out, "FieldValueTooMany", field,
		    "Too many: %zu: must have at most %lld item%s", size, (long long)most,
		    most == 1 ? "" : "s");
	}
}

static void
check_list(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    const json_t *old, struct causes *out)
{
	json_auto_t *before = node_index(n, old);
	size_t i;
	json_t *item;

	if (n->items)
		json_array_foreach (value, i, item)
			validate(
			    c, n->items, ITEM(at, i), item, node_same_item(n, before, item), out);
	check_size(c, out, at, json_array_size(value), n->min_items, n->max_items, "items");
	c->matches++;
}

static void
check_properties(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    const json_t *old, struct causes *out)
{
	const char *name;
	json_t *v;

	if (n->closed || n->additional)
		json_object_foreach ((json_t *)value, name, v) {
			if (node_property(n, name))
				continue;
			if (n->additional)
				validate(c, n->additional, AT(at, name), v,
				    json_object_get(old, name), out);
			else {
				autofree char *where = path_print(at),
					      *field = value_field(c, where);

				cause_add(out, "FieldValueInvalid", field,
				    "Invalid value: \"%s\": %s.%s in body is a forbidden property",
				    name, where, name);
			}
		}
	for (size_t i = 0; i < n->nproperties; i++) {
		name = n->property[i].name;
		v = json_object_get(value, name);
		if (v)
			validate(c, n->property[i].node, AT(at, name), v,
			    json_object_get(old, name), out);
	}
}

static void
check_object(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    const json_t *old, struct causes *out)
{
	size_t size = json_object_size(value), before = out->n;

	check_size(c, out, at, size, n->min_properties, n->max_properties, "properties");
	c->matches++;
	if (out->n > before)
		return;
	check_properties(c, n, at, value, old, out);
	for (size_t i = 0; i < n->nrequired; i++)
		if (!json_object_get(value, n->required[i])) {
			autofree char *name = path_print(AT(at, n->required[i])),
				      *field = value_field(c, name);

			cause_add(out, "FieldValueRequired", field, "Required value");
		}
}

static void
check_value(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    const json_t *old, struct causes *out)
{
	check_type(c, n, at, value, out);
	if (!json_is_null(value)) {
		c->matches += n->types || n->format;
		check_logic(c, n, at, value, old, out);
		if (json_is_string(value))
			value_string(c, n, at, value, out);
		else if (json_is_number(value))
			value_number(c, n, at, value, out);
		else if (json_is_array(value))
			check_list(c, n, at, value, old, out);
	}
	if (n->enumeration)
		value_choice(c, n, at, value, out);
	c->matches += 2;
	if (json_is_object(value))
		check_object(c, n, at, value, old, out);
}

/* Faults of a value that did not change are let through; a value that changed in one place did so
 * in all that hold it, which saves comparing again. */
static void
validate(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    const json_t *old, struct causes *out)
{
	size_t before = out->n;
	bool differs = c->differs;

	if (c->steps++ > STEPS) {
		if (!c->spent)
			refuse_logic(c, out, at, "takes too long to validate");
		c->spent = true;
		return;
	}
	c->differs = false;
	check_value(c, n, at, value, old, out);
	if (out->n > before && old && !c->differs && !c->spent) {
		if (node_unchanged(n, value, old))
			causes_truncate(out, before);
		else
			c->differs = true;
	}
	c->differs |= differs;
}

void
node_validate(const struct node *n, const struct path *base, const json_t *value, const json_t *old,
    struct causes *out)
{
	struct check c = { .base = base };

	validate(&c, n, NULL, value, old, out);
	arena_release(&c.arena);
}

void
node_validate_field(const struct node *n, const char *name, const json_t *value, const json_t *old,
    struct causes *out)
{
	struct check c = { .base = NULL };

	validate(&c, n, AT(NULL, name), value, old, out);
	arena_release(&c.arena);
}
