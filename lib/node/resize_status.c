/* What a pod's status says of its resources, and of their change. */
#include <string.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "api/resources.h"
#include "base/mem.h"
#include "node/container.h"
#include "node/qos.h"
#include "node/resize.h"

static const char pending[] = "PodResizePending", going[] = "PodResizeInProgress";

bool
resize_condition(const char *type)
{
	return strcmp(type, pending) == 0 || strcmp(type, going) == 0;
}

/* They are there while they hold, and "True". */
static void
add(const struct pod *p, json_t *list, const char *type, const char *reason, const char *message,
    json_int_t generation, const char *now)
{
	const char *since = now;
	json_t *one, *was;
	size_t i;

	json_array_foreach (get(p->status, "conditions"), i, was)
		if (strcmp(text(was, "type"), type) == 0)
			since = text(was, "lastTransitionTime");
	one = json_pack("{s:s, s:s, s:n, s:s}", "type", type, "status", "True", "lastProbeTime",
	    "lastTransitionTime", since);
	if (reason)
		json_object_set_new(one, "reason", json_string(reason));
	if (message)
		json_object_set_new(one, "message", json_string(message));
	if (generation > 0)
		json_object_set_new(one, "observedGeneration", json_integer(generation));
	json_array_append_new(list, one);
}

void
resize_conditions(const struct pod *p, json_t *list, const char *now)
{
	const struct resize *r = &p->resize;

	if (r->pending)
		add(p, list, pending, r->pending, r->why, r->pending_of, now);
	if (r->going)
		add(p, list, going, r->error ? "Error" : NULL, r->error, r->going_of, now);
}

/* An amount that the cgroup has in place of what it was told; that one, when it is as it was told.
 */
static void
show(json_t *resources, const char *which, const char *name, const json_t *told, bool as_told,
    int64_t milli)
{
	json_t *group = get(resources, which);
	autofree char *text = NULL;

	if (as_told && told) {
		json_object_set(group, name, (json_t *)told);
		return;
	}
	if (as_told || milli <= 0) { /* it has none */
		json_object_del(group, name);
		return;
	}
	text = quantity_print_milli(
	    milli, strcmp(name, "cpu") == 0 ? QUANTITY_DECIMAL : QUANTITY_BINARY);
	put(resources, json_string(text), which, name);
}

/* What it only has of its pod is not said of it. */
static bool
own_limit(const struct pod *p, const struct container *c, const char *resource)
{
	return get(c->spec, "resources", "limits", resource) ||
	       !get(p->object, "spec", "resources", "limits", resource);
}

static void
show_cpu(const struct pod *p, const struct container *c, const char *group, json_t *resources)
{
	const struct cgroups *g = &p->host->cgroups;
	const json_t *limit = get(c->actuated, "limits", "cpu");
	const json_t *request = get(c->actuated, "requests", "cpu");
	int64_t told = quantity_milli(limit), asked = quantity_milli(request), has;

	told = told <= 0 ? -1 : told > INT64_MAX / 100 ? INT64_MAX : told < 10 ? 1000 : told * 100;
	if (!cgroup_number(g, group, "cpu", "cpu.cfs_quota_us", "cpu.max", &has))
		has = told;
	if (own_limit(p, c, "cpu"))
		show(resources, "limits", "cpu", limit, has == told, has / 100);
	/* A weight of v2 is too coarse to be told from: it stays as it was told. */
	if (g->v2 || !cgroup_number(g, group, "cpu", "cpu.shares", "cpu.shares", &has))
		has = qos_shares(asked);
	show(resources, "requests", "cpu", request, has == qos_shares(asked),
	    (has * 1000 + 1023) / 1024);
}

static void
show_memory(const struct pod *p, const struct container *c, const char *group, json_t *resources)
{
	const json_t *limit = get(c->actuated, "limits", "memory");
	const json_t *request = get(c->actuated, "requests", "memory");
	int64_t told = quantity_value(limit), has, page = 4096;
	bool as_told;

	told = told <= 0 ? -1 : told;
	if (!cgroup_number(
		&p->host->cgroups, group, "memory", "memory.limit_in_bytes", "memory.max", &has))
		has = told;
	/* v1 has a very large number for no limit; both round to whole pages */
	as_told = told < 0 ? has < 0 || has > INT64_MAX / 2 : has / page == told / page;
	if (own_limit(p, c, "memory"))
		show(resources, "limits", "memory", limit, as_told,
		    has > INT64_MAX / 1000 ? 0 : has * 1000);
	show(resources, "requests", "memory", request, true, 0);
}

void
resize_shown(const struct pod *p, const struct container *c, json_t *status)
{
	json_t *spec = get(c->spec, "resources");
	json_t *resources = spec ? json_deep_copy(spec) : json_object();
	autofree char *group = NULL;

	if (json_object_size(get(spec, "requests")))
		json_object_set(status, "allocatedResources", get(spec, "requests"));
	if (c->state == RUNNING && c->actuated) {
		group = container_cgroup(p->host, p->uid, c->name, c->attempt);
		show_cpu(p, c, group, resources);
		show_memory(p, c, group, resources);
	}
	json_object_set_new(status, "resources", resources);
}

/* Its group may have been told less, or more, so far. */
static void
show_group(const struct pod *p, json_t *resources)
{
	struct cgroup_limits has = p->resize.group, told = qos_limits(p->object);
	json_t *limits = get(resources, "limits"), *requests = get(resources, "requests");

	if (json_object_get(limits, "cpu"))
		show(resources, "limits", "cpu", json_object_get(limits, "cpu"),
		    has.quota == told.quota, has.quota / 100);
	if (json_object_get(limits, "memory"))
		show(resources, "limits", "memory", json_object_get(limits, "memory"),
		    has.memory == told.memory, has.memory * 1000);
	if (json_object_get(requests, "cpu"))
		show(resources, "requests", "cpu", json_object_get(requests, "cpu"),
		    has.shares == told.shares, (has.shares * 1000 + 1023) / 1024);
}

/* KEP-5419: of a pod that says something of itself. */
void
resize_shown_pod(const struct pod *p, json_t *status)
{
	json_t *spec = get(p->object, "spec", "resources"), *resources;
	json_auto_t *allocated = NULL;

	if (!spec)
		return;
	allocated = pod_resources(p->object, "requests", false);
	if (json_object_size(allocated))
		json_object_set(status, "allocatedResources", allocated);
	resources = json_deep_copy(spec);
	if (p->sandbox == SANDBOX)
		show_group(p, resources);
	json_object_set_new(status, "resources", resources);
}
