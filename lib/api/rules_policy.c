/* Limits and priorities: HPA, PodDisruptionBudget, PriorityClass, LimitRange, ResourceQuota,
 * RuntimeClass. */
#include <string.h>

#include "api/quantity.h"
#include "api/rules.h"
#include "base/mem.h"

static const struct path *const top = NULL;

/* --- HorizontalPodAutoscaler ------------------------------------------------------------- */

static void
check_target(struct causes *out, const struct path *at, const json_t *target)
{
	static const char *const amounts[] = { "value", "averageValue" };
	const char *type = text(target, "type");

	check_positive(out, at, target, "averageUtilization");
	if (!*type)
		refuse_required(out, AT(at, "type"), "must specify a metric target type");
	else if (strcmp(type, "Utilization") && strcmp(type, "Value") &&
		 strcmp(type, "AverageValue"))
		refuse_text(out, AT(at, "type"), type,
		    "must be either Utilization, Value, or AverageValue");
	for (size_t i = 0; i < COUNT(amounts); i++) {
		const json_t *v = json_object_get(target, amounts[i]);

		if (v && quantity_milli(v) <= 0)
			refuse_value(out, AT(at, amounts[i]), v, "must be positive");
	}
}

static void
check_metrics(struct causes *out, const struct path *at, const json_t *metrics)
{
	static const struct {
		const char *type, *field;
	} sources[] = { { "Resource", "resource" }, { "Pods", "pods" }, { "Object", "object" },
		{ "External", "external" }, { "ContainerResource", "containerResource" } };
	size_t i;
	json_t *m;

	json_array_foreach (metrics, i, m)
		for (size_t s = 0; s < COUNT(sources); s++) {
			const json_t *source = json_object_get(m, sources[s].field);
			const struct path *here = AT(ITEM(at, i), sources[s].field);

			if (strcmp(text(m, "type"), sources[s].type))
				continue;
			if (!source)
				refuse_required(out, here,
				    "must populate information for the given metric source");
			else
				check_target(
				    out, AT(here, "target"), json_object_get(source, "target"));
		}
}

void
autoscaler_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec"),
		     *ref = json_object_get(spec, "scaleTargetRef");
	const json_t *max = json_object_get(spec, "maxReplicas");
	const struct path *at = AT(top, "spec");

	if (num(json_object_get(spec, "minReplicas"), 1) < 1)
		refuse_value(out, AT(at, "minReplicas"), json_object_get(spec, "minReplicas"),
		    "must be greater than or equal to 1");
	if (num(max, 0) < 1)
		refuse_number(out, AT(at, "maxReplicas"), num(max, 0), "must be greater than 0");
	if (num(max, 0) < num(json_object_get(spec, "minReplicas"), 1))
		refuse_number(out, AT(at, "maxReplicas"), num(max, 0),
		    "must be greater than or equal to `minReplicas`");
	if (check_required(out, AT(at, "scaleTargetRef"), ref, "kind"))
		check_path_segment(out, AT(AT(at, "scaleTargetRef"), "kind"), text(ref, "kind"));
	if (check_required(out, AT(at, "scaleTargetRef"), ref, "name"))
		check_path_segment(out, AT(AT(at, "scaleTargetRef"), "name"), text(ref, "name"));
	check_metrics(out, AT(at, "metrics"), json_object_get(spec, "metrics"));
}

/* --- PodDisruptionBudget ---------------------------------------------------------------------- */

void
disruption_budget_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *min = json_object_get(spec, "minAvailable"),
		     *max = json_object_get(spec, "maxUnavailable");
	const struct path *at = AT(top, "spec");

	if (min && max) {
		json_auto_t *whole = json_pack("{s:O, s:O?, s:O, s:O?}", "MinAvailable", min,
		    "Selector", json_object_get(spec, "selector"), "MaxUnavailable", max,
		    "UnhealthyPodEvictionPolicy",
		    json_object_get(spec, "unhealthyPodEvictionPolicy"));

		refuse_value(out, at, whole, "minAvailable and maxUnavailable cannot be both set");
	}
	check_count_or_percent(out, AT(at, "minAvailable"), min);
	check_not_over_all(out, AT(at, "minAvailable"), min);
	check_count_or_percent(out, AT(at, "maxUnavailable"), max);
	check_not_over_all(out, AT(at, "maxUnavailable"), max);
	check_label_selector(out, AT(at, "selector"), json_object_get(spec, "selector"));
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
