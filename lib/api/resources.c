/* Sums and comparisons of resource lists. */
#include "api/resources.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "base/mem.h"

struct amount {
	int64_t milli;
	enum quantity_format format;
};

static struct amount
amount_of(const json_t *v)
{
	struct amount a = { 0, QUANTITY_DECIMAL };
	struct err err;

	if (json_is_string(v) &&
	    quantity_parse(json_string_value(v), &a.milli, &a.format, &err) == 0)
		return a;
	return (struct amount){ quantity_milli(v), QUANTITY_DECIMAL };
}

static void
set(json_t *list, const char *name, struct amount a)
{
	autofree char *text = quantity_print_milli(a.milli, a.format);

	json_object_set_new(list, name, json_string(text));
}

/* Zero has no form of its own: a sum looks like the first amount that is something. */
static struct amount
plus(struct amount a, struct amount b)
{
	int64_t sum;

	if (__builtin_add_overflow(a.milli, b.milli, &sum))
		sum = a.milli > 0 ? INT64_MAX : INT64_MIN;
	return (struct amount){ sum, a.milli == 0 ? b.format : a.format };
}

void
resources_add(json_t *sum, const json_t *more)
{
	const char *name;
	json_t *v;

	json_object_foreach ((json_t *)more, name, v) {
		json_t *own = json_object_get(sum, name);

		set(sum, name, own ? plus(amount_of(own), amount_of(v)) : amount_of(v));
	}
}

void
resources_subtract(json_t *sum, const json_t *less)
{
	const char *name;
	json_t *v;

	json_object_foreach ((json_t *)less, name, v) {
		struct amount a = amount_of(v);

		a.milli = -a.milli;
		set(sum, name, plus(amount_of(json_object_get(sum, name)), a));
	}
}

void
resources_raise(json_t *most, const json_t *other)
{
	const char *name;
	json_t *v;

	json_object_foreach ((json_t *)other, name, v) {
		json_t *own = json_object_get(most, name);

		if (!own || quantity_milli(v) > quantity_milli(own))
			json_object_set(most, name, v);
	}
}

void
resources_count(json_t *sum, const char *name, int64_t n)
{
	struct amount more = { n * 1000, QUANTITY_DECIMAL };

	set(sum, name, plus(amount_of(json_object_get(sum, name)), more));
}

bool
resources_same(const json_t *a, const json_t *b)
{
	const char *name;
	json_t *v;

	if (json_object_size(a) != json_object_size(b))
		return false;
	json_object_foreach ((json_t *)a, name, v)
		if (!json_object_get(b, name) ||
		    quantity_milli(v) != quantity_milli(json_object_get(b, name)))
			return false;
	return true;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **
resources_names(const json_t *list)
{
	const char **names = xcalloc(json_object_size(list) + 1, sizeof *names), *name;
	size_t n = 0;
	json_t *v;

	json_object_foreach ((json_t *)list, name, v)
		names[n++] = name;
	qsort(names, n, sizeof *names, by_text);
	return names;
}

void
resources_print(const json_t *list, struct buf *out)
{
	autofree const char **names = resources_names(list);

	for (size_t i = 0; names[i]; i++)
		buf_printf(out, "%s%s=%s", i ? "," : "", names[i],
		    str(json_object_get(list, names[i]), "0"));
}

/* --- Pods --------------------------------------------------------------------- */

json_t *
containers_resources(const json_t *pod, const char *which)
{
	json_t *all = json_object(), *c;
	json_auto_t *sidecars = json_object(), *peak = json_object();
	size_t i;

	json_array_foreach (get(pod, "spec", "containers"), i, c)
		resources_add(all, get(c, "resources", which));
	json_array_foreach (get(pod, "spec", "initContainers"), i, c) {
		json_auto_t *now = NULL;

		if (strcmp(text(c, "restartPolicy"), "Always") == 0) {
			resources_add(all, get(c, "resources", which));
			resources_add(sidecars, get(c, "resources", which));
			now = json_copy(sidecars);
		} else {
			now = json_object();
			resources_add(now, get(c, "resources", which));
			resources_add(now, sidecars);
		}
		resources_raise(peak, now);
	}
	resources_raise(all, peak);
	return all;
}

/* Only these can be said of a Pod as a whole. */
static bool
pod_level(const char *name)
{
	return strcmp(name, "cpu") == 0 || strcmp(name, "memory") == 0 ||
	       strncmp(name, "hugepages-", 10) == 0;
}

json_t *
pod_resources(const json_t *pod, const char *which, bool overhead)
{
	json_t *all = containers_resources(pod, which), *v;
	bool limits = strcmp(which, "limits") == 0;
	json_auto_t *more = json_object();
	const char *name;

	json_object_foreach (get(pod, "spec", "resources", which), name, v)
		if (pod_level(name))
			json_object_set(all, name, v);
	json_object_foreach (get(pod, "spec", "overhead"), name, v)
		if (!limits || quantity_milli(json_object_get(all, name)) != 0)
			json_object_set(more, name, v);
	if (overhead)
		resources_add(all, more);
	return all;
}

/* --- Pods whose resources change ---------------------------------------------- */

static bool
infeasible(const json_t *pod)
{
	const json_t *c = condition_find(pod, "PodResizePending");

	return strcmp(text(c, "reason"), "Infeasible") == 0;
}

/* What counts of a container, or of the Pod itself, by its status; NULL: what it asks for. New. */
static json_t *
held(const json_t *spec, const json_t *status, bool never)
{
	json_t *now = get(spec, "resources"), *has = get(status, "resources");
	json_t *most = json_object(), *requests, *limits;

	if (!has) { /* its node does not say */
		json_decref(most);
		return NULL;
	}
	requests = json_object();
	limits = json_object();
	if (!never) {
		resources_raise(requests, get(now, "requests"));
		resources_raise(limits, get(now, "limits"));
	}
	resources_raise(requests, get(has, "requests"));
	resources_raise(requests, get(status, "allocatedResources"));
	resources_raise(limits, get(has, "limits"));
	json_object_set_new(most, "requests", requests);
	json_object_set_new(most, "limits", limits);
	if (!resources_same(requests, get(now, "requests")) ||
	    !resources_same(limits, get(now, "limits")))
		return most;
	json_decref(most);
	return NULL;
}

static void
hold_list(const json_t *pod, const char *list, const char *statuses, bool never, json_t **ret)
{
	const json_t *has = get(pod, "status", statuses);
	json_t *c, *s, *most;
	size_t i, k;

	json_array_foreach (get(pod, "spec", list), i, c) {
		if (strcmp(list, "initContainers") == 0 &&
		    strcmp(text(c, "restartPolicy"), "Always") != 0)
			continue;
		json_array_foreach (has, k, s) {
			if (strcmp(text(s, "name"), text(c, "name")) != 0 ||
			    !(most = held(c, s, never)))
				continue;
			if (!*ret)
				*ret = json_deep_copy(pod);
			json_object_set_new(
			    json_array_get(get(*ret, "spec", list), i), "resources", most);
		}
	}
}

json_t *
pod_held(const json_t *pod)
{
	bool never = infeasible(pod);
	json_t *ret = NULL, *most;

	hold_list(pod, "containers", "containerStatuses", never, &ret);
	hold_list(pod, "initContainers", "initContainerStatuses", never, &ret);
	if (get(pod, "spec", "resources") &&
	    (most = held(get(pod, "spec"), get(pod, "status"), never))) {
		if (!ret)
			ret = json_deep_copy(pod);
		json_object_set_new(get(ret, "spec"), "resources", most);
	}
	return ret ? ret : json_incref((json_t *)pod);
}
