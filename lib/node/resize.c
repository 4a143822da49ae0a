#include "node/resize.h"

#include <string.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "api/resources.h"
#include "base/mem.h"
#include "node/qos.h"
#include "node/spec.h"

static const char *const lists[] = { "containers", "initContainers" };

/* --- what is asked for and what is allocated -------------------------------------------------- */

static bool
same(const json_t *a, const json_t *b)
{
	return resources_same(get(a, "requests"), get(b, "requests")) &&
	       resources_same(get(a, "limits"), get(b, "limits"));
}

/* Init containers that end are not: they run with what the pod was made with. */
static bool
resizable(const char *list, const json_t *container)
{
	return strcmp(list, "containers") == 0 ||
	       strcmp(text(container, "restartPolicy"), "Always") == 0;
}

static void
set_resources(json_t *obj, const json_t *from)
{
	json_t *resources = get(from, "resources");

	if (resources)
		json_object_set(obj, "resources", resources);
	else
		json_object_del(obj, "resources");
}

json_t *
resize_allocated(json_t *given, const json_t *held)
{
	json_t *ret = NULL, *c;
	size_t i;

	if (!same(get(given, "spec", "resources"), get(held, "spec", "resources"))) {
		ret = json_deep_copy(given);
		set_resources(get(ret, "spec"), get(held, "spec"));
	}
	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(held, "spec", lists[k]), i, c) {
			const json_t *now = json_array_get(get(given, "spec", lists[k]), i);

			if (!resizable(lists[k], c) ||
			    same(get(now, "resources"), get(c, "resources")))
				continue;
			if (!ret)
				ret = json_deep_copy(given);
			set_resources(json_array_get(get(ret, "spec", lists[k]), i), c);
		}
	return ret ? ret : json_incref(given);
}

/* --- what is allocated and what is actuated --------------------------------------------------- */

json_t *
resize_effective(const json_t *pod, const json_t *container)
{
	static const char *const names[] = { "cpu", "memory" };
	json_t *own = get(container, "resources");
	json_t *ret = own ? json_deep_copy(own) : json_object();

	for (size_t i = 0; i < COUNT(names); i++) {
		json_t *limit = container_limit(pod, container, names[i]);

		if (limit)
			put(ret, json_incref(limit), "limits", names[i]);
	}
	return ret;
}

static bool
differs(const struct pod *p, const struct container *c, const char *resource)
{
	return quantity_milli(get(c->actuated, "requests", resource)) !=
		   quantity_milli(get(c->spec, "resources", "requests", resource)) ||
	       quantity_milli(get(c->actuated, "limits", resource)) !=
		   quantity_milli(container_limit(p->object, c->spec, resource));
}

bool
resize_outdated(const struct pod *p, const struct container *c)
{
	return c->state == RUNNING && c->actuated && (c->kind == APP || c->kind == SIDECAR) &&
	       (differs(p, c, "cpu") || differs(p, c, "memory"));
}

bool
resize_begins_again(const struct pod *p, const struct container *c)
{
	json_t *policy;
	size_t i;

	if (!resize_outdated(p, c))
		return false;
	json_array_foreach (get(c->spec, "resizePolicy"), i, policy)
		if (strcmp(text(policy, "restartPolicy"), "RestartContainer") == 0 &&
		    differs(p, c, text(policy, "resourceName")))
			return true;
	return false;
}

static int64_t
most(int64_t a, int64_t b)
{
	return a == 0 || b == 0 ? 0 : a > b ? a : b;
}

struct cgroup_limits
resize_most(struct cgroup_limits a, struct cgroup_limits b)
{
	return (struct cgroup_limits){ .shares = a.shares > b.shares ? a.shares : b.shares,
		.quota = most(a.quota, b.quota),
		.memory = most(a.memory, b.memory) };
}

struct cgroup_limits
resize_goal(const struct pod *p)
{
	struct cgroup_limits now = qos_limits(p->object);

	for (size_t i = 0; i < p->n; i++)
		if (resize_begins_again(p, &p->c[i]))
			return resize_most(p->resize.group, now);
	return now;
}

static bool
equal(struct cgroup_limits a, struct cgroup_limits b)
{
	return a.shares == b.shares && a.quota == b.quota && a.memory == b.memory;
}

bool
resize_missing(const struct pod *p)
{
	if (p->sandbox != SANDBOX)
		return false;
	for (size_t i = 0; i < p->n; i++)
		if (resize_outdated(p, &p->c[i]) || p->c[i].renewing)
			return true;
	return !equal(p->resize.group, qos_limits(p->object));
}

enum step
resize_next(const struct pod *p, double now, size_t *which, double *wake)
{
	bool wanting = !equal(p->resize.group, resize_goal(p));

	for (size_t i = 0; i < p->n; i++) {
		const struct container *c = &p->c[i];
		bool again = resize_begins_again(p, c);

		/* one that was asked to by the node before this one has it said once more */
		if (!c->term_sent && (again || (c->renewing && c->state == RUNNING))) {
			*which = i;
			return STEP_AGAIN;
		}
		wanting = wanting || (!again && resize_outdated(p, c));
	}
	if (!wanting)
		return STEP_NONE;
	if (p->resize.again <= now)
		return STEP_RESIZE;
	if (p->resize.again < *wake)
		*wake = p->resize.again;
	return STEP_NONE;
}

/* --- the record ------------------------------------------------------------------------------- */

void
resize_born(const struct pod *p, struct container *c)
{
	json_decref(c->actuated);
	c->actuated = resize_effective(p->object, c->spec);
}

json_t *
resize_save(const struct resize *r)
{
	return json_pack("{s:s?, s:s?, s:I, s:b, s:I, s:s?, s:[I, I, I]}", "pending", r->pending,
	    "why", r->why, "pendingOf", r->pending_of, "going", r->going, "goingOf", r->going_of,
	    "error", r->error, "group", (json_int_t)r->group.shares, (json_int_t)r->group.quota,
	    (json_int_t)r->group.memory);
}

static char *
copied(const json_t *v)
{
	return json_is_string(v) ? xstrdup(json_string_value(v)) : NULL;
}

void
resize_load(struct resize *r, const json_t *record)
{
	const char *pending = text(record, "pending");
	const json_t *group = get(record, "group");

	if (!record) /* of a node that did not resize */
		return;
	r->pending = !*pending ? NULL : *pending == 'D' ? "Deferred" : "Infeasible";
	r->why = copied(get(record, "why"));
	r->pending_of = num(get(record, "pendingOf"), 0);
	r->going = truth(get(record, "going"));
	r->going_of = num(get(record, "goingOf"), 0);
	r->error = copied(get(record, "error"));
	r->group = (struct cgroup_limits){ .shares = num(json_array_get(group, 0), 0),
		.quota = num(json_array_get(group, 1), 0),
		.memory = num(json_array_get(group, 2), 0) };
}
