/*
 * PodDisruptionBudget: how many of its Pods may be taken away now.
 *	reads	the budget, the Pods it selects, and who keeps their number: Deployments,
 *		ReplicaSets, StatefulSets, ReplicationControllers
 *	plans	update-status PodDisruptionBudget, events
 *
 * The store charges the budget for each eviction (status.disruptedPods) before the Pod goes; here
 * follows what has become of it.
 */
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "api/schema.h"
#include "api/selector.h"
#include "base/mem.h"
#include "base/time.h"
#include "control/control.h"
#include "control/number.h"
#include "control/portion.h"

/* An eviction that has not begun the Pod's deletion after so many seconds will not any more. */
enum { DELETION_TIMEOUT = 2 * 60 };

struct budget {
	const struct world *w;
	const json_t *pdb;
	struct selector *selector;
	struct plan *out;
	int64_t pods, healthy, desired, expected;
	bool unmanaged;	   /* it selects Pods that nobody controls */
	json_t *disrupted; /* of status.disruptedPods what still holds */
};

/* The Pods it selects, one after the other. */
static const json_t *
next_pod(const struct budget *b, struct walk *it)
{
	const json_t *pod;

	while ((pod = walk_next(it)) && !selector_match(b->selector, meta_labels(pod)))
		;
	return pod;
}

static struct walk
pods(const struct budget *b)
{
	return world_each(b->w, "Pod", meta_namespace(b->pdb));
}

/* --- how many there should be ----------------------------------------------------------------- */

/* Whom an ownerReference means; NULL when that one is gone.  Negative: nothing is known of its
 * kind. */
static int
referred(const struct budget *b, const json_t *ref, const json_t **ret, struct err *err)
{
	char group_kind[128];

	meta_group_kind(ref, group_kind);
	*ret = world_get(b->w, group_kind, meta_namespace(b->pdb), text(ref, "name"));
	if (*ret && strcmp(meta_uid(*ret), text(ref, "uid")) != 0)
		*ret = NULL;
	if (!*ret && !world_knows(b->w, group_kind))
		return err_set(err, ERR_UNAVAILABLE,
		    "it selects pods of a %s, of which nothing is known here (is the input "
		    "complete?)",
		    group_kind);
	return 0;
}

/* Who keeps the number of the Pods of this controller: a ReplicaSet's Deployment, else itself. */
static int
scaled_by(const struct budget *b, const json_t *ref, const json_t **ret, struct err *err)
{
	const struct kind *k = kind_of_object(text(ref, "apiVersion"), text(ref, "kind"));
	const json_t *up;
	char buf[128];
	int r;

	*ret = NULL;
	if (!k || !kind_subresource(k, "scale"))
		return err_set(err, ERR_INVALID, "%s does not implement the scale subresource",
		    k ? kind_resource(k, buf) : meta_group_kind(ref, buf));
	if ((r = referred(b, ref, ret, err)) < 0 || !*ret)
		return r;
	up = meta_controller(*ret);
	if (up && strcmp(meta_group_kind(up, buf), "Deployment.apps") == 0)
		return referred(b, up, ret, err);
	return 0;
}

/* The sum of what their controllers ask for, each counted once. */
static int
count_expected(struct budget *b, struct err *err)
{
	json_auto_t *seen = json_object();
	struct walk it = pods(b);
	int r;

	b->expected = 0;
	for (const json_t *pod; (pod = next_pod(b, &it));) {
		const json_t *ref = meta_controller(pod), *owner;

		if (!ref) {
			b->unmanaged = true;
			continue;
		}
		if (json_object_get(seen, text(ref, "uid")))
			continue;
		json_object_set_new(seen, text(ref, "uid"), json_true());
		if ((r = scaled_by(b, ref, &owner, err)) < 0)
			return r;
		if (!owner)
			return err_set(err, ERR_INVALID, "found no controllers for pod \"%s\"",
			    meta_name(pod));
		if (strcmp(meta_uid(owner), text(ref, "uid")) != 0) {
			if (json_object_get(seen, meta_uid(owner)))
				continue; /* two ReplicaSets of one Deployment */
			json_object_set_new(seen, meta_uid(owner), json_true());
		}
		b->expected += num32(get(owner, "spec", "replicas"), 1);
	}
	return 0;
}

/* How many have to stay healthy. */
static int
find_desired(struct budget *b, struct err *err)
{
	const json_t *least = get(b->pdb, "spec", "minAvailable");
	const json_t *most = get(b->pdb, "spec", "maxUnavailable");
	const json_t *bound = most ? most : least;
	int64_t n = 0;
	int r;

	b->expected = b->pods;
	if (!bound)
		return 0;
	if ((most || !json_is_integer(least)) && (r = count_expected(b, err)) < 0)
		return r;
	if (!portion(bound, b->expected, true, &n))
		return err_set(err, ERR_INVALID,
		    "spec.%s: '%s' is neither a number nor a percentage",
		    most ? "maxUnavailable" : "minAvailable", str(bound, ""));
	b->desired = !most ? n : n < b->expected ? b->expected - n : 0;
	return 0;
}

/* --- how many there are ----------------------------------------------------------------------- */

/* Was its eviction allowed a moment ago?  Then it is as good as gone. */
static bool
on_its_way(struct budget *b, const json_t *pod)
{
	const char *name = meta_name(pod);
	const json_t *since = get(b->pdb, "status", "disruptedPods", name);
	int64_t at, left;

	if (!since)
		return false;
	left = time_parse(str(since, ""), &at) ? at + DELETION_TIMEOUT - world_now(b->w) : 0;
	if (left <= 0) {
		plan_event(b->out, b->w, pod, "Warning", "NotDeleted",
		    "Pod was expected by PDB %s/%s to be deleted but it wasn't",
		    meta_namespace(b->pdb), meta_name(b->pdb));
		return false;
	}
	json_object_set(b->disrupted, name, (json_t *)since);
	plan_again(b->out, left + 1);
	return true;
}

static void
count_healthy(struct budget *b)
{
	struct walk it = pods(b);

	for (const json_t *pod; (pod = next_pod(b, &it));) {
		b->pods++;
		if (!meta_deleting(pod) && !on_its_way(b, pod) && pod_ready(pod))
			b->healthy++;
	}
}

/* --- what is written down --------------------------------------------------------------------- */

/* Events are of a change of the status: what has been said once is not said every time. */
static void
tell(struct budget *b)
{
	autofree char *selector = selector_print(b->selector);

	if (b->pods == 0)
		plan_event(b->out, b->w, b->pdb, "Normal", "NoPods", "No matching pods found");
	if (b->unmanaged)
		plan_event(b->out, b->w, b->pdb, "Warning", "UnmanagedPods",
		    "Pods selected by this PodDisruptionBudget (selector: %s) have no controller "
		    "that says how many "
		    "there should be; set .spec.minAvailable to a number to count them",
		    selector);
}

/* Plan `next` in place of the budget when its status is another one, and true then. */
static bool
write_status(struct budget *b, json_t *next, const char *reason, const char *why)
{
	bool allowed = num(get(next, "status", "disruptionsAllowed"), 0) > 0;
	char now[TIME_TEXT];

	time_print(world_now(b->w), now);
	put(next, json_integer(meta_generation(b->pdb)), "status", "observedGeneration");
	condition_set(
	    next, "DisruptionAllowed", allowed ? "True" : "False", reason, why ? why : "", now);
	json_object_set_new(condition_find(next, "DisruptionAllowed"), "observedGeneration",
	    json_integer(meta_generation(b->pdb)));
	if (json_equal(get(next, "status"), get(b->pdb, "status"))) {
		json_decref(next);
		return false;
	}
	if (why)
		plan_add(b->out, ACT_UPDATE_STATUS, next, "%s", why);
	else
		plan_add(b->out, ACT_UPDATE_STATUS, next,
		    "%lld of %lld pods are healthy, %lld are needed", (long long)b->healthy,
		    (long long)b->expected, (long long)b->desired);
	return true;
}

static void
put_number(json_t *next, const char *field, int64_t n)
{
	put(next, json_integer(n), "status", field);
}

static void
say_counts(struct budget *b)
{
	int64_t allowed = b->expected > 0 ? b->healthy - b->desired : 0;
	json_t *next = json_deep_copy(b->pdb);

	put_number(next, "disruptionsAllowed", allowed > 0 ? allowed : 0);
	put_number(next, "currentHealthy", b->healthy);
	put_number(next, "desiredHealthy", b->desired);
	put_number(next, "expectedPods", b->expected);
	if (json_object_size(b->disrupted) > 0)
		put(next, json_incref(b->disrupted), "status", "disruptedPods");
	else
		json_object_del(get(next, "status"), "disruptedPods");
	if (write_status(b, next, allowed > 0 ? "SufficientPods" : "InsufficientPods", NULL))
		tell(b);
}

/* What cannot be counted allows nothing; the counts stay as they were. */
static void
say_failure(struct budget *b, const struct err *why)
{
	static const char *const counts[] = { "currentHealthy", "desiredHealthy", "expectedPods" };
	json_t *next = json_deep_copy(b->pdb);

	put_number(next, "disruptionsAllowed", 0);
	for (size_t i = 0; i < COUNT(counts); i++)
		put_number(next, counts[i], num(get(b->pdb, "status", counts[i]), 0));
	if (write_status(b, next, "SyncFailed", why->msg))
		plan_event(b->out, b->w, b->pdb, "Warning", "CalculateExpectedPodCountFailed",
		    "Failed to calculate the number of expected pods: %s", why->msg);
}

static int
reconcile(const struct world *w, const json_t *pdb, struct plan *out, struct err *err)
{
	struct budget b = { .w = w, .pdb = pdb, .out = out };
	int r;

	if ((r = selector_from_json(&b.selector, get(pdb, "spec", "selector"), err)) < 0)
		return r;
	b.disrupted = json_object();
	count_healthy(&b);
	r = find_desired(&b, err);
	if (r == -ERR_INVALID) {
		say_failure(&b, err);
		r = 0;
	} else if (r == 0) {
		say_counts(&b);
	}
	json_decref(b.disrupted);
	selector_free(b.selector);
	return r;
}

/* Whatever changes among the Pods of a namespace, or in how many there should be. */
static void
wakes(const struct world *w, const json_t *obj,
    void (*wake)(void *arg, const char *group_kind, const char *ns, const char *name), void *arg)
{
	struct walk it = world_each(w, "PodDisruptionBudget.policy", meta_namespace(obj));

	for (const json_t *pdb; (pdb = walk_next(&it));)
		wake(arg, NULL, meta_namespace(pdb), meta_name(pdb));
}

const struct controller disruption_controller = {
	.name = "disruption",
	.kind = "PodDisruptionBudget.policy",
	.reads = (const char *const[]){ "Pod", "ReplicaSet.apps", "Deployment.apps",
	    "StatefulSet.apps", "ReplicationController", NULL },
	.wakes = wakes,
	.reconcile = reconcile,
	.summary = "count how many Pods of a PodDisruptionBudget may be taken away",
};
