/* ValidatingAdmissionPolicy and its bindings (Kubernetes: pkg/apis/admissionregistration/
 * validation). */
#include <ctype.h>
#include <string.h>

#include "api/rules.h"
#include "api/rules_admission.h"
#include "api/rules_cel.h"
#include "api/shown.h"
#include "base/mem.h"
#include "base/text.h"

static const struct path *const top = NULL;

static const char *const failure_policies[] = { "Fail", "Ignore", NULL };

/* Without the white space around it; new. */
static char *
trimmed(const char *s)
{
	size_t n;

	s += strspn(s, " \t\r\n\v\f");
	for (n = strlen(s); n && isspace((unsigned char)s[n - 1]);)
		n--;
	return xstrndup(s, n);
}

bool
blank(const char *s)
{
	return !s[strspn(s, " \t\r\n\v\f")];
}

/* --- what a policy is about ----------------------------------------------------------------- */

/* Reasons of a check as one text, with commas. */
static void
refuse_joined(struct causes *out, const struct path *at, const char *shown_text, const char *before,
    const struct causes *wrong)
{
	autobuf struct buf b = BUF_INIT;

	for (size_t i = 0; i < wrong->n; i++) {
		const char *why = strstr(wrong->item[i].message, "\": ");

		buf_printf(&b, "%s%s", i ? "," : "", why ? why + 3 : wrong->item[i].message);
	}
	if (wrong->n)
		refuse_text(out, at, shown_text, "%s%s", before, b.data);
}

void
check_param_kind(struct causes *out, const struct path *at, const json_t *params)
{
	const char *whole = text(params, "apiVersion"), *slash = strchr(whole, '/');
	const char *version = slash ? slash + 1 : whole, *kind = text(params, "kind");
	autofree char *group = xstrndup(whole, slash ? (size_t)(slash - whole) : 0);
	autofree char *lower = xstrdup(kind);
	struct causes wrong = CAUSES_INIT;

	if (!*whole) {
		refuse_required(out, AT(at, "apiVersion"), "");
	} else if (strchr(version, '/')) {
		refuse_text(
		    out, AT(at, "apiVersion"), whole, "unexpected GroupVersion string: %s", whole);
	} else {
		if (*group)
			check_dns_subdomain(&wrong, NULL, group);
		refuse_joined(out, AT(at, "apiVersion"), group, "", &wrong);
		causes_truncate(&wrong, 0);
		if (*version)
			check_dns_1035(&wrong, NULL, version);
		else
			refuse_text(out, AT(at, "apiVersion"), whole, "version must be specified");
		refuse_joined(out, AT(at, "apiVersion"), version, "", &wrong);
		causes_truncate(&wrong, 0);
	}
	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	if (check_required(out, at, params, "kind"))
		check_dns_1035(&wrong, NULL, lower);
	refuse_joined(
	    out, AT(at, "kind"), kind, "may have mixed case, but should otherwise match: ", &wrong);
	causes_release(&wrong);
}

static void
check_named_rules(struct causes *out, const struct path *up, const json_t *rules)
{
	size_t i, j;
	json_t *rule, *name;

	json_array_foreach (rules, i, rule) {
		const struct path *at = ITEM(up, i);
		json_auto_t *names = json_object();

		json_array_foreach (json_object_get(rule, "resourceNames"), j, name) {
			check_path_segment(out, ITEM(AT(at, "resourceNames"), j), str(name, ""));
			check_unique(out, ITEM(AT(at, "resourceNames"), j), names, str(name, ""));
		}
		check_webhook_rule(out, at, rule);
	}
}

void
check_matches(struct causes *out, const struct path *at, const json_t *match)
{
	static const char *const policies[] = { "Equivalent", "Exact", NULL };
	static const char *const selectors[] = { "namespaceSelector", "objectSelector" };

	if (check_required(out, at, match, "matchPolicy"))
		check_one_of(out, at, match, "matchPolicy", policies);
	for (size_t i = 0; i < COUNT(selectors); i++) {
		const json_t *s = json_object_get(match, selectors[i]);

		if (!s)
			refuse_required(out, AT(at, selectors[i]), "");
		check_label_selector(out, AT(at, selectors[i]), s);
	}
	check_named_rules(out, AT(at, "resourceRules"), json_object_get(match, "resourceRules"));
	check_named_rules(
	    out, AT(at, "excludeResourceRules"), json_object_get(match, "excludeResourceRules"));
}

void
check_match_conditions(
    struct causes *out, const struct path *up, const json_t *conditions, bool params)
{
	unsigned uses = USES_AUTHORIZER | (params ? USES_PARAMS : 0);
	struct expressions e;
	json_auto_t *names = json_array_size(conditions) ? json_object() : NULL;
	size_t i;
	json_t *c;

	if (json_array_size(conditions) > 64)
		refuse_too_many(out, up, json_array_size(conditions), 64);
	expressions_init(&e, 0);
	json_array_foreach (conditions, i, c) {
		const struct path *at = ITEM(up, i);
		autofree char *source = trimmed(text(c, "expression"));

		if (!*source)
			refuse_required(out, AT(at, "expression"), "");
		else
			check_expression(
			    out, AT(at, "expression"), &e, uses, source, source, gives_bool);
		if (check_required(out, at, c, "name"))
			check_qualified_name(out, AT(at, "name"), text(c, "name"));
		check_unique(out, AT(at, "name"), names, text(c, "name"));
	}
	expressions_release(&e);
}

/* --- what it asks --------------------------------------------------------------------------- */

static bool
is_identifier(const char *name)
{
	static const char *const reserved[] = { "as", "break", "const", "continue", "else", "false",
		"for", "function", "if", "import", "in", "let", "loop", "namespace", "null",
		"package", "return", "true", "var", "void", "while", NULL };

	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_')
			return false;
	return !text_in(name, reserved);
}

void
check_variables(struct causes *out, const struct path *up, const json_t *variables,
    struct expressions *e, unsigned uses)
{
	size_t i;
	json_t *v;

	json_array_foreach (variables, i, v) {
		const struct path *at = ITEM(up, i);

		if (blank(text(v, "name")))
			refuse_required(out, AT(at, "name"), "name is not specified");
		else if (!is_identifier(text(v, "name")))
			refuse_text(
			    out, AT(at, "name"), text(v, "name"), "must be a valid CEL identifier");
		if (blank(text(v, "expression")))
			refuse_required(out, AT(at, "expression"), "expression is not specified");
		else
			check_variable(out, AT(at, "expression"), e, uses, text(v, "name"),
			    text(v, "expression"));
	}
}

static void
check_validation(struct causes *out, const struct path *at, const json_t *v, struct expressions *e,
    unsigned uses)
{
	static const char *const reasons[] = { "Forbidden", "Invalid", "RequestEntityTooLarge",
		NULL };
	const char *message = text(v, "message"), *expression = text(v, "messageExpression");
	const char *source = text(v, "expression");
	autofree char *words = trimmed(message);

	if (blank(source))
		refuse_required(out, AT(at, "expression"), "expression is not specified");
	else
		check_expression(out, AT(at, "expression"), e, uses, source, source, gives_bool);
	if (*expression && blank(expression))
		refuse_text(
		    out, AT(at, "messageExpression"), expression, "must be non-empty if specified");
	else if (*expression)
		check_expression(out, AT(at, "messageExpression"), e,
		    uses & ~(unsigned)USES_AUTHORIZER, expression, expression, gives_string);
	if (*message && !*words)
		refuse_text(
		    out, AT(at, "message"), message, "message must be non-empty if specified");
	else if (strpbrk(words, "\r\n"))
		refuse_text(
		    out, AT(at, "message"), message, "message must not contain line breaks");
	check_one_of(out, at, v, "reason", reasons);
}

static void
check_notes(struct causes *out, const struct path *up, const json_t *obj, const json_t *notes,
    struct expressions *e, unsigned uses)
{
	enum { MOST = 20, MOST_BYTES = 5 << 10 };
	json_auto_t *keys = json_array_size(notes) ? json_object() : NULL;
	size_t i;
	json_t *note;

	if (json_array_size(notes) > MOST)
		refuse_shown(out, up, "[]admissionregistration.v1.AuditAnnotation", notes,
		    "must not have more than %d auditAnnotations", (int)MOST);
	json_array_foreach (notes, i, note) {
		const struct path *at = ITEM(up, i);
		autofree char *name = xasprintf("%s/%s", meta_name(obj), text(note, "key"));
		autofree char *source = trimmed(text(note, "valueExpression"));

		if (*meta_name(obj))
			check_qualified_name(out, AT(at, "key"), name);
		else
			refuse_text(out, AT(at, "key"), text(note, "key"),
			    "requires metadata.name be non-empty");
		if (!*source)
			refuse_required(
			    out, AT(at, "valueExpression"), "valueExpression is not specified");
		else if (strlen(source) > MOST_BYTES)
			refuse_required(
			    out, AT(at, "valueExpression"), "must not exceed 5120 bytes in length");
		else
			check_expression(out, AT(at, "valueExpression"), e, uses, source,
			    text(note, "valueExpression"), gives_text_or_null);
		check_unique(out, AT(at, "key"), keys, text(note, "key"));
	}
}

static void
check_questions(struct causes *out, const struct path *at, const json_t *obj, const json_t *spec,
    struct expressions *e, unsigned uses)
{
	static const char none[] = "validations or auditAnnotations must contain at least one item";
	const json_t *validations = json_object_get(spec, "validations");
	const json_t *notes = json_object_get(spec, "auditAnnotations");
	size_t i;
	json_t *v;

	if (!json_array_size(validations) && !json_array_size(notes)) {
		refuse_required(out, AT(at, "validations"), none);
		refuse_required(out, AT(at, "auditAnnotations"), none);
	}
	json_array_foreach (validations, i, v)
		check_validation(out, ITEM(AT(at, "validations"), i), v, e, uses);
	check_notes(out, AT(at, "auditAnnotations"), obj, notes, e, uses);
}

void
validating_policy_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *match = json_object_get(spec, "matchConstraints");
	const json_t *variables = json_object_get(spec, "variables");
	const struct path *at = AT(top, "spec");
	unsigned uses = USES_AUTHORIZER | (json_object_get(spec, "paramKind") ? USES_PARAMS : 0);
	struct expressions e;

	if (check_required(out, at, spec, "failurePolicy"))
		check_one_of(out, at, spec, "failurePolicy", failure_policies);
	if (json_object_get(spec, "paramKind"))
		check_param_kind(out, AT(at, "paramKind"), json_object_get(spec, "paramKind"));
	if (!match)
		refuse_required(out, AT(at, "matchConstraints"), "");
	else
		check_matches(out, AT(at, "matchConstraints"), match);
	if (match && !json_array_size(json_object_get(match, "resourceRules")))
		refuse_required(out, AT(AT(at, "matchConstraints"), "resourceRules"), "");
	check_match_conditions(out, AT(at, "matchConditions"),
	    json_object_get(spec, "matchConditions"), uses & USES_PARAMS);
	expressions_init(&e, json_array_size(variables));
	check_variables(out, AT(at, "variables"), variables, &e, uses);
	check_questions(
	    out, at, obj, spec, &e, uses | (json_array_size(variables) ? USES_VARIABLES : 0));
	expressions_release(&e);
}

/* --- bindings ------------------------------------------------------------------------------- */

void
check_param_ref(struct causes *out, const struct path *at, const json_t *ref)
{
	static const char *const actions[] = { "Deny", "Allow", NULL };
	static const char both[] = "name and selector are mutually exclusive";
	const char *name = text(ref, "name");
	const json_t *selector = json_object_get(ref, "selector");

	if (*name)
		check_path_segment(out, AT(at, "name"), name);
	if (*name && selector)
		refuse_forbidden(out, AT(at, "name"), "%s", both);
	check_label_selector(out, AT(at, "selector"), selector);
	if (*name && selector)
		refuse_forbidden(out, AT(at, "selector"), "%s", both);
	if (!*name && !selector)
		refuse_required(out, at, "one of name or selector must be specified");
	if (check_required(out, at, ref, "parameterNotFoundAction"))
		check_one_of(out, at, ref, "parameterNotFoundAction", actions);
}

static void
check_actions(struct causes *out, const struct path *at, const json_t *actions)
{
	static const char *const known[] = { "Audit", "Deny", "Warn", NULL };
	json_auto_t *seen = json_object();
	size_t i;
	json_t *action;

	json_array_foreach (actions, i, action) {
		if (!text_in(str(action, ""), known))
			refuse_unsupported(out, ITEM(at, i), str(action, ""), known);
		check_unique(out, ITEM(at, i), seen, str(action, ""));
	}
	if (json_object_get(seen, "Deny") && json_object_get(seen, "Warn"))
		refuse_value(out, at, actions,
		    "must not contain both Deny and Warn (repeating the same validation failure "
		    "information in the API response and headers serves no purpose)");
	if (!json_array_size(actions))
		refuse_required(out, at, "at least one validation action is required");
}

void
policy_binding_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(top, "spec");

	if (check_required(out, at, spec, "policyName"))
		check_dns_subdomain(out, AT(at, "policyName"), text(spec, "policyName"));
	if (json_object_get(spec, "paramRef"))
		check_param_ref(out, AT(at, "paramRef"), json_object_get(spec, "paramRef"));
	if (json_object_get(spec, "matchResources"))
		check_matches(
		    out, AT(at, "matchResources"), json_object_get(spec, "matchResources"));
	check_actions(out, AT(at, "validationActions"), json_object_get(spec, "validationActions"));
}
