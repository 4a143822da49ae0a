/* The cells of what admits requests: webhooks, policies and what puts those into force. */
#include <string.h>

#include "api/meta.h"
#include "api/table_cells.h"
#include "base/jsonl.h"
#include "base/mem.h"

static json_t *
count_at(const json_t *list)
{
	return json_integer((json_int_t)json_array_size(list));
}

static json_t *
webhooks(const json_t *obj, int64_t now)
{
	(void)now;
	return count_at(get(obj, "webhooks"));
}

static json_t *
validations(const json_t *obj, int64_t now)
{
	(void)now;
	return count_at(get(obj, "spec", "validations"));
}

static json_t *
mutations(const json_t *obj, int64_t now)
{
	(void)now;
	return count_at(get(obj, "spec", "mutations"));
}

static json_t *
parameter_kind(const json_t *obj, int64_t now)
{
	const json_t *kind = get(obj, "spec", "paramKind");

	(void)now;
	return kind ? json_sprintf("%s/%s", text(kind, "apiVersion"), text(kind, "kind"))
		    : json_string("<unset>");
}

static void
add_requirement(struct buf *b, const json_t *one)
{
	size_t i;
	json_t *v;

	buf_printf(b, "LabelSelectorRequirement{Key:%s,Operator:%s,Values:[", text(one, "key"),
	    text(one, "operator"));
	json_array_foreach (json_object_get(one, "values"), i, v)
		buf_printf(b, "%s%s", i ? " " : "", str(v, ""));
	buf_puts(b, "],},");
}

/* A label selector as Go prints the message it is. */
static json_t *
printed_selector(const json_t *selector)
{
	const json_t *labels = json_object_get(selector, "matchLabels");
	struct buf b = BUF_INIT;
	json_t *one;
	size_t n, i;
	autofree const char **keys = json_sorted_keys(labels, &n);

	buf_puts(&b, "&LabelSelector{MatchLabels:map[string]string{");
	for (i = 0; i < n; i++)
		buf_printf(&b, "%s: %s,", keys[i], str(json_object_get(labels, keys[i]), ""));
	buf_puts(&b, "},MatchExpressions:[]LabelSelectorRequirement{");
	json_array_foreach (json_object_get(selector, "matchExpressions"), i, one)
		add_requirement(&b, one);
	buf_puts(&b, "},}");
	return cell_buf(&b);
}

static json_t *
parameter(const json_t *obj, int64_t now)
{
	const json_t *ref = get(obj, "spec", "paramRef"), *selector = get(ref, "selector");
	const char *namespace = text(ref, "namespace");

	(void)now;
	if (*text(ref, "name"))
		return json_sprintf("%s/%s", *namespace ? namespace : "*", text(ref, "name"));
	return selector ? printed_selector(selector) : json_string("<unset>");
}

/* clang-format off */
static const struct cell webhook[] = { CELL("Webhooks", webhooks), { 0 } };
static const struct cell validating_policy[] = {
	CELL("Validations", validations), CELL("ParamKind", parameter_kind), { 0 },
};
static const struct cell mutating_policy[] = {
	CELL("Mutations", mutations), CELL("ParamKind", parameter_kind), { 0 },
};
static const struct cell policy_binding[] = {
	TEXT("PolicyName", "spec.policyName", ""), CELL("ParamRef", parameter), { 0 },
};

const struct cells admission_cells[] = {
	{ "admissionregistration.k8s.io", "MutatingWebhookConfiguration", webhook },
	{ "admissionregistration.k8s.io", "ValidatingWebhookConfiguration", webhook },
	{ "admissionregistration.k8s.io", "MutatingAdmissionPolicy", mutating_policy },
	{ "admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", policy_binding },
	{ "admissionregistration.k8s.io", "ValidatingAdmissionPolicy", validating_policy },
	{ "admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", policy_binding },
	{ 0 },
};
/* clang-format on */
