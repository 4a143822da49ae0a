/*
 * HorizontalPodAutoscalers as autoscaling/v1 shows them: it knows one metric, the use of CPU time.
 * All other metrics, their values, the behavior and the conditions are texts in annotations, in a
 * form of their own: metrics flat, behavior with the names of Kubernetes' own Go fields.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "api/convert_metrics.h"
#include "api/meta.h"
#include "api/typed.h"
#include "base/mem.h"

static const char metrics_key[] = "autoscaling.alpha.kubernetes.io/metrics";
static const char behavior_key[] = "autoscaling.alpha.kubernetes.io/behavior";
static const char values_key[] = "autoscaling.alpha.kubernetes.io/current-metrics";
static const char conditions_key[] = "autoscaling.alpha.kubernetes.io/conditions";

/* --- texts in annotations --- */

/* As Go's encoder writes it: <, > and & escaped. */
static json_t *
text_of(const json_t *v)
{
	autofree char *plain = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	autobuf struct buf b = BUF_INIT;

	for (const char *p = plain ? plain : ""; *p; p++)
		if (strchr("<>&", *p))
			buf_printf(&b, "\\u%04x", (unsigned)*p);
		else
			buf_putc(&b, *p);
	return json_string(b.data);
}

static void
annotate(json_t *obj, const char *key, json_t *v)
{
	put(obj, text_of(v), "metadata", "annotations", key);
	json_decref(v);
}

static json_t *
annotation(const json_t *obj, const char *key)
{
	return json_loads(text(obj, "metadata", "annotations", key), JSON_DECODE_ANY, NULL);
}

void
autoscaler_settle(json_t *obj)
{
	static const char *const keys[] = { metrics_key, behavior_key, values_key, conditions_key };
	json_t *meta = json_object_get(obj, "metadata");
	json_t *annotations = json_object_get(meta, "annotations");

	for (size_t i = 0; i < COUNT(keys); i++)
		json_object_del(annotations, keys[i]);
	if (annotations && json_object_size(annotations) == 0)
		json_object_del(meta, "annotations");
}

/* The metrics in an annotation; NULL when it holds none, or nothing of use. */
static json_t *
read_metrics(enum metrics which, const json_t *obj, const char *key)
{
	json_auto_t *list = annotation(obj, key);

	return metrics_read(which, list);
}

/* --- behavior: {"ScaleUp":{"StabilizationWindowSeconds":0,...},"ScaleDown":null} --- */

static const char *const directions[] = { "scaleUp", "scaleDown", NULL };
static const char *const rules[] = { "stabilizationWindowSeconds", "selectPolicy", "policies",
	"tolerance", NULL };
static const char *const policy[] = { "type", "value", "periodSeconds", NULL };

/* The names below `names`: of a direction its rules, of the policies their parts. */
static const char *const *
names_below(const char *const *names)
{
	return names == directions ? rules : names == rules ? policy : NULL;
}

static json_t *
go_value(const json_t *v, const char *const *names)
{
	json_t *ret, *item;
	size_t i;

	if (json_is_array(v)) {
		ret = json_array();
		json_array_foreach (v, i, item)
			json_array_append_new(ret, go_value(item, names));
		return ret;
	}
	if (!json_is_object(v))
		return v ? json_incref((json_t *)v) : json_null();
	ret = json_object();
	for (const char *const *n = names; *n; n++) {
		autofree char *name = xstrdup(*n);

		*name = (char)toupper((unsigned char)*name);
		json_object_set_new(
		    ret, name, go_value(json_object_get(v, *n), names_below(names)));
	}
	return ret;
}

/* Go reads names in any case; what it does not know it drops. */
static json_t *
from_go(const json_t *v, const char *const *names)
{
	json_t *ret, *item;
	const char *key;
	size_t i;

	if (json_is_array(v)) {
		ret = json_array();
		json_array_foreach (v, i, item)
			json_array_append_new(ret, from_go(item, names));
		return ret;
	}
	if (!json_is_object(v))
		return json_incref((json_t *)v);
	ret = json_object();
	json_object_foreach ((json_t *)v, key, item)
		for (const char *const *n = names; n && *n; n++)
			if (strcasecmp(*n, key) == 0 && !json_is_null(item))
				json_object_set_new(ret, *n, from_go(item, names_below(names)));
	return ret;
}

/* NULL for what is none. */
static json_t *
read_behavior(const json_t *obj)
{
	json_auto_t *v = annotation(obj, behavior_key);
	autobuf struct buf why = BUF_INIT;
	json_t *ret = json_is_object(v) ? from_go(v, directions) : NULL;

	if (ret && json_object_size(ret) > 0 &&
	    typed_check(type_find("autoscaling.v2.HorizontalPodAutoscalerBehavior"), ret, &why))
		return ret;
	json_decref(ret);
	return NULL;
}

/* --- conditions --- */

static json_t *
flat_conditions(const json_t *conditions)
{
	static const char *const order[] = { "type", "status", "lastTransitionTime", "reason",
		"message", NULL };
	json_t *ret = json_array(), *c;
	size_t i;

	json_array_foreach (conditions, i, c) {
		json_t *one = members_in_order(c, order);

		if (!json_object_get(one, "lastTransitionTime"))
			json_object_set_new(one, "lastTransitionTime", json_null());
		json_array_append_new(ret, one);
	}
	return ret;
}

static json_t *
read_conditions(const json_t *obj)
{
	json_t *list = annotation(obj, conditions_key), *c;
	autobuf struct buf why = BUF_INIT;
	bool good = json_array_size(list) > 0;
	size_t i;

	json_array_foreach (list, i, c) {
		if (json_is_null(json_object_get(c, "lastTransitionTime")))
			json_object_del(c, "lastTransitionTime");
		good = good && json_is_object(c) &&
		       typed_check(
			   type_find("autoscaling.v2.HorizontalPodAutoscalerCondition"), c, &why);
	}
	if (good)
		return list;
	json_decref(list);
	return NULL;
}

/* --- the whole --- */

/* The utilization in the first cpu metric, borrowed. */
static json_t *
cpu_of(const json_t *metrics, const char *where)
{
	json_t *m;
	size_t i;

	json_array_foreach (metrics, i, m)
		if (metric_is_cpu(m))
			return get(m, "resource", where, "averageUtilization");
	return NULL;
}

/* A list into an annotation (taken), unless it is empty. */
static void
annotate_list(json_t *obj, const char *key, json_t *list)
{
	if (json_array_size(list) > 0)
		annotate(obj, key, list);
	else
		json_decref(list);
}

void
autoscaler_to_v1(json_t *obj)
{
	json_t *spec = json_object_get(obj, "spec"), *status = json_object_get(obj, "status");
	json_t *metrics = json_object_get(spec, "metrics"), *behavior, *cpu;
	json_t *values = json_object_get(status, "currentMetrics");

	autoscaler_settle(obj);
	annotate_list(obj, metrics_key, metrics_flat(METRICS_WANTED, metrics));
	annotate_list(obj, values_key, metrics_flat(METRICS_MEASURED, values));
	annotate_list(obj, conditions_key, flat_conditions(json_object_get(status, "conditions")));
	if ((behavior = json_object_get(spec, "behavior")))
		annotate(obj, behavior_key, go_value(behavior, directions));
	if ((cpu = cpu_of(metrics, "target")))
		json_object_set(spec, "targetCPUUtilizationPercentage", cpu);
	if ((cpu = cpu_of(values, "current")))
		json_object_set(status, "currentCPUUtilizationPercentage", cpu);
	json_object_del(spec, "metrics");
	json_object_del(spec, "behavior");
	json_object_del(status, "currentMetrics");
	json_object_del(status, "conditions");
}

/* A cpu metric with this utilization (a reference is taken). */
static json_t *
cpu_metric(const char *where, json_t *utilization)
{
	json_t *m =
	    json_pack("{s:s,s:{s:s,s:{}}}", "type", "Resource", "resource", "name", "cpu", where);

	if (strcmp(where, "target") == 0)
		put(m, json_string("Utilization"), "resource", where, "type");
	put(m, json_incref(utilization), "resource", where, "averageUtilization");
	return m;
}

/* The metrics of the annotation, then the one that has a field; all that there is nothing of: 80%
 * of the cpu time. */
static json_t *
all_metrics(const json_t *obj, json_t *cpu)
{
	json_auto_t *usual = json_integer(80);
	json_t *list = read_metrics(METRICS_WANTED, obj, metrics_key);

	if (!list)
		list = json_array();
	if (cpu)
		json_array_append_new(list, cpu_metric("target", cpu));
	if (json_array_size(list) == 0)
		json_array_append_new(list, cpu_metric("target", usual));
	return list;
}

void
autoscaler_from_v1(json_t *obj)
{
	json_t *spec = json_object_get(obj, "spec"), *status = json_object_get(obj, "status"), *v;
	json_t *cpu = json_object_get(status, "currentCPUUtilizationPercentage");

	if (spec)
		json_object_set_new(spec, "metrics",
		    all_metrics(obj, json_object_get(spec, "targetCPUUtilizationPercentage")));
	if (spec && (v = read_behavior(obj)))
		json_object_set_new(spec, "behavior", v);
	if ((v = read_metrics(METRICS_MEASURED, obj, values_key)))
		put(obj, v, "status", "currentMetrics");
	else if (cpu)
		put(obj, json_pack("[o]", cpu_metric("current", cpu)), "status", "currentMetrics");
	if ((v = read_conditions(obj)))
		put(obj, v, "status", "conditions");
	json_object_del(spec, "targetCPUUtilizationPercentage");
	json_object_del(status, "currentCPUUtilizationPercentage");
	/* zero is nothing in version 2 */
	if (num(json_object_get(status, "currentReplicas"), 0) == 0)
		json_object_del(status, "currentReplicas");
	autoscaler_settle(obj);
}

void
autoscaler_keep(const json_t *old, json_t *obj, bool status)
{
	static const char *const of_spec[] = { metrics_key, behavior_key };
	static const char *const of_status[] = { values_key, conditions_key };
	const char *const *keys = status ? of_spec : of_status;

	for (size_t i = 0; i < 2; i++) {
		json_t *v = get(old, "metadata", "annotations", keys[i]);

		if (v)
			put(obj, json_incref(v), "metadata", "annotations", keys[i]);
		else
			json_object_del(get(obj, "metadata", "annotations"), keys[i]);
	}
}
