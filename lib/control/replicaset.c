/*
 * ReplicaSet: keep spec.replicas live Pods.
 *	reads	the ReplicaSet, its Pods, orphans its selector matches, the Pods of sibling
 *ReplicaSets plans	create and delete Pod, patch Pod (adopt, release), update-status ReplicaSet,
 *events
 */
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "control/claim.h"
#include "control/condition.h"
#include "control/control.h"
#include "control/name.h"
#include "control/number.h"
#include "control/surplus.h"

/* Creates and deletes of one plan; the next plan goes on where this one ended. */
enum { BURST = 500, POD_PREFIX = 58 };

struct pods {
	const json_t **item;
	size_t n, cap;
	size_t terminating;
};

static void
pods_release(struct pods *p)
{
	free(p->item);
}

static void
plan_claim(struct plan *out, const json_t *rs, const json_t *pod, enum claim c)
{
	json_t *patch = plan_ref_version(pod);

	put(patch,
	    c == CLAIM_ADOPT ? claim_references(rs, pod)
			     : claim_references_without(meta_uid(rs), pod),
	    "metadata", "ownerReferences");
	plan_add(out, ACT_PATCH, patch,
	    c == CLAIM_ADOPT ? "pod %s matches the selector and has no controller"
			     : "pod %s no longer matches the selector",
	    meta_name(pod));
}

/* The live Pods of the set, with those it adopts. */
static void
collect(const struct world *w, const json_t *rs, const struct selector *s, struct plan *out,
    struct pods *pods)
{
	struct walk walks[] = { world_owned(w, "Pod", meta_uid(rs)),
		world_orphans(w, "Pod", meta_namespace(rs)) };

	for (size_t i = 0; i < COUNT(walks); i++) {
		for (const json_t *pod; (pod = walk_next(&walks[i]));) {
			enum claim c = pod_active(pod) || i == 0 ? claim(rs, s, pod) : CLAIM_NOT;

			if (strcmp(meta_namespace(pod), meta_namespace(rs)) != 0)
				continue;
			if (c == CLAIM_ADOPT || c == CLAIM_RELEASE)
				plan_claim(out, rs, pod, c);
			if (c != CLAIM_OWN && c != CLAIM_ADOPT)
				continue;
			if (pod_active(pod)) {
				GROW(pods->item, pods->n, pods->cap);
				pods->item[pods->n++] = pod;
			} else if (meta_deleting(pod) && !pod_finished(pod)) {
				pods->terminating++;
			}
		}
	}
}

/*
 * Named here and not by the API server, so that a plan carried out twice makes no Pod twice.
 * Another plan chooses other names, so a Pod that was deleted is not mistaken for its successor.
 */
static char *
pod_name(const struct world *w, const json_t *rs, int64_t *serial)
{
	for (;;) {
		uint64_t hash = name_mix(name_mix(TEXT_HASH_SEED, meta_uid(rs)), meta_version(rs));
		char letters[6];
		char *name;

		hash = name_mix_number(name_mix_number(hash, world_now(w)), (*serial)++);
		name = xasprintf(
		    "%.*s-%s", POD_PREFIX - 1, meta_name(rs), name_letters(hash, 5, letters));
		if (!world_get(w, "Pod", meta_namespace(rs), name))
			return name;
		free(name);
	}
}

static void
plan_creates(const struct world *w, const json_t *rs, size_t have, size_t want, struct plan *out)
{
	size_t end = want - have > BURST ? have + BURST : want;
	json_auto_t *made = json_array();
	int64_t serial = 0;
	size_t i;
	json_t *name;

	for (i = have; i < end; i++) {
		json_t *pod = pod_from_template(get(rs, "spec", "template"), rs);
		autofree char *fresh = pod_name(w, rs, &serial);

		put(pod, json_string(fresh), "metadata", "name");
		json_array_append_new(made, json_string(fresh));
		plan_add(out, ACT_CREATE, pod, "%zu of %zu replicas exist", have, want);
	}
	json_array_foreach (made, i, name)
		plan_event(
		    out, w, rs, "Normal", "SuccessfulCreate", "Created pod: %s", str(name, ""));
}

static void
plan_deletes(
    const struct world *w, const json_t *rs, struct pods *pods, size_t want, struct plan *out)
{
	size_t surplus = pods->n - want, count = surplus > BURST ? BURST : surplus;

	surplus_order(w, rs, pods->item, pods->n);
	for (size_t i = 0; i < count; i++)
		plan_add(out, ACT_DELETE, plan_ref(pods->item[i]), "%zu replicas exist, %zu wanted",
		    pods->n, want);
	for (size_t i = 0; i < count; i++)
		plan_event(out, w, rs, "Normal", "SuccessfulDelete", "Deleted pod: %s",
		    meta_name(pods->item[i]));
}

/* Does the Pod have every label of the template? */
static bool
fully_labeled(const json_t *rs, const json_t *pod)
{
	const char *key;
	json_t *value;

	json_object_foreach (get(rs, "spec", "template", "metadata", "labels"), key, value)
		if (!json_equal(value, get(pod, "metadata", "labels", key)))
			return false;
	return true;
}

/* A count of the status; zero is left out, as the API does. */
static void
put_count(json_t *status, const char *key, size_t n)
{
	if (n)
		json_object_set_new(status, key, json_integer((json_int_t)n));
	else
		json_object_del(status, key);
}

static void
plan_status(
    const struct world *w, const json_t *rs, const struct pods *pods, size_t want, struct plan *out)
{
	int64_t min_ready = num32(get(rs, "spec", "minReadySeconds"), 0);
	size_t labeled = 0, ready = 0, available = 0;
	json_auto_t *next = json_deep_copy(rs);
	json_t *status = get(next, "status");
	int64_t wait = 0;

	if (!json_is_object(status)) {
		put(next, json_object(), "status");
		status = get(next, "status");
	}
	for (size_t i = 0; i < pods->n; i++) {
		int64_t missing = 0;

		labeled += fully_labeled(rs, pods->item[i]);
		if (!pod_ready(pods->item[i]))
			continue;
		ready++;
		available +=
		    !min_ready || pod_available(pods->item[i], min_ready, world_now(w), &missing);
		if (missing && (!wait || missing < wait))
			wait = missing;
	}
	if (wait)
		plan_again(out, wait);
	json_object_set_new(status, "replicas", json_integer((json_int_t)pods->n));
	put_count(status, "fullyLabeledReplicas", labeled);
	put_count(status, "readyReplicas", ready);
	put_count(status, "availableReplicas", available);
	put_count(status, "terminatingReplicas", pods->terminating);
	put_count(status, "observedGeneration", (size_t)meta_generation(rs));
	if (pods->n == want)
		condition_remove(next, "ReplicaFailure");
	if (!json_equal(status, get(rs, "status")))
		plan_add(out, ACT_UPDATE_STATUS, json_incref(next),
		    "%zu of %zu replicas are ready, %zu available", ready, want, available);
}

/* A selector that owns what the template makes and nothing at random; the API refuses others, a
 * file may hold them. */
static int
selector_of(struct selector **ret, const json_t *rs, struct err *err)
{
	struct selector *s;
	int r = selector_from_json(&s, get(rs, "spec", "selector"), err);

	if (r < 0)
		return err_wrap(err, "spec.selector");
	if (!selector_empty(s) &&
	    selector_match(s, get(rs, "spec", "template", "metadata", "labels"))) {
		*ret = s;
		return 0;
	}
	r = selector_empty(s) ? err_set(err, ERR_INVALID, "spec.selector: selects everything")
			      : err_set(err, ERR_INVALID,
				    "spec.template.metadata.labels: "
				    "not matched by spec.selector");
	selector_free(s);
	return r;
}

static int
reconcile(const struct world *w, const json_t *rs, struct plan *out, struct err *err)
{
	int64_t replicas = num32(get(rs, "spec", "replicas"), 1);
	size_t want = replicas > 0 ? (size_t)replicas : 0;
	__attribute__((cleanup(pods_release))) struct pods pods = { 0 };
	struct selector *s;
	int r = selector_of(&s, rs, err);

	if (r < 0)
		return r;
	collect(w, rs, s, out, &pods);
	selector_free(s);
	if (!meta_deleting(rs)) {
		if (pods.n < want)
			plan_creates(w, rs, pods.n, want, out);
		else if (pods.n > want)
			plan_deletes(w, rs, &pods, want, out);
	}
	plan_status(w, rs, &pods, want, out);
	return 0;
}

/* An orphan wakes every set that would adopt it. */
static void
wakes(const struct world *w, const json_t *pod,
    void (*wake)(void *arg, const char *group_kind, const char *ns, const char *name), void *arg)
{
	struct walk it = world_each(w, "ReplicaSet.apps", meta_namespace(pod));

	if (meta_controller(pod))
		return;
	for (const json_t *rs; (rs = walk_next(&it));) {
		struct selector *s;
		struct err ignored;

		if (selector_of(&s, rs, &ignored) < 0)
			continue;
		if (selector_match(s, meta_labels(pod)))
			wake(arg, NULL, meta_namespace(rs), meta_name(rs));
		selector_free(s);
	}
}

/* Pods could not be made or removed (a quota, an admission rule): say so on the set and to its
 * Deployment. */
static void
refused(const struct world *w, const json_t *rs, const json_t *action, const struct err *why,
    struct plan *out)
{
	int verb = verb_of_name(text(action, "action"));
	const char *reason = verb == ACT_CREATE ? "FailedCreate" : "FailedDelete";
	json_auto_t *next = json_deep_copy(rs);
	char now[TIME_TEXT];

	if (verb != ACT_CREATE && verb != ACT_DELETE)
		return;
	plan_event(out, w, rs, "Warning", reason, "Error %s: %s",
	    verb == ACT_CREATE ? "creating" : "deleting", why->msg);
	time_print(world_now(w), now);
	if (condition_set(next, "ReplicaFailure", "True", reason, why->msg, now))
		plan_add(out, ACT_UPDATE_STATUS, json_incref(next), "%s", why->msg);
}

const struct controller replicaset_controller = {
	.name = "replicaset",
	.kind = "ReplicaSet.apps",
	.reads = (const char *const[]){ "Pod", NULL },
	.wakes = wakes,
	.reconcile = reconcile,
	.refused = refused,
	.summary = "keep as many live Pods as a ReplicaSet asks for",
};
