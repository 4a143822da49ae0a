/*
 * Deployment: roll a pod template out over ReplicaSets, one for each revision.
 *	reads	the Deployment, its ReplicaSets, orphans its selector matches; for Recreate their
 *Pods plans	create, update, patch and delete ReplicaSet, update-status and patch Deployment,
 *events
 */
#include <string.h>

#include "api/meta.h"
#include "control/rollout.h"

/* The selector {} is valid in the API but would own every ReplicaSet there is. */
static bool
selects_all(const json_t *d)
{
	const json_t *s = get(d, "spec", "selector");

	return json_is_object(s) && json_object_size(get(s, "matchLabels")) == 0 &&
	       json_array_size(get(s, "matchExpressions")) == 0;
}

static void
plan_refusal(const struct world *w, const json_t *d, struct plan *out)
{
	json_t *next;

	if (num(get(d, "status", "observedGeneration"), 0) >= meta_generation(d))
		return;
	plan_event(out, w, d, "Warning", "SelectingAll",
	    "This deployment is selecting all pods. A non-empty selector is required.");
	next = json_deep_copy(d);
	put(next, json_integer(meta_generation(d)), "status", "observedGeneration");
	plan_add(out, ACT_UPDATE_STATUS, next, "generation %lld was seen",
	    (long long)meta_generation(d));
}

static void
decide(struct rollout *r)
{
	bool paused = truth(get(r->deployment, "spec", "paused"));

	if (meta_deleting(r->deployment)) {
		rollout_find_latest(r);
		rollout_status(r);
		return;
	}
	rollout_paused_condition(r);
	if (paused || rollout_rescaled(r)) {
		rollout_sync_revision(r, false);
		rollout_scale(r);
		if (paused)
			rollout_clean_history(r);
		rollout_status(r);
		return;
	}
	if (r->recreate)
		rollout_recreate(r);
	else
		rollout_rolling(r);
	if (r->collision)
		return;
	if (rollout_complete(r, r->deployment))
		rollout_clean_history(r);
	rollout_status(r);
	rollout_progress(r);
}

static int
reconcile(const struct world *w, const json_t *d, struct plan *out, struct err *err)
{
	struct rollout r;
	int status;

	if (selects_all(d)) {
		plan_refusal(w, d, out);
		return 0;
	}
	if ((status = rollout_init(&r, w, d, out, err)) < 0)
		return status;
	decide(&r);
	rollout_emit(&r);
	rollout_release(&r);
	return 0;
}

/* An orphaned ReplicaSet wakes who would adopt it; a Pod its Deployment when that waits for old
 * Pods to go. */
static void
wakes(const struct world *w, const json_t *obj,
    void (*wake)(void *arg, const char *group_kind, const char *ns, const char *name), void *arg)
{
	const json_t *owner = world_by_uid(w, text(meta_controller(obj), "uid"));
	struct walk it = world_each(w, "Deployment.apps", meta_namespace(obj));

	if (strcmp(text(obj, "kind"), "Pod") == 0) {
		const json_t *d = world_by_uid(w, text(meta_controller(owner), "uid"));

		if (strcmp(text(d, "spec", "strategy", "type"), "Recreate") == 0)
			wake(arg, NULL, meta_namespace(d), meta_name(d));
		return;
	}
	if (meta_controller(obj))
		return;
	for (const json_t *d; (d = walk_next(&it));) {
		struct selector *s;
		struct err ignored;

		if (selector_from_json(&s, get(d, "spec", "selector"), &ignored) < 0)
			continue;
		if (!selector_empty(s) && selector_match(s, meta_labels(obj)))
			wake(arg, NULL, meta_namespace(d), meta_name(d));
		selector_free(s);
	}
}

const struct controller deployment_controller = {
	.name = "deployment",
	.kind = "Deployment.apps",
	.reads = (const char *const[]){ "ReplicaSet.apps", "Pod", NULL },
	.wakes = wakes,
	.reconcile = reconcile,
	.summary = "roll a Deployment's template out over ReplicaSets",
};
