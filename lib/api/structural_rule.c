/* The words of rules: what is asked of them before they are compiled. */
#include "api/structural_rule.h"

#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"

/* Nothing but white space? */
static bool
blank(const char *s)
{
	return !s[strspn(s, " \t\n\v\f\r")];
}

static bool
one_line(const char *s)
{
	s += strspn(s, " \t\n\v\f\r");
	s += strcspn(s, "\r\n");
	return blank(s);
}

static void
check_message(struct causes *out, const struct path *at, const json_t *rule)
{
	const char *words = text(rule, "rule"), *message = text(rule, "message");

	if (blank(words))
		refuse_required(out, AT(at, "rule"), "rule is not specified");
	else if (*message && blank(message))
		refuse_text(out, AT(at, "message"), message, "must be non-empty if specified");
	else if (!one_line(message))
		refuse_text(out, AT(at, "message"), message, "must not contain line breaks");
	else if (!one_line(words) && blank(message))
		refuse_required(out, AT(at, "message"),
		    "message must be specified if rule contains line breaks");
}

static void
check_words(struct causes *out, const struct path *at, const json_t *schema, const json_t *rule)
{
	static const char *const reasons[] = { "FieldValueDuplicate", "FieldValueForbidden",
		"FieldValueInvalid", "FieldValueRequired", NULL };
	const char *expression = text(rule, "messageExpression"), *field = text(rule, "fieldPath");
	const json_t *reason = json_object_get(rule, "reason");
	char why[128];

	check_message(out, at, rule);
	if (*expression && blank(expression))
		refuse_required(out, AT(at, "messageExpression"),
		    "messageExpression must be non-empty if specified");
	if (json_is_string(reason) && !text_in(json_string_value(reason), reasons))
		refuse_unsupported(out, AT(at, "reason"), json_string_value(reason), reasons);
	if (*field && blank(field))
		refuse_text(out, AT(at, "fieldPath"), field, "must be non-empty if specified");
	if (strpbrk(field, "\r\n"))
		refuse_text(out, AT(at, "fieldPath"), field, "must not contain line breaks");
	if (*field && !schema_at(schema, field, true, NULL, why))
		refuse_text(out, AT(at, "fieldPath"), field, "must be a valid path");
}

void
rules_check_words(struct causes *out, const struct path *at, const json_t *schema)
{
	const json_t *rules = json_object_get(schema, "x-kubernetes-validations");
	size_t i;
	json_t *rule;

	json_array_foreach (rules, i, rule)
		check_words(out, ITEM(AT(at, "x-kubernetes-validations"), i), schema, rule);
}
