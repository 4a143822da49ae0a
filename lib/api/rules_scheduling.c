/* Where a Pod may run: tolerations, affinity, spreading; and what resources it may ask for. */
#include <string.h>

#include "api/quantity.h"
#include "api/rules_pod.h"
#include "base/mem.h"

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
			check_label_value(out, AT(at, "operator"), text(t, "value"));
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
check_node_requirement(struct causes *out, const struct path *at, const json_t *r, bool fields)
{
	const char *op = text(r, "operator");
	size_t n = json_array_size(json_object_get(r, "values"));

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
	if (!fields)
		check_qualified_name(out, AT(at, "key"), text(r, "key"));
}

static void
check_node_term(struct causes *out, const struct path *at, const json_t *term)
{
	static const char *const lists[] = { "matchExpressions", "matchFields" };
	size_t i;
	json_t *r;

	for (size_t l = 0; l < COUNT(lists); l++)
		json_array_foreach (json_object_get(term, lists[l]), i, r)
			check_node_requirement(out, ITEM(AT(at, lists[l]), i), r, l == 1);
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
	const json_t *terms = json_object_get(must, "nodeSelectorTerms");
	size_t i;
	json_t *term;

	if (must && !json_array_size(terms))
		refuse_required(out, AT(AT(at, required), "nodeSelectorTerms"),
		    "must have at least one node selector term");
	json_array_foreach (terms, i, term)
		check_node_term(out, ITEM(AT(AT(at, required), "nodeSelectorTerms"), i), term);
	json_array_foreach (json_object_get(affinity, preferred), i, term) {
		const struct path *here = ITEM(AT(at, preferred), i);

		check_weight(out, here, term);
		check_node_term(out, AT(here, "preference"), json_object_get(term, "preference"));
	}
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

void
check_spread(struct causes *out, const struct path *up, const json_t *constraints)
{
	static const char *const when[] = { "DoNotSchedule", "ScheduleAnyway", NULL };
	json_auto_t *pairs = json_object();
	size_t i;
	json_t *c;

	json_array_foreach (constraints, i, c) {
		const struct path *at = ITEM(up, i);

		if (num(json_object_get(c, "maxSkew"), 0) <= 0)
			refuse_number(out, AT(at, "maxSkew"), num(json_object_get(c, "maxSkew"), 0),
			    "must be greater than zero");
		if (!*text(c, "topologyKey"))
			refuse_required(out, AT(at, "topologyKey"), "can not be empty");
		check_one_of(out, at, c, "whenUnsatisfiable", when);
		check_label_selector(
		    out, AT(at, "labelSelector"), json_object_get(c, "labelSelector"));
	}
	/* Of two that are the same the earlier one is named. */
	for (i = json_array_size(constraints); i-- > 0;) {
		autofree char *pair = NULL;

		c = json_array_get(constraints, i);
		pair = xasprintf("{%s, %s}", text(c, "topologyKey"), text(c, "whenUnsatisfiable"));
		if (*text(c, "topologyKey"))
			check_unique(
			    out, AT(ITEM(up, i), "{topologyKey, whenUnsatisfiable}"), pairs, pair);
	}
}

/* --- resources ---------------------------------------------------------------------- */

static bool
huge(const char *resource)
{
	return !strncmp(resource, "hugepages-", 10);
}

/* Devices and huge pages cannot be shared: nobody may use more than was asked for. */
static bool
overcommit(const char *resource)
{
	return !strchr(resource, '/') && !huge(resource);
}

static void
check_resource_name(struct causes *out, const struct path *at, const char *name)
{
	check_qualified_name(out, at, name);
	if (strchr(name, '/') || huge(name))
		return;
	if (strcmp(name, "cpu") && strcmp(name, "memory") && strcmp(name, "ephemeral-storage"))
		refuse_text(out, at, name, "must be a standard resource for containers");
}

static void
check_amounts(struct causes *out, const struct path *at, const json_t *amounts)
{
	const char *name;
	json_t *v;

	json_object_foreach ((json_t *)amounts, name, v) {
		check_resource_name(out, KEY(at, name), name);
		if (quantity_milli(v) < 0)
			refuse_value(out, KEY(at, name), v, "must be greater than or equal to 0");
		else if (!overcommit(name) && quantity_milli(v) % 1000)
			refuse_value(out, KEY(at, name), v, "must be an integer");
	}
}

static void
check_request(struct causes *out, const struct path *at, const char *name, const json_t *request,
    const json_t *limits)
{
	const json_t *limit = json_object_get(limits, name);
	int64_t want = quantity_milli(request), most = quantity_milli(limit);

	if (!limit && !overcommit(name))
		refuse_required(
		    out, AT(at, "limits"), "Limit must be set for non overcommitable resources");
	else if (limit && want != most && !overcommit(name))
		refuse_value(out, AT(at, "requests"), request, "must be equal to %s limit of %s",
		    name, str(limit, "?"));
	else if (limit && want > most)
		refuse_value(out, AT(at, "requests"), request,
		    "must be less than or equal to %s limit of %s", name, str(limit, "?"));
}

void
check_resources(struct causes *out, const struct path *at, const json_t *resources)
{
	const json_t *limits = json_object_get(resources, "limits");
	const json_t *requests = json_object_get(resources, "requests");
	bool pages = false, rest = false;
	const char *name;
	json_t *v;

	check_amounts(out, AT(at, "limits"), limits);
	check_amounts(out, AT(at, "requests"), requests);
	json_object_foreach ((json_t *)requests, name, v)
		check_request(out, at, name, v, limits);
	json_object_foreach ((json_t *)limits, name, v) {
		pages |= huge(name);
		rest |= !strcmp(name, "cpu") || !strcmp(name, "memory");
	}
	rest |= json_object_get(requests, "cpu") || json_object_get(requests, "memory");
	if (pages && !rest)
		refuse_forbidden(out, at, "HugePages require cpu or memory");
}
