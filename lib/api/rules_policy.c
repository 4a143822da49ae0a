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

/* --- LimitRange and ResourceQuota
 * ------------------------------------------------------------------ */

/* list[key] must not be above bound[key]. */
static void
check_bound(struct causes *out, const struct path *at, const json_t *item, const char *list,
    const char *bound, const char *words, const char *bound_words)
{
	const char *key;
	json_t *v;

	json_object_foreach (json_object_get(item, list), key, v) {
		const json_t *most = json_object_get(json_object_get(item, bound), key);

		/* Of a default above the maximum Kubernetes shows the maximum. */
		const json_t *shown = !strcmp(list, "default") ? most : v;

		if (most && quantity_milli(v) > quantity_milli(most))
			refuse_value(out, KEY(AT(at, list), key), shown,
			    "%s value %s is greater than %s value %s", words, str(v, "?"),
			    bound_words, str(most, "?"));
	}
}

void
limit_range_create(struct causes *out, const json_t *obj)
{
	const json_t *limits = get(obj, "spec", "limits");
	json_auto_t *types = json_object();
	size_t i;
	json_t *item;

	json_array_foreach (limits, i, item) {
		const struct path *at = ITEM(AT(AT(top, "spec"), "limits"), i);

		check_unique(out, AT(at, "type"), types, text(item, "type"));
		check_bound(
		    out, at, item, "defaultRequest", "default", "default request", "default limit");
		check_bound(out, at, item, "defaultRequest", "max", "default request", "max");
		check_bound(out, at, item, "default", "max", "default", "max");
		check_bound(out, at, item, "min", "max", "min", "max");
		check_bound(out, at, item, "min", "default", "min", "default");
		check_bound(out, at, item, "min", "defaultRequest", "min", "default request");
	}
}

/* What can be counted or summed in a quota: "pods", "requests.cpu", "count/jobs.batch". */
static bool
known_to_quota(const char *name)
{
	static const char *const known[] = { "cpu", "memory", "ephemeral-storage", "requests.cpu",
		"requests.memory", "requests.storage", "requests.ephemeral-storage", "limits.cpu",
		"limits.memory", "limits.ephemeral-storage", "pods", "resourcequotas", "services",
		"replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
		"services.nodeports", "services.loadbalancers" };

	for (size_t i = 0; i < COUNT(known); i++)
		if (!strcmp(name, known[i]))
			return true;
	return strchr(name, '/') || strstr(name, "hugepages-");
}

/* Objects are counted in whole numbers; the rest is measured. */
static bool
counted(const char *name)
{
	static const char *const measured[] = { "cpu", "memory", "storage", "hugepages" };

	for (size_t i = 0; i < COUNT(measured); i++)
		if (strstr(name, measured[i]))
			return false;
	return !strchr(name, '/') || !strncmp(name, "count/", 6);
}

void
resource_quota_create(struct causes *out, const json_t *obj)
{
	const struct path *at = AT(AT(top, "spec"), "hard");
	const char *name;
	json_t *v;

	json_object_foreach (get(obj, "spec", "hard"), name, v) {
		check_qualified_name(out, KEY(at, name), name);
		if (!known_to_quota(name)) {
			refuse_text(
			    out, KEY(at, name), name, "must be a standard resource for quota");
			refuse_text(out, KEY(at, name), name,
			    "must be a standard resource type or fully qualified");
		}
		if (quantity_milli(v) < 0)
			refuse_value(out, KEY(at, name), v, "must be greater than or equal to 0");
		else if (counted(name) && quantity_milli(v) % 1000)
			refuse_value(out, KEY(at, name), v, "must be an integer");
	}
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
