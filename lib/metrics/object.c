/* NodeMetrics and PodMetrics. */
#include "metrics/object.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "base/mem.h"
#include "base/time.h"

/* As Go prints a Duration: "15.012s", "1m0s", "800ms". */
static char *
print_window(int64_t ms)
{
	int64_t s = ms / 1000, rest = ms % 1000;
	char fraction[8] = "";
	char *end;

	if (ms < 1000)
		return xasprintf("%lldms", (long long)ms);
	if (rest) {
		snprintf(fraction, sizeof fraction, ".%03d", (int)rest);
		for (end = fraction + 3; *end == '0'; end--)
			*end = '\0';
	}
	if (s < 60)
		return xasprintf("%lld%ss", (long long)s, fraction);
	if (s < 3600)
		return xasprintf("%lldm%lld%ss", (long long)s / 60, (long long)s % 60, fraction);
	return xasprintf("%lldh%lldm%lld%ss", (long long)s / 3600, (long long)s / 60 % 60,
	    (long long)s % 60, fraction);
}

static void
put_quantity(json_t *obj, const char *name, char *quantity)
{
	json_object_set_new(obj, name, json_string(quantity));
	free(quantity);
}

static json_t *
usage_of(const struct used *u)
{
	json_t *usage = json_object();

	put_quantity(usage, "cpu", decimal_print_number((int64_t)u->cpu, -9, QUANTITY_DECIMAL));
	put_quantity(usage, "memory", decimal_print_number((int64_t)u->memory, 0, QUANTITY_BINARY));
	if (u->swap >= 0)
		put_quantity(usage, "swap", decimal_print_number(u->swap, 0, QUANTITY_BINARY));
	return usage;
}

static json_t *
object(const char *kind, const json_t *meta, const struct used *u, int64_t now)
{
	char created[TIME_TEXT], at[TIME_TEXT];
	autofree char *window = print_window(u->window);
	json_t *labels = json_object_get(meta, "labels"), *m, *obj;

	m = json_pack("{s:s, s:s}", "name", text(meta, "name"), "creationTimestamp",
	    time_print(now, created));
	if (*text(meta, "namespace"))
		json_object_set(m, "namespace", json_object_get(meta, "namespace"));
	if (json_object_size(labels) > 0)
		json_object_set(m, "labels", labels);
	obj = json_pack("{s:s, s:s, s:o, s:s, s:s}", "kind", kind, "apiVersion",
	    METRICS_GROUP "/" METRICS_VERSION, "metadata", m, "timestamp",
	    time_print(u->at / 1000, at), "window", window);
	return obj;
}

json_t *
metrics_of_node(const struct figures *f, const json_t *meta, int64_t now)
{
	struct used u;
	json_t *obj;

	if (!point_used(&f->node, &u))
		return NULL;
	obj = object("NodeMetrics", meta, &u, now);
	json_object_set_new(obj, "usage", usage_of(&u));
	return obj;
}

json_t *
metrics_of_pod(const struct entry *e, size_t n, const json_t *meta, int64_t now)
{
	json_t *containers = json_array(), *obj;
	struct used first = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct used u;

		if (!point_used(&e[i].point, &u)) {
			json_decref(containers);
			return NULL;
		}
		if (i == 0 || u.at < first.at)
			first = u;
		json_array_append_new(containers,
		    json_pack("{s:s, s:o}", "name", e[i].container, "usage", usage_of(&u)));
	}
	obj = object("PodMetrics", meta, &first, now);
	json_object_set_new(obj, "containers", containers);
	return obj;
}

/* --- tables -------------------------------------------------------------------------------- */

static const struct resource {
	const char *name;
	long exponent; /* of the unit it is summed up in */
	enum quantity_format format;
} resources[] = {
	/* swap is the last: it may be left out */
	{ "cpu", -9, QUANTITY_DECIMAL },
	{ "memory", 0, QUANTITY_BINARY },
	{ "swap", 0, QUANTITY_BINARY },
};

static void
add_column(json_t *columns, const char *name, const char *format, const char *description)
{
	json_array_append_new(
	    columns, json_pack("{s:s, s:s, s:s, s:s, s:i}", "name", name, "type", "string",
			 "format", format, "description", description, "priority", 0));
}

static void
add_usage(struct decimal *sum, const json_t *usage, const char *resource)
{
	struct decimal one = { 0 }, both = { 0 };
	struct err ignored;

	if (decimal_parse(&one, text(usage, resource), &ignored) == 0 &&
	    decimal_add(&both, sum, &one) == 0) {
		both.format = one.format;
		free(sum->digits);
		*sum = both;
	}
	free(one.digits);
}

/* What a node uses, or all containers of a pod together. */
static json_t *
cell(const json_t *item, const struct resource *r)
{
	struct decimal sum = { 0 };
	autofree char *shown = NULL;
	const json_t *c;
	size_t i;

	decimal_of(&sum, 0);
	sum.format = r->format;
	add_usage(&sum, get(item, "usage"), r->name);
	json_array_foreach (get(item, "containers"), i, c)
		add_usage(&sum, get(c, "usage"), r->name);
	shown = decimal_print(&sum);
	free(sum.digits);
	return json_string(shown);
}

json_t *
metrics_row(const json_t *item, bool swap, const char *include)
{
	json_t *cells = json_pack("[s]", meta_name(item)), *r;

	for (size_t i = 0; i < COUNT(resources) - !swap; i++)
		json_array_append_new(cells, cell(item, &resources[i]));
	json_array_append(cells, json_object_get(item, "window"));
	r = json_pack("{s:o}", "cells", cells);
	if (strcmp(include, "Object") == 0)
		json_object_set(r, "object", (json_t *)item);
	else if (strcmp(include, "None") != 0)
		json_object_set_new(r, "object",
		    json_pack("{s:s, s:s, s:O}", "kind", "PartialObjectMetadata", "apiVersion",
			"meta.k8s.io/v1", "metadata", json_object_get(item, "metadata")));
	return r;
}

json_t *
metrics_columns(bool swap)
{
	json_t *columns = json_array();

	add_column(columns, "Name", "name", "Name of the resource");
	for (size_t i = 0; i < COUNT(resources) - !swap; i++)
		add_column(columns, resources[i].name, "quantity", "");
	add_column(columns, "Window", "duration", "");
	return columns;
}

bool
figures_swap(const struct figures *f)
{
	bool any = f->node.swap >= 0;

	for (size_t i = 0; i < f->n; i++)
		any = any || f->entry[i].point.swap >= 0;
	return any;
}
