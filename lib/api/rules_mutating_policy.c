/* MutatingAdmissionPolicy and its bindings (Kubernetes: pkg/apis/admissionregistration/
 * validation). */
#include <ctype.h>
#include <string.h>

#include "api/rules.h"
#include "api/rules_admission.h"
#include "api/rules_cel.h"
#include "base/mem.h"
#include "base/text.h"

static const struct path *const top = NULL;

/* What is deleted cannot be changed. */
static void
check_operations(struct causes *out, const struct path *at, const json_t *match)
{
	static const char *const known[] = { "*", "CONNECT", "CREATE", "UPDATE", NULL };
	size_t i, j;
	json_t *rule, *op;

	json_array_foreach (json_object_get(match, "resourceRules"), i, rule)
		json_array_foreach (json_object_get(rule, "operations"), j, op)
			if (!text_in(str(op, ""), known))
				refuse_unsupported(out, AT(AT(at, "resourceRules"), "operations"),
				    str(op, ""), known);
}

static void
check_patch(struct causes *out, const struct path *at, struct expressions *e, unsigned uses,
    const json_t *patch, const struct cel_type *const *gives)
{
	const char *whole = text(patch, "expression");
	const char *begin = whole + strspn(whole, " \t\r\n\v\f");
	size_t n = strlen(begin);
	autofree char *source = NULL;

	while (n && isspace((unsigned char)begin[n - 1]))
		n--;
	source = xstrndup(begin, n);
	if (!n)
		refuse_required(out, AT(at, "expression"), "");
	else
		check_expression(
		    out, AT(at, "expression"), e, uses | USES_PATCHES, source, source, gives);
}

/* A mutation is one of two, and its type says which. */
static void
check_mutation(struct causes *out, const struct path *at, const json_t *m, struct expressions *e,
    unsigned uses)
{
	static const char *const types[] = { "ApplyConfiguration", "JSONPatch", NULL };
	static const char *const fields[] = { "applyConfiguration", "jsonPatch" };
	const char *type = text(m, "patchType");
	int which = strcmp(type, types[0]) != 0;
	const json_t *has = json_object_get(m, fields[which]);
	autofree char *why = xasprintf("must be specified when patchType is %s", type);
	autofree char *other = xasprintf("{%s}", fields[!which]);

	if (!*type) {
		refuse_required(out, AT(at, "patchType"), "");
		return;
	}
	if (!text_in(type, types)) {
		refuse_unsupported(out, AT(at, "patchType"), type, types);
		return;
	}
	if (!has)
		refuse_required(out, AT(at, fields[which]), why);
	else
		check_patch(
		    out, AT(at, fields[which]), e, uses, has, which ? gives_patches : gives_object);
	if (json_object_get(m, fields[!which]))
		refuse_text(out, AT(at, fields[!which]), other,
		    "must not be specified when patchType is %s", type);
}

static void
check_mutations(struct causes *out, const struct path *up, const json_t *spec, unsigned uses)
{
	const json_t *variables = json_object_get(spec, "variables");
	const json_t *mutations = json_object_get(spec, "mutations");
	struct expressions e;
	size_t i;
	json_t *m;

	expressions_init(&e, json_array_size(variables));
	check_variables(out, AT(up, "variables"), variables, &e, uses);
	if (json_array_size(variables))
		uses |= USES_VARIABLES;
	if (!json_array_size(mutations))
		refuse_required(
		    out, AT(up, "mutations"), "mutations must contain at least one item");
	json_array_foreach (mutations, i, m)
		check_mutation(out, ITEM(AT(up, "mutations"), i), m, &e, uses);
	expressions_release(&e);
}

void
mutating_policy_create(struct causes *out, const json_t *obj)
{
	static const char *const failures[] = { "Fail", "Ignore", NULL };
	static const char *const again[] = { "IfNeeded", "Never", NULL };
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *match = json_object_get(spec, "matchConstraints");
	const json_t *params = json_object_get(spec, "paramKind");
	const struct path *at = AT(top, "spec"), *where = AT(at, "matchConstraints");

	if (check_required(out, at, spec, "failurePolicy"))
		check_one_of(out, at, spec, "failurePolicy", failures);
	if (params)
		check_param_kind(out, AT(at, "paramKind"), params);
	if (!match) {
		refuse_required(out, where, "");
	} else {
		check_matches(out, where, match);
		if (!json_array_size(json_object_get(match, "resourceRules")))
			refuse_required(out, AT(where, "resourceRules"), "");
		check_operations(out, where, match);
	}
	check_match_conditions(out, AT(at, "matchConditions"),
	    json_object_get(spec, "matchConditions"), params != NULL);
	check_mutations(out, at, spec, USES_AUTHORIZER | (params ? USES_PARAMS : 0));
	if (check_required(out, at, spec, "reinvocationPolicy"))
		check_one_of(out, at, spec, "reinvocationPolicy", again);
}

void
mutating_binding_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *match = json_object_get(spec, "matchResources");
	const struct path *at = AT(top, "spec");

	if (check_required(out, at, spec, "policyName"))
		check_dns_subdomain(out, AT(at, "policyName"), text(spec, "policyName"));
	if (json_object_get(spec, "paramRef"))
		check_param_ref(out, AT(at, "paramRef"), json_object_get(spec, "paramRef"));
	if (match) {
		check_matches(out, AT(at, "matchResources"), match);
		check_operations(out, AT(at, "matchResources"), match);
	}
}
