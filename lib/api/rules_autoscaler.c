/* HorizontalPodAutoscaler (Kubernetes: pkg/apis/autoscaling/validation). */
#include <string.h>

#include "api/quantity.h"
#include "api/rules.h"
#include "api/rules_pod.h"
#include "base/mem.h"
#include "base/text.h"

static const char none[] = "must populate information for the given metric source";

/* --- what is measured ----------------------------------------------------------------------- */

static void
check_object_reference(struct causes *out, const struct path *at, const json_t *ref)
{
	static const char *const keys[] = { "kind", "name" };

	for (size_t i = 0; i < COUNT(keys); i++)
		if (check_required(out, at, ref, keys[i]))
			check_path_segment(out, AT(at, keys[i]), text(ref, keys[i]));
}

static void
check_metric(struct causes *out, const struct path *at, const json_t *metric)
{
	if (!*text(metric, "name"))
		refuse_required(out, AT(at, "name"), "must specify a metric name");
	else
		check_path_segment(out, AT(at, "name"), text(metric, "name"));
}

static void
check_target(struct causes *out, const struct path *at, const json_t *target)
{
	static const char *const types[] = { "Utilization", "Value", "AverageValue", NULL };
	static const char *const amounts[] = { "value", "averageValue" };
	const json_t *use = json_object_get(target, "averageUtilization");

	if (!*text(target, "type"))
		refuse_required(out, AT(at, "type"), "must specify a metric target type");
	if (!text_in(text(target, "type"), types))
		refuse_text(out, AT(at, "type"), text(target, "type"),
		    "must be either Utilization, Value, or AverageValue");
	for (size_t i = 0; i < COUNT(amounts); i++) {
		const json_t *v = json_object_get(target, amounts[i]);

		if (v && quantity_milli(v) <= 0)
			refuse_value(out, AT(at, amounts[i]), v, "must be positive");
	}
	if (use && num(use, 0) < 1)
		refuse_value(out, AT(at, "averageUtilization"), use, "must be greater than 0");
}

static void
object(struct causes *out, const struct path *at, const json_t *source)
{
	const json_t *target = json_object_get(source, "target");

	check_object_reference(
	    out, AT(at, "describedObject"), json_object_get(source, "describedObject"));
	check_metric(out, AT(at, "metric"), json_object_get(source, "metric"));
	check_target(out, AT(at, "target"), target);
	if (!json_object_get(target, "value") && !json_object_get(target, "averageValue"))
		refuse_required(out, AT(AT(at, "target"), "averageValue"),
		    "must set either a target value or averageValue");
}

static void
external(struct causes *out, const struct path *at, const json_t *source)
{
	const json_t *target = json_object_get(source, "target");
	bool value = json_object_get(target, "value"),
	     average = json_object_get(target, "averageValue");

	check_metric(out, AT(at, "metric"), json_object_get(source, "metric"));
	check_target(out, AT(at, "target"), target);
	if (!value && !average)
		refuse_required(out, AT(AT(at, "target"), "averageValue"),
		    "must set either a target value for metric or a per-pod target");
	if (value && average)
		refuse_forbidden(out, AT(AT(at, "target"), "value"),
		    "may not set both a target value for metric and a per-pod target");
}

static void
pods(struct causes *out, const struct path *at, const json_t *source)
{
	check_metric(out, AT(at, "metric"), json_object_get(source, "metric"));
	check_target(out, AT(at, "target"), json_object_get(source, "target"));
	if (!get(source, "target", "averageValue"))
		refuse_required(out, AT(AT(at, "target"), "averageValue"),
		    "must specify a positive target averageValue");
}

static void
check_use(struct causes *out, const struct path *at, const json_t *target)
{
	bool use = json_object_get(target, "averageUtilization"),
	     average = json_object_get(target, "averageValue");

	check_target(out, at, target);
	if (!use && !average)
		refuse_required(out, AT(at, "averageUtilization"),
		    "must set either a target raw value or a target utilization");
	if (use && average)
		refuse_forbidden(out, AT(at, "averageValue"),
		    "may not set both a target raw value and a target utilization");
}

static void
resource(struct causes *out, const struct path *at, const json_t *source)
{
	if (!*text(source, "name"))
		refuse_required(out, AT(at, "name"), "must specify a resource name");
	check_use(out, AT(at, "target"), json_object_get(source, "target"));
}

static void
container_resource(struct causes *out, const struct path *at, const json_t *source)
{
	if (!*text(source, "name"))
		refuse_required(out, AT(at, "name"), "must specify a resource name");
	else
		check_container_resource_name(out, AT(at, "name"), text(source, "name"));
	if (!*text(source, "container"))
		refuse_required(out, AT(at, "container"), "must specify a container");
	else
		check_dns_label(out, AT(at, "container"), text(source, "container"));
	check_use(out, AT(at, "target"), json_object_get(source, "target"));
}

static const struct source {
	const char *type, *field;
	void (*run)(struct causes *out, const struct path *at, const json_t *source);
} sources[] = {
	{ "Object", "object", object },
	{ "External", "external", external },
	{ "Pods", "pods", pods },
	{ "Resource", "resource", resource },
	{ "ContainerResource", "containerResource", container_resource },
};

static void
check_metric_spec(struct causes *out, const struct path *at, const json_t *m)
{
	static const char *const types[] = { "ContainerResource", "External", "Object", "Pods",
		"Resource", NULL };
	const char *type = text(m, "type");
	bool known = text_in(type, types);
	size_t n = 0;

	if (!*type)
		refuse_required(out, AT(at, "type"), "must specify a metric source type");
	if (!known)
		refuse_unsupported(out, AT(at, "type"), type, types);
	for (const struct source *s = sources; s < sources + COUNT(sources); s++)
		if (json_object_get(m, s->field) && !n++)
			s->run(out, AT(at, s->field), json_object_get(m, s->field));
	for (const struct source *s = sources; s < sources + COUNT(sources); s++)
		if (!strcmp(type, s->type) && !json_object_get(m, s->field))
			refuse_required(out, AT(at, s->field), none);
	if (!known)
		refuse_unsupported(out, AT(at, "type"), type, types);
	for (const struct source *s = sources; s < sources + COUNT(sources) && n != 1; s++)
		if (json_object_get(m, s->field) && strcmp(type, s->type) != 0)
			refuse_forbidden(
			    out, AT(at, s->field), "must populate the given metric source only");
}

static void
check_metrics(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *metrics = json_object_get(spec, "metrics");
	bool outside = false;
	size_t i;
	json_t *m;

	json_array_foreach (metrics, i, m) {
		check_metric_spec(out, ITEM(at, i), m);
		outside |=
		    !strcmp(text(m, "type"), "Object") || !strcmp(text(m, "type"), "External");
	}
	if (!outside && num(json_object_get(spec, "minReplicas"), 1) == 0)
		refuse_forbidden(out, at,
		    "must specify at least one Object or External metric to support scaling to "
		    "zero replicas");
}

/* --- how fast ------------------------------------------------------------------------------- */

static void
check_policy(struct causes *out, const struct path *at, const json_t *policy)
{
	static const char *const types[] = { "Percent", "Pods", NULL };
	static const char *const amounts[] = { "value", "periodSeconds" };
	json_int_t period = num(json_object_get(policy, "periodSeconds"), 0);

	if (!text_in(text(policy, "type"), types))
		refuse_unsupported(out, AT(at, "type"), text(policy, "type"), types);
	for (size_t i = 0; i < COUNT(amounts); i++)
		if (num(json_object_get(policy, amounts[i]), 0) <= 0)
			refuse_number(out, AT(at, amounts[i]),
			    num(json_object_get(policy, amounts[i]), 0),
			    "must be greater than zero");
	if (period > 1800)
		refuse_number(
		    out, AT(at, "periodSeconds"), period, "must be less than or equal to 1800");
}

static void
check_scaling(struct causes *out, const struct path *at, const json_t *rules)
{
	static const char *const selects[] = { "Disabled", "Max", "Min", NULL };
	const json_t *window = json_object_get(rules, "stabilizationWindowSeconds");
	const json_t *policies = json_object_get(rules, "policies");
	const json_t *tolerance = json_object_get(rules, "tolerance");
	size_t i;
	json_t *policy;

	if (!rules)
		return;
	if (window && num(window, 0) < 0)
		refuse_value(out, AT(at, "stabilizationWindowSeconds"), window,
		    "must be greater than or equal to zero");
	if (window && num(window, 0) > 3600)
		refuse_value(out, AT(at, "stabilizationWindowSeconds"), window,
		    "must be less than or equal to 3600");
	check_one_of(out, at, rules, "selectPolicy", selects);
	if (!json_array_size(policies))
		refuse_required(out, AT(at, "policies"), "must specify at least one Policy");
	json_array_foreach (policies, i, policy)
		check_policy(out, ITEM(AT(at, "policies"), i), policy);
	if (tolerance && quantity_milli(tolerance) < 0)
		refuse_value(
		    out, AT(at, "tolerance"), tolerance, "must be greater than or equal to 0");
}

/* --- the autoscaler ------------------------------------------------------------------------- */

static void
check_autoscaler(struct causes *out, const json_t *spec, json_int_t least)
{
	const json_t *min = json_object_get(spec, "minReplicas");
	const json_t *behavior = json_object_get(spec, "behavior");
	json_int_t max = num(json_object_get(spec, "maxReplicas"), 0);
	const struct path *at = AT(NULL, "spec");

	if (min && num(min, 0) < least)
		refuse_value(out, AT(at, "minReplicas"), min,
		    "must be greater than or equal to %lld", (long long)least);
	if (max < 1)
		refuse_number(out, AT(at, "maxReplicas"), max, "must be greater than 0");
	if (min && max < num(min, 0))
		refuse_number(out, AT(at, "maxReplicas"), max,
		    "must be greater than or equal to `minReplicas`");
	check_object_reference(
	    out, AT(at, "scaleTargetRef"), json_object_get(spec, "scaleTargetRef"));
	check_metrics(out, AT(at, "metrics"), spec);
	check_scaling(out, AT(AT(at, "behavior"), "scaleUp"), json_object_get(behavior, "scaleUp"));
	check_scaling(
	    out, AT(AT(at, "behavior"), "scaleDown"), json_object_get(behavior, "scaleDown"));
}

void
autoscaler_create(struct causes *out, const json_t *obj)
{
	check_autoscaler(out, json_object_get(obj, "spec"), 1);
}

/* One that can have no replicas keeps that. */
void
autoscaler_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *had = get(old, "spec", "minReplicas");

	check_autoscaler(out, json_object_get(obj, "spec"), had && num(had, 1) == 0 ? 0 : 1);
}
