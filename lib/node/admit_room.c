#include "node/admit_room.h"

#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "api/quantity.h"
#include "api/resources.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "schedule/snapshot.h"

static const char *const names[] = { "cpu", "memory", "ephemeral-storage", NULL };

static char *
short_of(const char *name, int64_t asked, int64_t used, int64_t can, char **message)
{
	*message = xasprintf("Node didn't have enough resource: %s, requested: %lld, used: %lld, "
			     "capacity: %lld",
	    name, (long long)asked, (long long)used, (long long)can);
	return xasprintf("OutOf%s", name);
}

static char *
look_at(const char *name, const json_t *pod, const json_t *const *others, size_t n,
    const json_t *allocatable, char **message)
{
	const json_t *there = get(allocatable, name);
	int64_t can = strcmp(name, "cpu") == 0 ? quantity_milli(there) : quantity_value(there);
	int64_t asked = pod_request(pod, name), used = 0;

	if (asked <= 0)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (__builtin_add_overflow(used, pod_request(others[i], name), &used))
			used = INT64_MAX;
	if (used <= can && asked <= can - used)
		return NULL;
	return short_of(name, asked, used, can, message);
}

/* What else a pod asks for, huge pages and devices: what nobody gives here is not left out. */
static char *
look_at_rest(const json_t *pod, const json_t *const *others, size_t n, const json_t *allocatable,
    char **message)
{
	json_auto_t *all = pod_resources(pod, "limits", false),
		    *requests = pod_resources(pod, "requests", false);
	const char *name;
	char *reason;
	json_t *v;

	resources_raise(all, requests);
	json_object_foreach (all, name, v)
		if (!text_in(name, names) &&
		    (reason = look_at(name, pod, others, n, allocatable, message)))
			return reason;
	return NULL;
}

char *
room_refuses(const json_t *pod, const json_t *const *others, size_t n, const json_t *allocatable,
    char **message)
{
	int64_t pods = quantity_value(get(allocatable, "pods"));
	char *reason;

	*message = NULL;
	if ((int64_t)n >= pods)
		return short_of("pods", 1, (int64_t)n, pods, message);
	for (size_t i = 0; names[i]; i++)
		if ((reason = look_at(names[i], pod, others, n, allocatable, message)))
			return reason;
	return look_at_rest(pod, others, n, allocatable, message);
}

char *
node_refuses(const json_t *pod, const json_t *node, char **message)
{
	struct node n = { .name = (char *)meta_name(node), .obj = (json_t *)node };

	*message = NULL;
	if (affinity_required(pod, &n))
		return NULL;
	*message = xstrdup("Predicate NodeAffinity failed: node(s) didn't match Pod's node "
			   "affinity/selector");
	return xstrdup("NodeAffinity");
}

enum { CRITICAL = 2000000000 }; /* the priority of system-cluster-critical */

bool
evict_spares(const json_t *pod)
{
	const json_t *notes = get(pod, "metadata", "annotations");
	const char *source = text(notes, "kubernetes.io/config.source");

	return num(get(pod, "spec", "priority"), 0) >= CRITICAL ||
	       get(notes, "kubernetes.io/config.mirror") || (*source && strcmp(source, "api") != 0);
}

/* Memory is short for those who ask for none; anything else for all. */
char *
pressure_refuses(const json_t *pod, const char *const *conditions, char **message)
{
	autobuf struct buf b = BUF_INIT;
	bool only_memory =
	    conditions[0] && !conditions[1] && strcmp(conditions[0], "MemoryPressure") == 0;

	*message = NULL;
	if (!conditions[0] || evict_spares(pod) ||
	    (only_memory && (strcmp(pod_qos(pod), "BestEffort") != 0 ||
				tolerates(get(pod, "spec", "tolerations"),
				    "node.kubernetes.io/memory-pressure", "", "NoSchedule"))))
		return NULL;
	for (size_t i = 0; conditions[i]; i++)
		buf_printf(&b, "%s%s", i ? " " : "", conditions[i]);
	*message = xasprintf("The node had condition: [%s]. ", b.data);
	return xstrdup("Evicted");
}
