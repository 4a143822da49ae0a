/* PodDisruptionBudget, PriorityClass, RuntimeClass. */
#include <string.h>

#include "api/quantity.h"
#include "api/rules.h"
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

/* --- PriorityClass ------------------------------------------------------------------------------
 */

void
priority_class_create(struct causes *out, const json_t *obj)
{
	enum { HIGHEST = 1000000000 };
	const char *name = meta_name(obj);
	bool system =
	    !strcmp(name, "system-node-critical") || !strcmp(name, "system-cluster-critical");

	if (!strncmp(name, "system-", 7) && !system)
		refuse_forbidden(out, AT(AT(top, "metadata"), "name"),
		    "priority class names with 'system-' prefix are reserved for system use only. "
		    "error: %s is not a "
		    "known system priority class",
		    name);
	else if (!system && num(json_object_get(obj, "value"), 0) > HIGHEST)
		refuse_forbidden(out, AT(top, "value"),
		    "maximum allowed value of a user defined priority is %d", HIGHEST);
}

void
priority_class_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const fixed[] = { "value", "preemptionPolicy" };

	for (size_t i = 0; i < COUNT(fixed); i++)
		if (!same_value(json_object_get(obj, fixed[i]), json_object_get(old, fixed[i])))
			refuse_forbidden(
			    out, AT(top, fixed[i]), "may not be changed in an update.");
}

/* --- RuntimeClass
 * ------------------------------------------------------------------------------------ */

void
runtime_class_create(struct causes *out, const json_t *obj)
{
	const char *name;
	json_t *v;

	check_dns_label(out, AT(top, "handler"), text(obj, "handler"));
	/* Kubernetes checks it as the limits of a container, and says so. */
	json_object_foreach (get(obj, "overhead", "podFixed"), name, v)
		if (quantity_milli(v) < 0)
			refuse_value(out, KEY(AT(AT(top, "overhead"), "limits"), name), v,
			    "must be greater than or equal to 0");
}

void
runtime_class_update(struct causes *out, const json_t *obj, const json_t *old)
{
	check_immutable(out, AT(top, "handler"), json_object_get(obj, "handler"),
	    json_object_get(old, "handler"));
}
