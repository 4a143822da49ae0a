/* Metrics of autoscalers, flat and not: one table says what stands where. */
#include <string.h>

#include "api/convert_metrics.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "base/mem.h"

/* A part of a metric: what it is called in the flat form, and where it stands in version 2. */
struct part {
	const char *flat, *at, *below; /* below: a field of it, or NULL */
	enum {
		TEXT,
		INTEGER,
		QUANTITY,
		ALWAYS,
		REFERENCE,
		SELECTOR
	} sort; /* ALWAYS: a quantity
		 * that is never left
		 * out */
};
struct source {
	const char *name;
	struct part part[6];
};

/* clang-format off */
static const struct source wanted[] = {
	{ "object", { { "target", "describedObject", NULL, REFERENCE }, { "metricName", "metric", "name", TEXT },
		{ "targetValue", "target", "value", ALWAYS }, { "selector", "metric", "selector", SELECTOR },
		{ "averageValue", "target", "averageValue", QUANTITY } } },
	{ "pods", { { "metricName", "metric", "name", TEXT }, { "targetAverageValue", "target", "averageValue", ALWAYS },
		{ "selector", "metric", "selector", SELECTOR } } },
	{ "resource", { { "name", "name", NULL, TEXT },
		{ "targetAverageUtilization", "target", "averageUtilization", INTEGER },
		{ "targetAverageValue", "target", "averageValue", QUANTITY } } },
	{ "containerResource", { { "name", "name", NULL, TEXT },
		{ "targetAverageUtilization", "target", "averageUtilization", INTEGER },
		{ "targetAverageValue", "target", "averageValue", QUANTITY }, { "container", "container", NULL, TEXT } } },
	{ "external", { { "metricName", "metric", "name", TEXT }, { "metricSelector", "metric", "selector", SELECTOR },
		{ "targetValue", "target", "value", QUANTITY }, { "targetAverageValue", "target", "averageValue", QUANTITY } } },
	{ 0 },
};
static const struct source measured[] = {
	{ "object", { { "target", "describedObject", NULL, REFERENCE }, { "metricName", "metric", "name", TEXT },
		{ "currentValue", "current", "value", ALWAYS }, { "selector", "metric", "selector", SELECTOR },
		{ "averageValue", "current", "averageValue", QUANTITY } } },
	{ "pods", { { "metricName", "metric", "name", TEXT }, { "currentAverageValue", "current", "averageValue", ALWAYS },
		{ "selector", "metric", "selector", SELECTOR } } },
	{ "resource", { { "name", "name", NULL, TEXT },
		{ "currentAverageUtilization", "current", "averageUtilization", INTEGER },
		{ "currentAverageValue", "current", "averageValue", ALWAYS } } },
	{ "containerResource", { { "name", "name", NULL, TEXT },
		{ "currentAverageUtilization", "current", "averageUtilization", INTEGER },
		{ "currentAverageValue", "current", "averageValue", ALWAYS }, { "container", "container", NULL, TEXT } } },
	{ "external", { { "metricName", "metric", "name", TEXT }, { "metricSelector", "metric", "selector", SELECTOR },
		{ "currentValue", "current", "value", ALWAYS }, { "currentAverageValue", "current", "averageValue", QUANTITY } } },
	{ 0 },
};
/* clang-format on */

json_t *
members_in_order(const json_t *v, const char *const *names)
{
	json_t *ret = json_object(), *m;

	for (; *names; names++)
		if ((m = json_object_get(v, *names)))
			json_object_set(ret, *names, m);
	return ret;
}

static json_t *
flat_selector(const json_t *v)
{
	static const char *const order[] = { "matchLabels", "matchExpressions", NULL };
	static const char *const parts[] = { "key", "operator", "values", NULL };
	json_t *ret = members_in_order(v, order), *list = json_object_get(ret, "matchExpressions"),
	       *e;
	json_t *ordered = json_array();
	size_t i;

	json_array_foreach (list, i, e)
		json_array_append_new(ordered, members_in_order(e, parts));
	if (list)
		json_object_set(ret, "matchExpressions", ordered);
	json_decref(ordered);
	return ret;
}

static json_t *
flat_part(const struct part *p, const json_t *source)
{
	static const char *const reference[] = { "kind", "name", "apiVersion", NULL };
	json_t *v = json_object_get(source, p->at);

	if (p->below)
		v = json_object_get(v, p->below);
	if (p->sort == REFERENCE)
		return members_in_order(v, reference);
	if (p->sort == SELECTOR && v)
		return flat_selector(v);
	if (!v && p->sort == ALWAYS)
		return json_string("0");
	if (!v && p->sort == TEXT)
		return json_string("");
	return v ? json_incref(v) : NULL;
}

static json_t *
flat_metric(const struct source *sources, const json_t *metric)
{
	json_t *ret = json_pack("{s:s}", "type", text(metric, "type"));

	for (const struct source *s = sources; s->name; s++) {
		const json_t *source = json_object_get(metric, s->name);
		json_t *flat = source ? json_object() : NULL;

		for (const struct part *p = s->part; flat && p->flat; p++) {
			json_t *v = flat_part(p, source);

			if (v)
				json_object_set_new(flat, p->flat, v);
		}
		if (flat)
			json_object_set_new(ret, s->name, flat);
	}
	return ret;
}

/* Is it what Go would read into such a field?  A quantity is then in its one form. */
static bool
fits(const struct part *p, json_t **v)
{
	autofree char *canonical = NULL, *number = NULL;

	switch (p->sort) {
	case TEXT:
		return json_is_string(*v);
	case INTEGER:
		return json_is_integer(*v);
	case REFERENCE:
	case SELECTOR:
		return json_is_object(*v);
	default:
		number = json_is_number(*v) ? json_dumps(*v, JSON_ENCODE_ANY) : NULL;
		canonical = quantity_canonical(number ? number : str(*v, ""));
		if (!canonical)
			return false;
		json_decref(*v);
		*v = json_string(canonical);
		return true;
	}
}

static bool
read_part(const struct part *p, const json_t *flat, json_t *source)
{
	json_t *v = json_incref(json_object_get(flat, p->flat));

	if (json_is_null(v))
		v = NULL;
	if (!v && p->sort == ALWAYS)
		v = json_string("0");
	if (!v)
		return true;
	if (!fits(p, &v)) {
		json_decref(v);
		return false;
	}
	if (p->below)
		put(source, v, p->at, p->below);
	else
		json_object_set_new(source, p->at, v);
	return true;
}

/* What the flat form does not say: how a wanted value is compared. */
static const char *
target_type(const char *source, const json_t *target)
{
	bool average = json_object_get(target, "averageValue");

	if (strcmp(source, "object") == 0)
		return average ? "AverageValue" : "Value";
	if (strcmp(source, "external") == 0)
		return json_object_get(target, "value") ? "Value" : "AverageValue";
	return average || strcmp(source, "pods") == 0 ? "AverageValue" : "Utilization";
}

static json_t *
read_metric(const struct source *sources, const json_t *flat)
{
	json_t *ret = json_pack("{s:s}", "type", text(flat, "type")), *v;
	bool good = json_is_object(flat);

	for (const struct source *s = sources; s->name && good; s++) {
		json_t *source;

		if (!(v = json_object_get(flat, s->name)) || json_is_null(v))
			continue;
		source = json_object();
		good = json_is_object(v);
		for (const struct part *p = s->part; p->flat && good; p++)
			good = read_part(p, v, source);
		if (sources == wanted)
			put(source,
			    json_string(target_type(s->name, json_object_get(source, "target"))),
			    "target", "type");
		json_object_set_new(ret, s->name, source);
	}
	if (good)
		return ret;
	json_decref(ret);
	return NULL;
}

bool
metric_is_cpu(const json_t *metric)
{
	return strcmp(text(metric, "type"), "Resource") == 0 &&
	       strcmp(text(metric, "resource", "name"), "cpu") == 0;
}

json_t *
metrics_flat(enum metrics which, const json_t *metrics)
{
	json_t *ret = json_array(), *m;
	size_t i;

	json_array_foreach (metrics, i, m)
		if (which == METRICS_MEASURED || !metric_is_cpu(m) ||
		    !get(m, "resource", "target", "averageUtilization"))
			json_array_append_new(
			    ret, flat_metric(which == METRICS_WANTED ? wanted : measured, m));
	return ret;
}

json_t *
metrics_read(enum metrics which, const json_t *list)
{
	json_t *ret = json_array(), *flat, *one;
	size_t i;

	json_array_foreach (list, i, flat) {
		if (!(one = read_metric(which == METRICS_WANTED ? wanted : measured, flat))) {
			json_decref(ret);
			return NULL;
		}
		json_array_append_new(ret, one);
	}
	if (json_array_size(ret))
		return ret;
	json_decref(ret);
	return NULL;
}
