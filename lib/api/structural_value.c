/*
 * Values against a schema, as kube-openapi's validator asks them: every question of one value, in
 * this order: type, logic, text, format, number, list, enumeration, object.  What was wrong before
 * and is the same still is let through.
 */
#include <math.h>
#include <string.h>

#include "api/structural_node.h"
#include "base/mem.h"
#include "base/text.h"
#include "cel/regex.h"

/* So many questions are asked of an object, where a refusal counts as several.  An honest one of a
 * megabyte takes a tenth of it. */
enum { STEPS = 5000000, REFUSAL = 4 };

struct check {
	const struct path *base;
	struct arena arena;
	size_t steps;
	bool spent;	  /* said that they were too many */
	bool differs;	  /* the value here is not the old one */
	unsigned matches; /* questions that were answered well: which alternative came closest */
};

static void validate(struct check *c, const struct node *n, const struct path *at,
    const json_t *value, const json_t *old, struct causes *out);

static char *
field_of(struct check *c, const char *name)
{
	autofree char *base = c->base ? path_print(c->base) : NULL;

	c->steps += REFUSAL;
	if (!*name)
		return base ? steal(base) : xstrdup("<nil>");
	return base ? xasprintf("%s.%s", base, name) : xstrdup(name);
}

/* A sentence about the value at a place: "spec.x in body should be ...". */
static void refuse(struct check *c, struct causes *out, const char *reason, const struct path *at,
    const char *value, const char *fmt, ...) PRINTF(6, 7);
static void
refuse(struct check *c, struct causes *out, const char *reason, const struct path *at,
    const char *value, const char *fmt, ...)
{
	autofree char *name = path_print(at), *field = field_of(c, name), *rest = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&rest, fmt, ap) < 0)
		abort();
	va_end(ap);
	cause_add(out, reason, field, "Invalid value: %s: %s in body %s", value, name, rest);
}

/* The logic of schemas has no field of its own to complain about. */
static void
refuse_logic(struct check *c, struct causes *out, const struct path *at, const char *what)
{
	autofree char *name = path_print(at), *field = field_of(c, "");

	cause_add(out, "FieldValueInvalid", field, "Invalid value: \"\": \"%s\" %s", name, what);
}

static char *
shown(const json_t *value)
{
	struct buf b = BUF_INIT;

	if (json_is_string(value)) {
		text_quote(&b, json_string_value(value));
		return buf_detach(&b);
	}
	if (json_is_real(value)) {
		buf_printf(&b, "%.17g", json_real_value(value));
		for (int digits = 1; digits < 17; digits++) {
			char text[40];

			snprintf(text, sizeof text, "%.*g", digits, json_real_value(value));
			if (strtod(text, NULL) == json_real_value(value)) {
				buf_clear(&b);
				buf_puts(&b, text);
				break;
			}
		}
		return buf_detach(&b);
	}
	return json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
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

	refuse(c, out, "FieldValueTypeInvalid", at, value, "must be of type %s: \"%s\"", want, is);
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

static size_t
characters(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

static void
check_pattern(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    struct causes *out)
{
	const char *why = NULL;
	struct cel_regex *r = cel_regex(&c->arena, n->pattern, strlen(n->pattern), &why);
	autofree char *is = NULL;

	if (r && cel_regex_match(r, json_string_value(value), json_string_length(value)) == 1)
		return;
	is = shown(value);
	refuse(c, out, "FieldValueInvalid", at, is, "should match '%s'", n->pattern);
}

static void
check_string(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    struct causes *out)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);
	int64_t length =
	    n->max_length >= 0 || n->min_length > 0 ? (int64_t)characters(text, len) : 0;
	autofree char *is = NULL;

	if (n->max_length >= 0 && length > n->max_length) {
		autofree char *name = path_print(at), *field = field_of(c, name);

		cause_add(out, "FieldValueTooLong", field,
		    "Too long: may not be more than %lld byte%s", (long long)n->max_length,
		    n->max_length == 1 ? "" : "s");
	} else if (n->min_length >= 0 && length < n->min_length) {
		is = shown(value);
		refuse(c, out, "FieldValueInvalid", at, is, "should be at least %lld chars long",
		    (long long)n->min_length);
	} else if (n->pattern) {
		check_pattern(c, n, at, value, out);
	}
	c->matches++;
	if (!n->format)
		return;
	c->matches++;
	if (!n->format_fits(text, len)) {
		free(is);
		is = shown(value);
		refuse(c, out, "FieldValueTypeInvalid", at, is, "must be of type %s: %s", n->format,
		    is);
	}
}

/* A limit as Go prints a float64 with %v. */
static const char *
limit(double x, char text[static 40])
{
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, 40, "%.*g", digits, x);
		if (strtod(text, NULL) == x)
			break;
	}
	if (fabs(x) < 1e21 && strchr(text, 'e') && floor(x) == x)
		snprintf(text, 40, "%.0f", x);
	return text;
}

static bool
multiple_of(double x, double of)
{
	double times = x / of;

	return of != 0 && floor(times) == times;
}

static void
check_number(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    struct causes *out)
{
	double x = json_number_value(value);
	autofree char *is = NULL;
	char text[40];

	c->matches++;
	if (!n->has_multiple && !n->has_minimum && !n->has_maximum)
		return;
	is = shown(value);
	if (n->has_multiple && n->multiple <= 0)
		refuse(c, out, "FieldValueInvalid", at, is,
		    "has a factor MultipleOf that is not positive: %s", limit(n->multiple, text));
	else if (n->has_multiple && !multiple_of(x, n->multiple))
		refuse(c, out, "FieldValueInvalid", at, is, "should be a multiple of %s",
		    limit(n->multiple, text));
	if (n->has_minimum && (n->exclusive_minimum ? x <= n->minimum : x < n->minimum))
		refuse(c, out, "FieldValueInvalid", at, is, "should be greater than %s%s",
		    n->exclusive_minimum ? "" : "or equal to ", limit(n->minimum, text));
	if (n->has_maximum && (n->exclusive_maximum ? x >= n->maximum : x > n->maximum))
		refuse(c, out, "FieldValueInvalid", at, is, "should be less than %s%s",
		    n->exclusive_maximum ? "" : "or equal to ", limit(n->maximum, text));
}

static void
check_size(struct check *c, struct causes *out, const struct path *at, size_t size, int64_t least,
    int64_t most, const char *what)
{
	if (least >= 0 && (int64_t)size < least) {
		autofree char *is = xasprintf("%zu", size);

		refuse(c, out, "FieldValueInvalid", at, is, "should have at least %lld %s",
		    (long long)least, what);
	}
	if (most >= 0 && (int64_t)size > most) {
		autofree char *name = path_print(at), *field = field_of(c, name);

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
check_enumeration(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    struct causes *out)
{
	size_t i;
	json_t *item;
	autobuf struct buf b = BUF_INIT;
	autofree char *is = NULL, *name = NULL, *field = NULL;

	json_array_foreach (n->enumeration, i, item)
		if (json_equal(item, value) ||
		    (json_is_number(item) && json_is_number(value) &&
			json_number_value(item) == json_number_value(value)))
			return;
	c->steps += json_array_size(n->enumeration);
	json_array_foreach (n->enumeration, i, item) {
		autofree char *one =
		    json_is_string(item) ? xstrdup(json_string_value(item)) : shown(item);

		buf_puts(&b, i ? ", " : "");
		text_quote(&b, one);
	}
	is = shown(value);
	name = path_print(at);
	field = field_of(c, name);
	cause_add(out, "FieldValueNotSupported", field,
	    "Unsupported value: %s: supported values: %s", is, b.data);
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
				autofree char *where = path_print(at), *field = field_of(c, where);

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
				      *field = field_of(c, name);

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
			check_string(c, n, at, value, out);
		else if (json_is_number(value))
			check_number(c, n, at, value, out);
		else if (json_is_array(value))
			check_list(c, n, at, value, old, out);
	}
	if (n->enumeration)
		check_enumeration(c, n, at, value, out);
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
		if (json_equal(old, value))
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
