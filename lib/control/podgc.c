/*
 * Pod garbage: remove Pods that nobody else will.
 *	reads	Pods, Nodes
 *	plans	update-status and delete Pod
 */
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "base/text.h"
#include "base/time.h"
#include "control/control.h"
#include "control/taint.h"

/* Delete at once: no agent is left that would confirm the end.  NULL when that was done before. */
static json_t *
force_delete(const json_t *pod, const char *reason, struct plan *out)
{
	json_t *action;

	if (meta_deleting(pod) && num(get(pod, "metadata", "deletionGracePeriodSeconds"), 30) == 0)
		return NULL; /* finalizers hold it */
	action = plan_add(out, ACT_DELETE, plan_ref(pod), "%s", reason);

	put(action, json_integer(0), "options", "gracePeriodSeconds");
	return action;
}

/* A Pod that cannot run any more has failed, and its owners should see that. */
static void
mark_failed(const struct world *w, const json_t *pod, const char *message, struct plan *out)
{
	char now[TIME_TEXT];
	json_t *next;

	if (pod_finished(pod))
		return;
	time_print(world_now(w), now);
	next = json_deep_copy(pod);
	put(next, json_string("Failed"), "status", "phase");
	condition_set(next, "DisruptionTarget", "True", "DeletionByPodGC", message, now);
	plan_add(out, ACT_UPDATE_STATUS, next, "%s", message);
}

static void
collect_orphan(const struct world *w, const json_t *pod, struct plan *out)
{
	const char *node = text(pod, "spec", "nodeName");
	json_t *action;

	mark_failed(w, pod, "PodGC: node no longer exists", out);
	action = force_delete(pod, "its node no longer exists", out);
	if (action)
		put(action,
		    json_pack(
			"[{s:s, s:s, s:s}]", "apiVersion", "v1", "kind", "Node", "name", node),
		    "absent");
}

/* The older ended earlier; a missing time is the oldest. */
static bool
older(const json_t *a, const json_t *b)
{
	int order = strcmp(meta_created(a), meta_created(b));

	if (!order)
		order = strcmp(meta_namespace(a), meta_namespace(b));
	return (order ? order : strcmp(meta_name(a), meta_name(b))) < 0;
}

/* Is a finished Pod one of the oldest above the threshold? */
static bool
too_many(const struct world *w, const json_t *pod)
{
	const char *setting = world_setting(w, "terminated-pod-gc-threshold");
	struct walk it = world_each(w, "Pod", NULL);
	long long threshold = 12500, finished = 0, before = 0;

	if (setting && !text_int(setting, &threshold))
		threshold = 0;
	if (threshold <= 0 || (long long)it.n <= threshold)
		return false;
	for (const json_t *other; (other = walk_next(&it));) {
		if (!pod_finished(other) || meta_deleting(other))
			continue;
		finished++;
		before += older(other, pod);
	}
	return before < finished - threshold;
}

static int
reconcile(const struct world *w, const json_t *pod, struct plan *out, struct err *err)
{
	const char *name = text(pod, "spec", "nodeName");
	const json_t *node = world_get(w, "Node", "", name);

	(void)err;
	if (*name && !node && world_knows(w, "Node"))
		collect_orphan(w, pod, out);
	else if (!*name && meta_deleting(pod))
		force_delete(pod, "it is being deleted and was never scheduled", out);
	else if (node && meta_deleting(pod) && !node_ready(node) &&
		 taint_present(node, TAINT_OUT_OF_SERVICE))
		force_delete(pod, "its node is out of service", out);
	else if (pod_finished(pod) && !meta_deleting(pod) && too_many(w, pod))
		plan_add(out, ACT_DELETE, plan_ref(pod), "there are too many finished pods");
	return 0;
}

/* A Node that is gone, or out of service, wakes its Pods. */
static void
wakes(const struct world *w, const json_t *node,
    void (*wake)(void *arg, const char *group_kind, const char *ns, const char *name), void *arg)
{
	struct walk it = world_on_node(w, meta_name(node));

	if (world_get(w, "Node", "", meta_name(node)) && !taint_present(node, TAINT_OUT_OF_SERVICE))
		return;
	for (const json_t *pod; (pod = walk_next(&it));)
		wake(arg, NULL, meta_namespace(pod), meta_name(pod));
}

const struct controller podgc_controller = {
	.name = "podgc",
	.kind = "Pod",
	.reads = (const char *const[]){ "Node", NULL },
	.wakes = wakes,
	.reconcile = reconcile,
	.summary = "remove Pods whose Node is gone, and finished ones when there are too many",
};
