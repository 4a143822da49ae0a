/* Facts: kubernetes.io, concepts/workloads/controllers/replicaset, "Scaling a ReplicaSet". */
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "control/map.h"
#include "control/number.h"
#include "control/surplus.h"

struct candidate {
	const json_t *pod;
	int phase; /* 0 without a node */
	bool ready;
	long long cost;
	size_t neighbours;
	int ready_for, exists_for; /* powers of two */
	json_int_t restarts, sidecar_restarts;
};

/*
 * How long ago, as a power of two of nanoseconds: Pods of about the same age count as equally old,
 * so that the youngest is not always the one to go.  No time at all comes first.
 */
static int
age(const char *since, int64_t now)
{
	int64_t at;
	int power = 0;

	if (!time_parse(since, &at))
		return -2;
	if (at >= now)
		return -1;
	for (uint64_t ns = (uint64_t)(now - at) * 1000000000U; ns > 1; ns >>= 1)
		power++;
	return power;
}

static json_int_t
restarts(const json_t *statuses)
{
	json_int_t most = 0;
	size_t i;
	json_t *c;

	json_array_foreach (statuses, i, c)
		if (num32(get(c, "restartCount"), 0) > most)
			most = num32(get(c, "restartCount"), 0);
	return most;
}

static int
phase_rank(const json_t *pod)
{
	const char *phase = text(pod, "status", "phase");

	if (!*text(pod, "spec", "nodeName"))
		return 0;
	return strcmp(phase, "Running") == 0 ? 3 : strcmp(phase, "Unknown") == 0 ? 2 : 1;
}

static struct candidate
candidate_of(const json_t *pod, int64_t now)
{
	const char *cost = meta_annotation(pod, "controller.kubernetes.io/pod-deletion-cost");
	struct candidate c = {
		.pod = pod,
		.phase = phase_rank(pod),
		.ready = pod_ready(pod),
		.ready_for = age(text(condition_find(pod, "Ready"), "lastTransitionTime"), now),
		.exists_for = age(meta_created(pod), now),
		.restarts = restarts(get(pod, "status", "containerStatuses")),
		.sidecar_restarts = restarts(get(pod, "status", "initContainerStatuses")),
	};

	if (!cost || !text_int(cost, &c.cost) || c.cost > INT32_MAX || c.cost < INT32_MIN)
		c.cost = 0;
	return c;
}

/* How many live Pods of this owner each node has. */
static void
count_pods(const struct world *w, const json_t *owner, struct map *nodes)
{
	struct walk it = world_owned(w, "Pod", meta_uid(owner));

	for (const json_t *pod; (pod = walk_next(&it));) {
		const char *node = text(pod, "spec", "nodeName");
		struct map_slot *s;

		if (!pod_active(pod) || !*node)
			continue;
		s = map_at(nodes, node, strlen(node));
		s->value = (void *)((size_t)s->value + 1);
	}
}

/* The owner's family are its siblings under the same controller (the ReplicaSets of a Deployment),
 * or itself. */
static void
count_family(const struct world *w, const json_t *owner, struct map *nodes)
{
	const char *parent = text(meta_controller(owner), "uid");
	char kind[128];
	struct walk it;

	if (!*parent) {
		count_pods(w, owner, nodes);
		return;
	}
	it = world_owned(w, meta_group_kind(owner, kind), parent);
	for (const json_t *sibling; (sibling = walk_next(&it));)
		count_pods(w, sibling, nodes);
}

#define ORDER(a, b)                                \
	do {                                       \
		if ((a) != (b))                    \
			return (a) < (b) ? -1 : 1; \
	} while (0)

static int
compare(const void *pa, const void *pb)
{
	const struct candidate *a = pa, *b = pb;
	int order;

	ORDER(a->phase, b->phase);
	ORDER(a->ready, b->ready);
	ORDER(a->cost, b->cost);
	ORDER(b->neighbours, a->neighbours);
	if (a->ready)
		ORDER(a->ready_for, b->ready_for);
	ORDER(b->restarts, a->restarts);
	ORDER(b->sidecar_restarts, a->sidecar_restarts);
	ORDER(a->exists_for, b->exists_for);
	order = strcmp(meta_uid(a->pod), meta_uid(b->pod));
	return order ? order : strcmp(meta_name(a->pod), meta_name(b->pod));
}

void
surplus_order(const struct world *w, const json_t *owner, const json_t **pods, size_t n)
{
	struct candidate *all = xreallocarray(NULL, n, sizeof *all);
	struct map nodes = { 0 };

	count_family(w, owner, &nodes);
	for (size_t i = 0; i < n; i++) {
		const char *node = text(pods[i], "spec", "nodeName");

		all[i] = candidate_of(pods[i], world_now(w));
		all[i].neighbours = (size_t)map_get(&nodes, node, strlen(node));
	}
	qsort(all, n, sizeof *all, compare);
	for (size_t i = 0; i < n; i++)
		pods[i] = all[i].pod;
	map_release(&nodes, NULL);
	free(all);
}
