#include <string.h>

#include "api/meta.h"
#include "base/text.h"
#include "schedule/node_terms.h"
#include "schedule/snapshot.h"

/* NodeAffinity: nodeSelector, and terms over a node's labels and its name. */

static bool
listed(const json_t *values, const char *value)
{
	size_t i;
	json_t *v;

	json_array_foreach (values, i, v)
		if (strcmp(str(v, ""), value) == 0)
			return true;
	return false;
}

static bool
compares(const json_t *values, const char *value, bool greater)
{
	long long have, want;

	if (!text_int(value, &have) || !text_int(str(json_array_get(values, 0), ""), &want))
		return false;
	return greater ? have > want : have < want;
}

/* One NodeSelectorRequirement; value NULL: there is no such label. */
static bool
requirement_holds(const json_t *e, const char *value)
{
	const char *op = text(e, "operator");
	const json_t *values = get(e, "values");

	if (strcmp(op, "In") == 0)
		return value && listed(values, value);
	if (strcmp(op, "NotIn") == 0)
		return !value || !listed(values, value);
	if (strcmp(op, "Exists") == 0)
		return value != NULL;
	if (strcmp(op, "DoesNotExist") == 0)
		return value == NULL;
	if (strcmp(op, "Gt") == 0 || strcmp(op, "Lt") == 0)
		return value && compares(values, value, *op == 'G');
	return false;
}

/* All of a term must hold; an empty term selects no node. */
bool
node_selector_term(const json_t *term, const struct node *n)
{
	const json_t *labels = get(term, "matchExpressions"), *fields = get(term, "matchFields");
	size_t i;
	json_t *e;

	if (json_array_size(labels) + json_array_size(fields) == 0)
		return false;
	json_array_foreach (labels, i, e)
		if (!requirement_holds(e, meta_label(n->obj, text(e, "key"))))
			return false;
	json_array_foreach (fields, i, e)
		if (strcmp(text(e, "key"), "metadata.name") != 0 || !requirement_holds(e, n->name))
			return false;
	return true;
}

bool
node_terms_match(const json_t *terms, const json_t *node)
{
	struct node n = { .name = (char *)meta_name(node), .obj = (json_t *)node };
	json_t *term;
	size_t i;

	json_array_foreach (terms, i, term)
		if (node_selector_term(term, &n))
			return true;
	return false;
}

bool
affinity_required(const json_t *pod, const struct node *n)
{
	const json_t *required = get(pod, "spec", "affinity", "nodeAffinity",
	    "requiredDuringSchedulingIgnoredDuringExecution");
	const char *key;
	json_t *v;
	size_t i;

	json_object_foreach (get(pod, "spec", "nodeSelector"), key, v) {
		const char *label = meta_label(n->obj, key);

		if (!label || strcmp(label, str(v, "")) != 0)
			return false;
	}
	if (!required)
		return true;
	json_array_foreach (get(required, "nodeSelectorTerms"), i, v)
		if (node_selector_term(v, n))
			return true;
	return false;
}

/* 1 to 100, as the API demands. */
int32_t
preference_weight(const json_t *preference)
{
	json_int_t w = num(get(preference, "weight"), 0);

	return (int32_t)(w < 0 ? 0 : w > 100 ? 100 : w);
}

int32_t
affinity_preferred(const json_t *pod, const struct node *n)
{
	int32_t sum = 0;
	size_t i;
	json_t *p;

	json_array_foreach (get(pod, "spec", "affinity", "nodeAffinity",
				"preferredDuringSchedulingIgnoredDuringExecution"),
	    i, p)
		if (node_selector_term(get(p, "preference"), n))
			sum += preference_weight(p);
	return sum;
}
