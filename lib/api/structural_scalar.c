/* Texts, numbers and enumerations against a schema, and how what is wrong with a value is said. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "api/structural_value.h"
#include "base/mem.h"
#include "cel/regex.h"

char *
value_field(struct check *c, const char *name)
{
	autofree char *base = c->base ? path_print(c->base) : NULL;

	c->steps += REFUSAL;
	if (!*name)
		return base ? steal(base) : xstrdup("<nil>");
	return base ? xasprintf("%s.%s", base, name) : xstrdup(name);
}

/* A sentence about the value at a place: "spec.x in body should be ...". */
void
value_refuse(struct check *c, struct causes *out, const char *reason, const struct path *at,
    const char *value, const char *fmt, ...)
{
	autofree char *name = path_print(at), *field = value_field(c, name), *rest = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&rest, fmt, ap) < 0)
		abort();
	va_end(ap);
	cause_add(out, reason, field, "Invalid value: %s: %s in body %s", value, name, rest);
}

char *
value_shown(const json_t *value)
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
	is = value_shown(value);
	value_refuse(c, out, "FieldValueInvalid", at, is, "should match '%s'", n->pattern);
}

void
value_string(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    struct causes *out)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);
	int64_t length =
	    n->max_length >= 0 || n->min_length > 0 ? (int64_t)characters(text, len) : 0;
	autofree char *is = NULL;

	if (n->max_length >= 0 && length > n->max_length) {
		autofree char *name = path_print(at), *field = value_field(c, name);

		cause_add(out, "FieldValueTooLong", field,
		    "Too long: may not be more than %lld byte%s", (long long)n->max_length,
		    n->max_length == 1 ? "" : "s");
	} else if (n->min_length >= 0 && length < n->min_length) {
		is = value_shown(value);
		value_refuse(c, out, "FieldValueInvalid", at, is,
		    "should be at least %lld chars long", (long long)n->min_length);
	} else if (n->pattern) {
		check_pattern(c, n, at, value, out);
	}
	c->matches++;
	if (!n->format)
		return;
	c->matches++;
	if (!n->format_fits(text, len)) {
		free(is);
		is = value_shown(value);
		value_refuse(c, out, "FieldValueTypeInvalid", at, is, "must be of type %s: %s",
		    n->format, is);
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

void
value_number(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    struct causes *out)
{
	double x = json_number_value(value);
	autofree char *is = NULL;
	char text[40];

	c->matches++;
	if (!n->has_multiple && !n->has_minimum && !n->has_maximum)
		return;
	is = value_shown(value);
	if (n->has_multiple && n->multiple <= 0)
		value_refuse(c, out, "FieldValueInvalid", at, is,
		    "has a factor MultipleOf that is not positive: %s", limit(n->multiple, text));
	else if (n->has_multiple && !multiple_of(x, n->multiple))
		value_refuse(c, out, "FieldValueInvalid", at, is, "should be a multiple of %s",
		    limit(n->multiple, text));
	if (n->has_minimum && (n->exclusive_minimum ? x <= n->minimum : x < n->minimum))
		value_refuse(c, out, "FieldValueInvalid", at, is, "should be greater than %s%s",
		    n->exclusive_minimum ? "" : "or equal to ", limit(n->minimum, text));
	if (n->has_maximum && (n->exclusive_maximum ? x >= n->maximum : x > n->maximum))
		value_refuse(c, out, "FieldValueInvalid", at, is, "should be less than %s%s",
		    n->exclusive_maximum ? "" : "or equal to ", limit(n->maximum, text));
}

void
value_choice(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    struct causes *out)
{
	size_t i;
	json_t *item;
	autobuf struct buf b = BUF_INIT;
	autofree char *is = NULL, *name = NULL, *field = NULL;

	if (node_chooses(n, value))
		return;
	c->steps += json_array_size(n->enumeration);
	json_array_foreach (n->enumeration, i, item)
		if (json_equal(item, value) ||
		    (json_is_number(item) && json_is_number(value) &&
			json_number_value(item) == json_number_value(value)))
			return;
	json_array_foreach (n->enumeration, i, item) {
		autofree char *one =
		    json_is_string(item) ? xstrdup(json_string_value(item)) : value_shown(item);

		buf_puts(&b, i ? ", " : "");
		text_quote(&b, one);
	}
	is = value_shown(value);
	name = path_print(at);
	field = value_field(c, name);
	cause_add(out, "FieldValueNotSupported", field,
	    "Unsupported value: %s: supported values: %s", is, b.data);
}
