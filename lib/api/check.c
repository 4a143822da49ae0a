/* The checks that many kinds share. */
#include "api/check.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/selector.h"
#include "base/mem.h"

bool
check_required(struct causes *out, const struct path *at, const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	if (v && !json_is_null(v) && (!json_is_string(v) || json_string_length(v)))
		return true;
	refuse_required(out, AT(at, key), "");
	return false;
}

void
check_one_of(struct causes *out, const struct path *at, const json_t *obj, const char *key,
    const char *const *values)
{
	const char *text = json_string_value(json_object_get(obj, key));

	if (!text)
		return;
	for (const char *const *v = values; *v; v++)
		if (!strcmp(text, *v))
			return;
	refuse_unsupported(out, AT(at, key), text, values);
}

bool
repeats(json_t *set, const char *word)
{
	if (!*word)
		return false;
	if (json_object_get(set, word))
		return true;
	json_object_set_new(set, word, json_true());
	return false;
}

json_t *
set_of(const json_t *list, const char *key)
{
	json_t *set = json_object(), *item;
	size_t i;

	json_array_foreach (list, i, item)
		repeats(set, str(key ? json_object_get(item, key) : item, ""));
	return set;
}

void
check_unique(struct causes *out, const struct path *at, json_t *set, const char *word)
{
	if (repeats(set, word))
		refuse_duplicate(out, at, word);
}

void
check_not_negative(struct causes *out, const struct path *at, const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	if (json_is_integer(v) && json_integer_value(v) < 0)
		refuse_value(out, AT(at, key), v, "must be greater than or equal to 0");
}

void
check_positive(struct causes *out, const struct path *at, const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	if (json_is_integer(v) && json_integer_value(v) <= 0)
		refuse_value(out, AT(at, key), v, "must be greater than 0");
}

void
check_between(struct causes *out, const struct path *at, const json_t *obj, const char *key,
    json_int_t min, json_int_t max)
{
	const json_t *v = json_object_get(obj, key);

	if (json_is_integer(v) && (json_integer_value(v) < min || json_integer_value(v) > max))
		refuse_value(out, AT(at, key), v,
		    "must be between %" JSON_INTEGER_FORMAT " and %" JSON_INTEGER_FORMAT
		    ", inclusive",
		    min, max);
}

void
check_port(struct causes *out, const struct path *at, json_int_t port)
{
	if (port < 1 || port > 65535)
		refuse_number(out, at, port, "must be between 1 and 65535, inclusive");
}

void
check_port_or_name(struct causes *out, const struct path *at, const json_t *value)
{
	if (json_is_integer(value))
		check_port(out, at, json_integer_value(value));
	else if (json_is_string(value))
		check_port_name(out, at, json_string_value(value));
}

static bool
percent(const char *text, long *value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	*value = strtol(text, &end, 10);
	return !strcmp(end, "%");
}

void
check_count_or_percent(struct causes *out, const struct path *at, const json_t *value)
{
	long n;

	if (json_is_integer(value) && json_integer_value(value) < 0)
		refuse_value(out, at, value, "must be greater than or equal to 0");
	if (!json_is_string(value))
		return;
	if (!percent(json_string_value(value), &n))
		refuse_value(out, at, value,
		    "a valid percent string must be a numeric string followed by an ending '%%' "
		    "(e.g. '1%%',  or "
		    "'93%%', regex used for validation is '[0-9]+%%')");
}

void
check_not_over_all(struct causes *out, const struct path *at, const json_t *value)
{
	long n;

	if (json_is_string(value) && percent(json_string_value(value), &n) && n > 100)
		refuse_value(out, at, value, "must not be greater than 100%%");
}

void
check_labels(struct causes *out, const struct path *at, const json_t *labels)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)labels, key, value) {
		check_qualified_name(out, at, key);
		check_label_value(out, at, str(value, ""));
	}
}

void
check_annotations(struct causes *out, const struct path *at, const json_t *annotations)
{
	enum { MAX_BYTES = 256 * 1024 };
	size_t total = 0;
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)annotations, key, value) {
		autofree char *lower = xstrdup(key);

		for (char *p = lower; *p; p++)
			*p = (char)tolower((unsigned char)*p);
		check_qualified_name(out, at, lower);
		total += strlen(key) + json_string_length(value);
	}
	if (total > MAX_BYTES)
		refuse_too_long(out, at, MAX_BYTES);
}

static void
check_requirement(struct causes *out, const struct path *at, const json_t *r)
{
	const char *op = str(json_object_get(r, "operator"), "");
	const json_t *values = json_object_get(r, "values");
	size_t i;
	json_t *value;

	if (!strcmp(op, "In") || !strcmp(op, "NotIn")) {
		if (!json_array_size(values))
			refuse_required(out, AT(at, "values"),
			    "must be specified when `operator` is 'In' or 'NotIn'");
	} else if (!strcmp(op, "Exists") || !strcmp(op, "DoesNotExist")) {
		if (json_array_size(values))
			refuse_forbidden(out, AT(at, "values"),
			    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
	} else {
		refuse_text(out, AT(at, "operator"), op, "not a valid selector operator");
	}
	check_qualified_name(out, AT(at, "key"), str(json_object_get(r, "key"), ""));
	json_array_foreach (values, i, value)
		check_label_value(out, ITEM(AT(at, "values"), i), str(value, ""));
}

void
check_label_selector(struct causes *out, const struct path *at, const json_t *selector)
{
	size_t i;
	json_t *r;

	check_labels(out, AT(at, "matchLabels"), json_object_get(selector, "matchLabels"));
	json_array_foreach (json_object_get(selector, "matchExpressions"), i, r)
		check_requirement(out, ITEM(AT(at, "matchExpressions"), i), r);
}

static bool
is_empty(const json_t *v)
{
	return !v || json_is_null(v) || (json_is_array(v) && !json_array_size(v)) ||
	       (json_is_object(v) && !json_object_size(v));
}

bool
same_value(const json_t *a, const json_t *b)
{
	return (is_empty(a) && is_empty(b)) || json_equal(a, b);
}

void
check_immutable(struct causes *out, const struct path *at, const json_t *now, const json_t *before)
{
	bool plain = before && !json_is_array(before) && !json_is_object(before);

	if (same_value(now, before))
		return;
	/* What is no list is a pointer in Kubernetes, and nothing is shown by this word. */
	if (plain && !now)
		refuse_text(out, at, "null", "field is immutable");
	else
		refuse_value(out, at, now, "field is immutable");
}
