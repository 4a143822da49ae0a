/* Gathering what a Deployment's controller looks at, and planning the difference. */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "control/claim.h"
#include "control/number.h"
#include "control/portion.h"
#include "control/rollout.h"

struct replica_set *
rollout_add(struct rollout *r, const json_t *obj)
{
	struct replica_set *s;

	GROW(r->set, r->n, r->cap);
	s = &r->set[r->n++];
	*s = (struct replica_set){
		.obj = obj,
		.before = num32(get(obj, "spec", "replicas"), 1),
		.current = num32(get(obj, "status", "replicas"), 0),
		.ready = num32(get(obj, "status", "readyReplicas"), 0),
		.available = num32(get(obj, "status", "availableReplicas"), 0),
		.terminating = num32(get(obj, "status", "terminatingReplicas"), 0),
	};
	s->replicas = s->before;
	return s;
}

json_t *
set_edit(struct replica_set *s)
{
	if (!s->edit)
		s->edit = json_deep_copy(s->obj);
	return s->edit;
}

const json_t *
set_view(const struct replica_set *s)
{
	return s->edit ? s->edit : s->obj;
}

static int
by_creation(const void *a, const void *b)
{
	const struct replica_set *x = a, *y = b;
	int order = strcmp(meta_created(x->obj), meta_created(y->obj));

	return order ? order : strcmp(meta_name(x->obj), meta_name(y->obj));
}

static void
release_set(struct rollout *r, const json_t *rs)
{
	json_t *patch = plan_ref_version(rs);

	put(patch, claim_references_without(meta_uid(r->deployment), rs), "metadata",
	    "ownerReferences");
	plan_add(r->out, ACT_PATCH, patch, "replica set %s no longer matches the selector",
	    meta_name(rs));
}

/* The ReplicaSets the Deployment owns, and those it adopts. */
static void
collect(struct rollout *r, const struct selector *s)
{
	const json_t *d = r->deployment;
	struct walk walks[] = { world_owned(r->w, "ReplicaSet.apps", meta_uid(d)),
		world_orphans(r->w, "ReplicaSet.apps", meta_namespace(d)) };

	for (size_t i = 0; i < COUNT(walks); i++) {
		for (const json_t *rs; (rs = walk_next(&walks[i]));) {
			enum claim c = claim(d, s, rs);

			if (strcmp(meta_namespace(rs), meta_namespace(d)) != 0)
				continue;
			if (c == CLAIM_RELEASE)
				release_set(r, rs);
			else if (c == CLAIM_OWN)
				rollout_add(r, rs);
			else if (c == CLAIM_ADOPT)
				put(set_edit(rollout_add(r, rs)), claim_references(d, rs),
				    "metadata", "ownerReferences");
		}
	}
	if (r->n)
		qsort(r->set, r->n, sizeof *r->set, by_creation);
}

/* A missing one is "25%". */
static int
resolve(const json_t *v, const char *field, int64_t total, bool up, int64_t *ret, struct err *err)
{
	json_auto_t *quarter = json_string("25%");

	if (portion(v ? v : quarter, total, up, ret))
		return 0;
	return err_set(err, ERR_INVALID,
	    "spec.strategy.rollingUpdate.%s: '%s' is neither a number nor a percentage", field,
	    str(v, ""));
}

/* How far a rollout may go above and below spec.replicas; with both zero it could not move. */
static int
fence_posts(struct rollout *r, struct err *err)
{
	const json_t *rolling = get(r->deployment, "spec", "strategy", "rollingUpdate");
	const char *type = text(r->deployment, "spec", "strategy", "type");
	int status;

	r->recreate = strcmp(type, "Recreate") == 0;
	if (r->recreate)
		return 0;
	if (*type && strcmp(type, "RollingUpdate") != 0)
		return err_set(err, ERR_INVALID, "spec.strategy.type: '%s' is no strategy", type);
	status = resolve(get(rolling, "maxSurge"), "maxSurge", r->replicas, true, &r->surge, err);
	if (status == 0)
		status = resolve(get(rolling, "maxUnavailable"), "maxUnavailable", r->replicas,
		    false, &r->unavailable, err);
	if (status < 0)
		return status;
	if (r->surge == 0 && r->unavailable == 0)
		r->unavailable = 1;
	if (r->unavailable > r->replicas)
		r->unavailable = r->replicas;
	return 0;
}

int
rollout_init(struct rollout *r, const struct world *w, const json_t *deployment, struct plan *out,
    struct err *err)
{
	struct selector *s;
	int status;

	*r = (struct rollout){ .w = w, .deployment = deployment, .out = out };
	r->replicas = num32(get(deployment, "spec", "replicas"), 1);
	if (r->replicas < 0)
		r->replicas = 0;
	if ((status = fence_posts(r, err)) < 0)
		return status;
	if ((status = selector_from_json(&s, get(deployment, "spec", "selector"), err)) < 0)
		return err_wrap(err, "spec.selector");
	if (selector_empty(s)) {
		selector_free(s);
		return err_set(err, ERR_INVALID, "spec.selector: selects everything");
	}
	if (!selector_match(s, get(deployment, "spec", "template", "metadata", "labels"))) {
		selector_free(s);
		return err_set(err, ERR_INVALID,
		    "spec.template.metadata.labels: not matched by spec.selector");
	}
	time_print(world_now(w), r->now);
	r->next = json_deep_copy(deployment);
	if (!json_is_object(get(r->next, "status")))
		put(r->next, json_object(), "status");
	collect(r, s);
	selector_free(s);
	return 0;
}

void
rollout_release(struct rollout *r)
{
	for (size_t i = 0; i < r->n; i++)
		json_decref(r->set[i].edit);
	free(r->set);
	json_decref(r->next);
}

int64_t
rollout_total(const struct rollout *r)
{
	int64_t total = 0;

	for (size_t i = 0; i < r->n; i++)
		total += r->set[i].replicas;
	return total;
}

/* Remember on the ReplicaSet what the Deployment wanted at this moment: how rollout_rescaled()
 * knows. */
static void
annotate_size(struct rollout *r, struct replica_set *s)
{
	static const char *const key[] = { "deployment.kubernetes.io/desired-replicas",
		"deployment.kubernetes.io/max-replicas" };
	int64_t value[] = { r->replicas, r->replicas + r->surge };

	for (size_t i = 0; i < COUNT(key); i++) {
		const char *old = meta_annotation(set_view(s), key[i]);
		autofree char *want = xasprintf("%lld", (long long)value[i]);

		if (!old || strcmp(old, want) != 0)
			put(set_edit(s), json_string(want), "metadata", "annotations", key[i]);
	}
}

static void
emit_set(struct rollout *r, struct replica_set *s)
{
	const char *name = meta_name(s->obj);
	bool scaled = s->fresh ? s->replicas > 0 : s->replicas != s->before;

	if (s->replicas != s->before)
		put(set_edit(s), json_integer(s->replicas), "spec", "replicas");
	if (s->fresh)
		plan_add(r->out, ACT_CREATE, json_incref((json_t *)set_view(s)),
		    "no replica set has the current template");
	else if (scaled)
		plan_add(r->out, ACT_UPDATE, json_incref(s->edit),
		    "replica set %s should have %lld replicas, not %lld", name,
		    (long long)s->replicas, (long long)s->before);
	else if (s->edit && !json_equal(s->edit, s->obj))
		plan_add(r->out, ACT_UPDATE, json_incref(s->edit),
		    "replica set %s should carry what the deployment says", name);
	if (scaled)
		plan_event(r->out, r->w, r->deployment, "Normal", "ScalingReplicaSet",
		    "Scaled %s replica set %s from %lld to %lld",
		    s->replicas > (s->fresh ? 0 : s->before) ? "up" : "down", name,
		    (long long)(s->fresh ? 0 : s->before), (long long)s->replicas);
}

/*
 * The new ReplicaSet first, then the others.  Of the Deployment itself, first the status, guarded
 * by resourceVersion, and then the annotation, as a patch that is right in any version.
 */
void
rollout_emit(struct rollout *r)
{
	const char *revision = meta_annotation(r->deployment, "deployment.kubernetes.io/revision");

	for (size_t i = 0; i < r->n; i++)
		if (r->set[i].replicas != r->set[i].before || r->set[i].resized)
			annotate_size(r, &r->set[i]);
	if (r->latest)
		emit_set(r, r->latest);
	for (size_t i = 0; i < r->n; i++) {
		if (r->set[i].doomed)
			plan_add(r->out, ACT_DELETE, plan_ref(r->set[i].obj),
			    "more old replica sets than spec.revisionHistoryLimit");
		else if (&r->set[i] != r->latest)
			emit_set(r, &r->set[i]);
	}
	if (!json_equal(get(r->next, "status"), get(r->deployment, "status")))
		plan_add(r->out, ACT_UPDATE_STATUS, json_incref(r->next),
		    "%lld of %lld replicas are updated, %lld available",
		    (long long)num32(get(r->next, "status", "updatedReplicas"), 0),
		    (long long)r->replicas,
		    (long long)num32(get(r->next, "status", "availableReplicas"), 0));
	if (r->revision && (!revision || strcmp(revision, r->revision) != 0)) {
		json_t *patch = plan_ref(r->deployment);

		put(patch, json_string(r->revision), "metadata", "annotations",
		    "deployment.kubernetes.io/revision");
		plan_add(
		    r->out, ACT_PATCH, patch, "the current template is revision %s", r->revision);
	}
}
