/*
 * Node: notice Nodes that have fallen silent, taint them, and move their Pods on.
 *	reads	the Node, its Lease in kube-node-lease, its Pods
 *	plans	update-status Node, patch Node (taints), update-status and delete Pod, events
 *
 * It takes one step at a time, each guarded by resourceVersion: first the conditions, then the
 *taints that follow from them, then the evictions that follow from those.
 */
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "base/mem.h"
#include "base/time.h"
#include "control/control.h"
#include "control/number.h"
#include "control/taint.h"

#define LEASES "Lease.coordination.k8s.io"

static int64_t
later(int64_t a, const char *when)
{
	int64_t b;

	return time_parse(when, &b) && b > a ? b : a;
}

/* When the Node was last heard of. */
static int64_t
last_heard(const struct world *w, const json_t *node)
{
	const json_t *lease = world_get(w, LEASES, "kube-node-lease", meta_name(node));
	int64_t heard = later(INT64_MIN, meta_created(node));
	size_t i;
	json_t *c;

	heard = later(heard, text(lease, "spec", "renewTime"));
	json_array_foreach (get(node, "status", "conditions"), i, c)
		heard = later(heard, text(c, "lastHeartbeatTime"));
	return heard;
}

/* Silent for longer than the grace period?  Without any knowledge of Leases nobody can say. */
static bool
lost(const struct world *w, const json_t *node, struct plan *out)
{
	int64_t grace = (int64_t)world_seconds(w, "node-monitor-grace-period", 40);
	int64_t heard = last_heard(w, node);

	if (!world_knows(w, LEASES) || heard == INT64_MIN)
		return false;
	if (world_now(w) - heard > grace)
		return true;
	plan_again(out, heard + grace - world_now(w) + 1);
	return false;
}

/* What the Node itself reports is no longer known. */
static bool
set_unknown(json_t *next, const char *now)
{
	static const char *const types[] = { "Ready", "MemoryPressure", "DiskPressure",
		"PIDPressure" };
	bool changed = false;

	for (size_t i = 0; i < COUNT(types); i++) {
		const json_t *c = condition_find(next, types[i]);

		if (c && strcmp(text(c, "status"), "Unknown") == 0)
			continue;
		changed = true;
		if (c)
			condition_set(next, types[i], "Unknown", "NodeStatusUnknown",
			    "Kubelet stopped posting node status.", now);
		else
			condition_set(next, types[i], "Unknown", "NodeStatusNeverUpdated",
			    "Kubelet never posted node status.", now);
	}
	return changed;
}

/* Nobody serves from a lost Node: its Pods must not count as ready. */
static void
mark_pods(const struct world *w, const json_t *node, const char *now, struct plan *out)
{
	struct walk it = world_on_node(w, meta_name(node));

	for (const json_t *pod; (pod = walk_next(&it));) {
		json_t *next;

		if (!pod_ready(pod))
			continue;
		next = json_deep_copy(pod);
		condition_set(next, "Ready", "False", "NodeNotReady", "Node is not ready", now);
		plan_add(out, ACT_UPDATE_STATUS, next, "node %s is lost", meta_name(node));
		plan_event(out, w, pod, "Warning", "NodeNotReady", "Node is not ready");
	}
}

static bool
plan_lost(const struct world *w, const json_t *node, const char *now, struct plan *out)
{
	json_auto_t *next = json_deep_copy(node);

	if (!set_unknown(next, now))
		return false;
	plan_add(out, ACT_UPDATE_STATUS, json_incref(next), "node %s was last heard of %lld s ago",
	    meta_name(node), (long long)(world_now(w) - last_heard(w, node)));
	plan_event(out, w, node, "Normal", "NodeNotReady", "Node %s status is now: NodeNotReady",
	    meta_name(node));
	return true;
}

static bool
plan_taints(const json_t *node, const char *now, struct plan *out)
{
	json_t *have = get(node, "spec", "taints"), *want = taints_of_state(node, now);
	bool same = have ? json_equal(have, want) : json_array_size(want) == 0;
	json_t *patch;

	if (same) {
		json_decref(want);
		return false;
	}
	patch = plan_ref_version(node);
	if (json_array_size(want) == 0) {
		json_decref(want);
		want = json_null();
	}
	put(patch, want, "spec", "taints");
	plan_add(out, ACT_PATCH, patch, "the taints of node %s should say what its conditions do",
	    meta_name(node));
	return true;
}

/* --- eviction ---------------------------------------------------------------- */

/* When no Node at all is ready, it is rather we who are cut off: nothing is moved. */
static bool
all_lost(const struct world *w)
{
	struct walk it = world_each(w, "Node", NULL);

	for (const json_t *node; (node = walk_next(&it));)
		if (node_ready(node))
			return false;
	return true;
}

static bool
from_state(const json_t *taint)
{
	const char *key = text(taint, "key");

	return strcmp(key, TAINT_NOT_READY) == 0 || strcmp(key, TAINT_UNREACHABLE) == 0;
}

/*
 * When a Pod has to leave because of this taint; INT64_MAX: never.  The DefaultTolerationSeconds
 * admission plugin gives Pods 300 s on a lost Node: here that is what holds for a Pod that says
 * nothing.
 */
static int64_t
deadline(const struct world *w, const json_t *taint, const json_t *pod)
{
	const json_t *toleration = taint_toleration(taint, pod);
	const json_t *seconds = get(toleration, "tolerationSeconds");
	int64_t since;

	if (!time_parse(text(taint, "timeAdded"), &since))
		since = world_now(w);
	if (!toleration)
		return from_state(taint)
			   ? since + (int64_t)world_seconds(w, "pod-eviction-timeout", 300)
			   : since;
	if (!json_is_integer(seconds))
		return INT64_MAX;
	return json_integer_value(seconds) < 0 ? since : since + num32(seconds, 0);
}

static void
evict(const struct world *w, const json_t *pod, const json_t *taint, const char *now,
    struct plan *out)
{
	json_t *next = json_deep_copy(pod);

	condition_set(next, "DisruptionTarget", "True", "DeletionByTaintManager",
	    "Taint manager: deleting due to NoExecute taint", now);
	plan_add(out, ACT_UPDATE_STATUS, next, "it does not tolerate %s", text(taint, "key"));
	plan_event(out, w, pod, "Normal", "TaintManagerEviction", "Marking for deletion Pod %s/%s",
	    meta_namespace(pod), meta_name(pod));
	plan_add(out, ACT_DELETE, plan_ref(pod), "it does not tolerate %s", text(taint, "key"));
}

/* The taint that drives a Pod away first, and when. */
static const json_t *
first_taint(const struct world *w, const json_t *node, const json_t *pod, bool hold, int64_t *when)
{
	const json_t *first = NULL;
	size_t i;
	json_t *taint;

	*when = INT64_MAX;
	json_array_foreach (get(node, "spec", "taints"), i, taint) {
		int64_t at;

		if (strcmp(text(taint, "effect"), "NoExecute") != 0 || (hold && from_state(taint)))
			continue;
		at = deadline(w, taint, pod);
		if (at < *when) {
			*when = at;
			first = taint;
		}
	}
	return first;
}

static void
plan_evictions(const struct world *w, const json_t *node, const char *now, struct plan *out)
{
	struct walk it = world_on_node(w, meta_name(node));
	bool hold = !node_ready(node) && all_lost(w);

	for (const json_t *pod; (pod = walk_next(&it));) {
		int64_t when;
		const json_t *taint;

		if (meta_deleting(pod))
			continue;
		taint = first_taint(w, node, pod, hold, &when);
		if (when <= world_now(w))
			evict(w, pod, taint, now, out);
		else if (when != INT64_MAX)
			plan_again(out, when - world_now(w));
	}
	if (hold)
		plan_again(out, 10);
}

static bool
drives_away(const json_t *node)
{
	size_t i;
	json_t *taint;

	json_array_foreach (get(node, "spec", "taints"), i, taint)
		if (strcmp(text(taint, "effect"), "NoExecute") == 0)
			return true;
	return false;
}

static int
reconcile(const struct world *w, const json_t *node, struct plan *out, struct err *err)
{
	char now[TIME_TEXT];
	bool gone;

	(void)err;
	time_print(world_now(w), now);
	if (meta_deleting(node))
		return 0;
	gone = lost(w, node, out);
	if (gone)
		mark_pods(w, node, now, out);
	if (gone && plan_lost(w, node, now, out))
		return 0;
	if (plan_taints(node, now, out))
		return 0;
	if (drives_away(node))
		plan_evictions(w, node, now, out);
	return 0;
}

static void
wakes(const struct world *w, const json_t *obj,
    void (*wake)(void *arg, const char *group_kind, const char *ns, const char *name), void *arg)
{
	const char *node = text(obj, "spec", "nodeName");

	(void)w;
	if (strcmp(text(obj, "kind"), "Lease") != 0) {
		if (*node)
			wake(arg, NULL, "", node);
	} else if (strcmp(meta_namespace(obj), "kube-node-lease") == 0) {
		wake(arg, NULL, "", meta_name(obj));
	}
}

const struct controller node_controller = {
	.name = "node",
	.kind = "Node",
	.reads = (const char *const[]){ LEASES, "Pod", NULL },
	.wakes = wakes,
	.reconcile = reconcile,
	.summary = "taint Nodes that have fallen silent, and move their Pods on",
};
