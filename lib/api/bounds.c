#include "api/bounds.h"

#include <string.h>

#include "api/meta.h"
#include "base/mem.h"

static const json_t *
inside(const json_t *schema)
{
	for (;;) {
		const json_t *next = get(schema, "items");

		if (!next && json_is_object(get(schema, "additionalProperties")))
			next = get(schema, "additionalProperties");
		if (!next)
			break;
		schema = next;
	}
	return schema;
}

const json_t *
bounds_find(const json_t *schema, const char *path)
{
	while (schema && *path) {
		size_t n = strcspn(path, ".");
		autofree char *name = xstrndup(path, n);

		schema = json_object_get(get(inside(schema), "properties"), name);
		path += n + (path[n] == '.');
	}
	return schema;
}

static void
add_number(struct buf *out, const json_t *v)
{
	autofree char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

	buf_puts(out, text ? text : "?");
}

/* "1 to 5 items", "at least 1", "at most 253 characters". */
static void
add_range(
    struct buf *out, const char *each, const json_t *low, const json_t *high, const char *unit)
{
	if (!low && !high)
		return;
	buf_puts(out, each);
	if (!high)
		buf_puts(out, "at least ");
	if (!low)
		buf_puts(out, "at most ");
	if (low)
		add_number(out, low);
	if (low && high)
		buf_puts(out, " to ");
	if (high)
		add_number(out, high);
	buf_printf(out, "%s%s\n", *unit ? " " : "", unit);
}

static void
add_rules(struct buf *out, const char *each, const json_t *rules)
{
	json_t *rule;
	size_t i;

	json_array_foreach (rules, i, rule) {
		const char *message = text(rule, "message");

		buf_printf(out, "%srule: %s\n", each, text(rule, "rule"));
		if (*message)
			buf_printf(out, "%s      %s\n", each, message);
	}
}

static void
print(const json_t *s, const char *each, struct buf *out)
{
	static const struct {
		const char *key, *words;
	} flags[] = { { "exclusiveMinimum", "more than the minimum" },
		{ "exclusiveMaximum", "less than the maximum" }, { "nullable", "may be null" },
		{ "uniqueItems", "no item twice" },
		{ "x-kubernetes-preserve-unknown-fields", "unknown fields are kept" },
		{ "x-kubernetes-embedded-resource", "an object of any kind" },
		{ "x-kubernetes-int-or-string", "a number or a text" } };

	add_range(out, each, get(s, "minLength"), get(s, "maxLength"), "characters");
	add_range(out, each, get(s, "minItems"), get(s, "maxItems"), "items");
	add_range(out, each, get(s, "minProperties"), get(s, "maxProperties"), "keys");
	add_range(out, each, get(s, "minimum"), get(s, "maximum"), "");
	if (get(s, "multipleOf")) {
		buf_printf(out, "%sa multiple of ", each);
		add_number(out, get(s, "multipleOf"));
		buf_putc(out, '\n');
	}
	if (*text(s, "pattern"))
		buf_printf(out, "%smatches %s\n", each, text(s, "pattern"));
	if (*text(s, "format"))
		buf_printf(out, "%sformat %s\n", each, text(s, "format"));
	for (size_t i = 0; i < COUNT(flags); i++)
		if (truth(get(s, flags[i].key)))
			buf_printf(out, "%s%s\n", each, flags[i].words);
	if (get(s, "oneOf") || get(s, "anyOf") || get(s, "allOf") || get(s, "not"))
		buf_printf(
		    out, "%salternatives (oneOf, anyOf, allOf, not): see the schema\n", each);
	add_rules(out, each, get(s, "x-kubernetes-validations"));
}

void
bounds_print(const json_t *schema, struct buf *out)
{
	const json_t *in = inside(schema);

	print(schema, "", out);
	if (in != schema)
		print(in, "each: ", out);
}
