/* PodDisruptionBudget, PriorityClass, RuntimeClass. */
#include <string.h>

#include "api/rules.h"
#include "api/rules_pod.h"
#include "api/shown.h"
#include "base/mem.h"

static const struct path *const top = NULL;

/* --- PodDisruptionBudget ---------------------------------------------------------------------- */

void
disruption_budget_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *min = json_object_get(spec, "minAvailable"),
		     *max = json_object_get(spec, "maxUnavailable");
	static const char *const policies[] = { "AlwaysAllow", "IfHealthyBudget", NULL };
	const struct path *at = AT(top, "spec");

	if (min && max)
		refuse_shown(out, at, "policy.v1.PodDisruptionBudgetSpec", spec,
		    "minAvailable and maxUnavailable cannot be both set");
	check_count_or_percent(out, AT(at, "minAvailable"), min);
	check_not_over_all(out, AT(at, "minAvailable"), min);
	check_count_or_percent(out, AT(at, "maxUnavailable"), max);
	check_not_over_all(out, AT(at, "maxUnavailable"), max);
	check_label_selector(out, AT(at, "selector"), json_object_get(spec, "selector"));
	check_one_of(out, at, spec, "unhealthyPodEvictionPolicy", policies);
}

/* --- PriorityClass ---------------------------------------------------------------------------- */

/* What is wrong with a name that only the system has; NULL: nothing.  New. */
static char *
system_class_refused(const json_t *obj)
{
	static const struct {
		const char *name;
		json_int_t value;
	} known[] = { { "system-node-critical", 2000001000 },
		{ "system-cluster-critical", 2000000000 } };
	const char *name = meta_name(obj);

	for (size_t i = 0; i < COUNT(known); i++) {
		if (strcmp(name, known[i].name) != 0)
			continue;
		if (num(json_object_get(obj, "value"), 0) != known[i].value)
			return xasprintf("value of %s PriorityClass must be %lld", name,
			    (long long)known[i].value);
		if (truth(json_object_get(obj, "globalDefault")))
			return xasprintf("globalDefault of %s PriorityClass must be false", name);
		return NULL;
	}
	return xasprintf("%s is not a known system priority class", name);
}

void
priority_class_create(struct causes *out, const json_t *obj)
{
	static const char *const policies[] = { "PreemptLowerPriority", "Never", NULL };
	enum { HIGHEST = 1000000000 };
	bool system = !strncmp(meta_name(obj), "system-", 7);
	autofree char *why = system ? system_class_refused(obj) : NULL;

	if (why)
		refuse_forbidden(out, AT(AT(top, "metadata"), "name"),
		    "priority class names with 'system-' prefix are reserved for system use only. "
		    "error: %s",
		    why);
	else if (!system && num(json_object_get(obj, "value"), 0) > HIGHEST)
		refuse_forbidden(out, AT(top, "value"),
		    "maximum allowed value of a user defined priority is %d", HIGHEST);
	check_one_of(out, top, obj, "preemptionPolicy", policies);
}

void
priority_class_update(struct causes *out, const json_t *obj, const json_t *old)
{
	if (num(json_object_get(obj, "value"), 0) != num(json_object_get(old, "value"), 0))
		refuse_forbidden(out, AT(top, "value"), "may not be changed in an update.");
	check_immutable(out, AT(top, "preemptionPolicy"), json_object_get(obj, "preemptionPolicy"),
	    json_object_get(old, "preemptionPolicy"));
}

/* --- RuntimeClass --------------------------------------------------------------------------- */

static void
check_unique_tolerations(struct causes *out, const struct path *at, const json_t *tolerations)
{
	json_auto_t *all = shown("[]core.v1.Toleration", tolerations);

	for (size_t i = 0; i < json_array_size(tolerations); i++)
		for (size_t j = i + 1; j < json_array_size(tolerations); j++)
			if (json_equal(
				json_array_get(tolerations, i), json_array_get(tolerations, j))) {
				refuse_duplicate_value(out, ITEM(at, j), json_array_get(all, j));
				break;
			}
}

void
runtime_class_create(struct causes *out, const json_t *obj)
{
	const json_t *overhead = json_object_get(obj, "overhead");
	const json_t *scheduling = json_object_get(obj, "scheduling");
	const json_t *tolerations = json_object_get(scheduling, "tolerations");
	const struct path *at = AT(top, "scheduling");

	check_dns_label(out, AT(top, "handler"), text(obj, "handler"));
	/* Kubernetes checks it as the limits of a container, and says so. */
	if (overhead) {
		json_auto_t *limits =
		    json_pack("{s:O?}", "limits", json_object_get(overhead, "podFixed"));

		check_resources(out, AT(top, "overhead"), limits, RESOURCES_OF_CONTAINER, NULL);
	}
	check_labels(out, AT(at, "nodeSelector"), json_object_get(scheduling, "nodeSelector"));
	check_tolerations(out, AT(at, "tolerations"), tolerations);
	check_unique_tolerations(out, AT(at, "tolerations"), tolerations);
}

void
runtime_class_update(struct causes *out, const json_t *obj, const json_t *old)
{
	if (strcmp(text(obj, "handler"), text(old, "handler")) != 0)
		refuse_text(out, AT(top, "handler"), text(obj, "handler"), "field is immutable");
}
