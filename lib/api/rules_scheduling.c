/* Where a Pod may run: tolerations, affinity, spreading. */
#include <string.h>

#include "api/label.h"
#include "api/rules_pod.h"
#include "base/mem.h"
#include "base/text.h"

/* Of a value all reasons stand in one sentence. */
void
check_taint_value(struct causes *out, const struct path *at, const char *value)
{
	autofree char *reasons = label_value_refused(value);

	if (reasons)
		refuse_text(out, at, value, "%s", reasons);
}

void
check_tolerations(struct causes *out, const struct path *up, const json_t *tolerations)
{
	static const char *const operators[] = { "Equal", "Exists", NULL };
	static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute",
		NULL };
	size_t i;
	json_t *t;

	json_array_foreach (tolerations, i, t) {
		const struct path *at = ITEM(up, i);
		const char *key = text(t, "key"), *op = text(t, "operator"),
			   *effect = text(t, "effect");

		if (*key)
			check_qualified_name(out, AT(at, "key"), key);
		else if (strcmp(op, "Exists"))
			refuse_text(out, AT(at, "operator"), op,
			    "operator must be Exists when `key` is empty, which means \"match all "
			    "values and all "
			    "keys\"");
		if (json_object_get(t, "tolerationSeconds") && strcmp(effect, "NoExecute"))
			refuse_text(out, AT(at, "effect"), effect,
			    "effect must be 'NoExecute' when `tolerationSeconds` is set");
		if (!*op || !strcmp(op, "Equal"))
			check_taint_value(out, AT(at, "operator"), text(t, "value"));
		else if (!strcmp(op, "Exists") && *text(t, "value"))
			refuse_text(out, AT(at, "operator"), text(t, "value"),
			    "value must be empty when `operator` is 'Exists'");
		else
			check_one_of(out, at, t, "operator", operators);
		if (*effect)
			check_one_of(out, at, t, "effect", effects);
	}
}

/* --- affinity --------------------------------------------------------------------- */

static void
check_node_requirement(struct causes *out, const struct path *at, const json_t *r, bool values)
{
	const char *op = text(r, "operator");
	size_t n = json_array_size(json_object_get(r, "values")), i;
	json_t *v;

	if (!strcmp(op, "In") || !strcmp(op, "NotIn")) {
		if (!n)
			refuse_required(out, AT(at, "values"),
			    "must be specified when `operator` is 'In' or 'NotIn'");
	} else if (!strcmp(op, "Exists") || !strcmp(op, "DoesNotExist")) {
		if (n)
			refuse_forbidden(out, AT(at, "values"),
			    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
	} else if (!strcmp(op, "Gt") || !strcmp(op, "Lt")) {
		if (n != 1)
			refuse_required(out, AT(at, "values"),
			    "must be specified single value when `operator` is 'Lt' or 'Gt'");
	} else {
		refuse_text(out, AT(at, "operator"), op, "not a valid selector operator");
	}
	check_qualified_name(out, AT(at, "key"), text(r, "key"));
	if (values)
		json_array_foreach (json_object_get(r, "values"), i, v)
			check_label_value(out, ITEM(AT(at, "values"), i), str(v, ""));
}

/* Of the fields of a Node only its name can be asked for. */
static void
check_field_requirement(struct causes *out, const struct path *at, const json_t *r)
{
	const char *op = text(r, "operator"), *key = text(r, "key");
	const json_t *values = json_object_get(r, "values");
	size_t i;
	json_t *v;

	if (strcmp(op, "In") && strcmp(op, "NotIn"))
		refuse_text(out, AT(at, "operator"), op, "not a valid selector operator");
	else if (json_array_size(values) != 1)
		refuse_required(out, AT(at, "values"),
		    "must be only one value when `operator` is 'In' or 'NotIn' for node field "
		    "selector");
	if (strcmp(key, "metadata.name"))
		refuse_text(out, AT(at, "key"), key, "not a valid field selector key");
	else
		json_array_foreach (values, i, v)
			check_dns_subdomain(out, ITEM(AT(at, "values"), i), str(v, ""));
}

/* What a Node must be is checked to the letter, what is liked is not. */
static void
check_node_term(struct causes *out, const struct path *at, const json_t *term, bool must)
{
	size_t i;
	json_t *r;

	json_array_foreach (json_object_get(term, "matchExpressions"), i, r)
		check_node_requirement(out, ITEM(AT(at, "matchExpressions"), i), r, must);
	json_array_foreach (json_object_get(term, "matchFields"), i, r)
		check_field_requirement(out, ITEM(AT(at, "matchFields"), i), r);
}

void
check_node_selector(struct causes *out, const struct path *at, const json_t *selector)
{
	const json_t *terms = json_object_get(selector, "nodeSelectorTerms");
	size_t i;
	json_t *term;

	if (!json_array_size(terms))
		refuse_required(
		    out, AT(at, "nodeSelectorTerms"), "must have at least one node selector term");
	json_array_foreach (terms, i, term)
		check_node_term(out, ITEM(AT(at, "nodeSelectorTerms"), i), term, true);
}

static void
check_weight(struct causes *out, const struct path *at, const json_t *term)
{
	json_int_t weight = num(json_object_get(term, "weight"), 0);

	if (weight < 1 || weight > 100)
		refuse_number(out, AT(at, "weight"), weight, "must be in the range 1-100");
}

static const char required[] = "requiredDuringSchedulingIgnoredDuringExecution";
static const char preferred[] = "preferredDuringSchedulingIgnoredDuringExecution";

static void
check_node_affinity(struct causes *out, const struct path *at, const json_t *affinity)
{
	const json_t *must = json_object_get(affinity, required);
	size_t i;
	json_t *term;

	if (must)
		check_node_selector(out, AT(at, required), must);
	json_array_foreach (json_object_get(affinity, preferred), i, term) {
		const struct path *here = ITEM(AT(at, preferred), i);

		check_weight(out, here, term);
		check_node_term(
		    out, AT(here, "preference"), json_object_get(term, "preference"), false);
	}
}

static void
check_keys(struct causes *out, const struct path *at, const json_t *keys, const json_t *selector)
{
	size_t i;
	json_t *key;

	if (!json_array_size(keys))
		return;
	if (!json_is_object(selector)) {
		refuse_forbidden(out, at, "must not be specified when labelSelector is not set");
		return;
	}
	json_array_foreach (keys, i, key)
		check_qualified_name(out, ITEM(at, i), str(key, ""));
}

/* Keys of the Pod's own labels: by now the selector has what they stand for, once. */
static void
check_own_keys(struct causes *out, const struct path *at, const json_t *term)
{
	const json_t *selector = json_object_get(term, "labelSelector");
	const json_t *match = json_object_get(term, "matchLabelKeys");
	const json_t *mismatch = json_object_get(term, "mismatchLabelKeys");
	json_auto_t *seen = NULL, *own = NULL, *other = NULL;
	const char *key;
	size_t i;
	json_t *v;

	check_keys(out, AT(at, "matchLabelKeys"), match, selector);
	check_keys(out, AT(at, "mismatchLabelKeys"), mismatch, selector);
	if (!json_array_size(match))
		return;
	own = set_of(match, NULL);
	other = set_of(mismatch, NULL);
	seen = json_object();
	json_object_foreach (json_object_get(selector, "matchLabels"), key, v)
		repeats(seen, key);
	json_array_foreach (json_object_get(selector, "matchExpressions"), i, v) {
		key = text(v, "key");
		if (repeats(seen, key) && json_object_get(own, key))
			refuse_text(out, ITEM(at, i), key,
			    "exists in both matchLabelKeys and labelSelector");
	}
	json_array_foreach (match, i, v)
		if (json_object_get(other, str(v, "")))
			refuse_text(out, ITEM(AT(at, "matchLabelKeys"), i), str(v, ""),
			    "exists in both matchLabelKeys and mismatchLabelKeys");
}

static void
check_pod_term(struct causes *out, const struct path *at, const json_t *term)
{
	size_t i;
	json_t *ns;

	check_label_selector(out, AT(at, "labelSelector"), json_object_get(term, "labelSelector"));
	check_label_selector(
	    out, AT(at, "namespaceSelector"), json_object_get(term, "namespaceSelector"));
	json_array_foreach (json_object_get(term, "namespaces"), i, ns)
		check_dns_label(out, AT(at, "namespace"), str(ns, ""));
	check_own_keys(out, at, term);
	if (!*text(term, "topologyKey"))
		refuse_required(out, AT(at, "topologyKey"), "can not be empty");
	check_qualified_name(out, AT(at, "topologyKey"), text(term, "topologyKey"));
}

static void
check_pod_affinity(struct causes *out, const struct path *at, const json_t *affinity)
{
	size_t i;
	json_t *term;

	json_array_foreach (json_object_get(affinity, required), i, term)
		check_pod_term(out, ITEM(AT(at, required), i), term);
	json_array_foreach (json_object_get(affinity, preferred), i, term) {
		const struct path *here = ITEM(AT(at, preferred), i);

		check_weight(out, here, term);
		check_pod_term(
		    out, AT(here, "podAffinityTerm"), json_object_get(term, "podAffinityTerm"));
	}
}

void
check_affinity(struct causes *out, const struct path *at, const json_t *affinity)
{
	check_node_affinity(out, AT(at, "nodeAffinity"), json_object_get(affinity, "nodeAffinity"));
	check_pod_affinity(out, AT(at, "podAffinity"), json_object_get(affinity, "podAffinity"));
	check_pod_affinity(
	    out, AT(at, "podAntiAffinity"), json_object_get(affinity, "podAntiAffinity"));
}

/* The keys of a selector, as often as they stand there. */
static size_t
times_selected(const json_t *selector, const char *key)
{
	size_t n = json_object_get(json_object_get(selector, "matchLabels"), key) ? 1 : 0, i;
	json_t *r;

	json_array_foreach (json_object_get(selector, "matchExpressions"), i, r)
		n += !strcmp(text(r, "key"), key);
	return n;
}

static void
check_spread_keys(struct causes *out, const struct path *at, const json_t *c)
{
	const json_t *keys = json_object_get(c, "matchLabelKeys");
	const json_t *selector = json_object_get(c, "labelSelector");
	size_t i;
	json_t *key;

	if (!json_array_size(keys))
		return;
	if (!json_is_object(selector))
		refuse_forbidden(out, at, "must not be specified when labelSelector is not set");
	json_array_foreach (keys, i, key) {
		check_qualified_name(out, ITEM(at, i), str(key, ""));
		if (times_selected(selector, str(key, "")) > 1)
			refuse_text(out, ITEM(at, i), str(key, ""),
			    "exists in both matchLabelKeys and labelSelector");
	}
}

static void
check_domains(struct causes *out, const struct path *at, const json_t *c)
{
	const json_t *n = json_object_get(c, "minDomains");
	const char *when = text(c, "whenUnsatisfiable");

	if (!json_is_integer(n))
		return;
	if (json_integer_value(n) <= 0)
		refuse_value(out, at, n, "must be greater than zero");
	if (strcmp(when, "DoNotSchedule"))
		refuse_value(out, at, n,
		    "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not %s", when);
}

static bool
stands_later(const json_t *constraints, size_t i)
{
	const json_t *c = json_array_get(constraints, i), *d;

	for (size_t j = i + 1; (d = json_array_get(constraints, j)); j++)
		if (!strcmp(text(c, "topologyKey"), text(d, "topologyKey")) &&
		    !strcmp(text(c, "whenUnsatisfiable"), text(d, "whenUnsatisfiable")))
			return true;
	return false;
}

void
check_spread(struct causes *out, const struct path *up, const json_t *constraints)
{
	static const char *const when[] = { "DoNotSchedule", "ScheduleAnyway", NULL };
	static const char *const policies[] = { "Honor", "Ignore", NULL };
	size_t i;
	json_t *c;

	json_array_foreach (constraints, i, c) {
		const struct path *at = ITEM(up, i);
		json_int_t skew = num(json_object_get(c, "maxSkew"), 0);
		autofree char *pair =
		    xasprintf("{%s, %s}", text(c, "topologyKey"), text(c, "whenUnsatisfiable"));

		if (skew <= 0)
			refuse_number(out, AT(at, "maxSkew"), skew, "must be greater than zero");
		if (!*text(c, "topologyKey"))
			refuse_required(out, AT(at, "topologyKey"), "can not be empty");
		if (!text_in(text(c, "whenUnsatisfiable"), when))
			refuse_unsupported(
			    out, AT(at, "whenUnsatisfiable"), text(c, "whenUnsatisfiable"), when);
		/* Of two that are the same the earlier one is named. */
		if (stands_later(constraints, i))
			refuse_duplicate(out, AT(at, "{topologyKey, whenUnsatisfiable}"), pair);
		check_domains(out, AT(at, "minDomains"), c);
		check_one_of(out, at, c, "nodeAffinityPolicy", policies);
		check_one_of(out, at, c, "nodeTaintsPolicy", policies);
		check_spread_keys(out, AT(at, "matchLabelKeys"), c);
		check_label_selector(
		    out, AT(at, "labelSelector"), json_object_get(c, "labelSelector"));
	}
}
