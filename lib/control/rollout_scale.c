/*
 * How many replicas each ReplicaSet of a Deployment should have.
 *
 * Counts of ready Pods come from the ReplicaSets' status.  Right after a set has shrunk that still
 * counts what is about to go, so a set never has more available Pods than its spec leaves it.
 */
#include <math.h>
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "base/mem.h"
#include "base/text.h"
#include "control/number.h"
#include "control/rollout.h"

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
available(const struct replica_set *s)
{
	return least(s->available, least(s->before, s->replicas));
}

static bool
old(const struct rollout *r, size_t i)
{
	return &r->set[i] != r->latest && !r->set[i].doomed;
}

/*
 * Does every status speak of the size we gave the set last?  Until then it may count Pods that
 * are about to go, or that have gone and come back: a rolling update waits.
 */
static bool
observed(const struct rollout *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (num(get(r->set[i].obj, "status", "observedGeneration"), 0) <
		    meta_generation(r->set[i].obj))
			return false;
	return true;
}

/*
 * Pods that are still to go count as well: a set is as large as its spec or as its status says,
 * whichever is more.  (Kubernetes goes by the spec alone and may exceed maxSurge for a moment.)
 */
int64_t
rollout_room(const struct rollout *r, int64_t have)
{
	int64_t room = r->replicas + r->surge;

	if (!observed(r))
		return have;
	for (size_t i = 0; i < r->n; i++)
		room -=
		    r->set[i].replicas > r->set[i].current ? r->set[i].replicas : r->set[i].current;
	return room > 0 ? have + least(room, r->replicas - have) : have;
}

/* --- rolling update ------------------------------------------------------- */

/* Bring the latest set towards spec.replicas; returns whether its size changes. */
static bool
grow_latest(struct rollout *r)
{
	struct replica_set *s = r->latest;

	if (s->fresh || s->replicas == r->replicas)
		return false;
	s->replicas = s->replicas > r->replicas ? r->replicas : rollout_room(r, s->replicas);
	return s->replicas != s->before;
}

/* Old Pods that serve nobody go first, at most so many. */
static int64_t
remove_unhealthy(struct rollout *r, int64_t most)
{
	int64_t removed = 0;

	for (size_t i = 0; i < r->n && removed < most; i++) {
		struct replica_set *s = &r->set[i];
		int64_t n = least(most - removed, s->replicas - available(s));

		if (!old(r, i) || n <= 0)
			continue;
		s->replicas -= n;
		removed += n;
	}
	return removed;
}

/* Then healthy ones, as long as enough stay available. */
static void
remove_healthy(struct rollout *r, int64_t most)
{
	int64_t spare = -(r->replicas - r->unavailable);

	for (size_t i = 0; i < r->n; i++)
		spare += available(&r->set[i]);
	spare = least(spare, most);
	for (size_t i = 0; i < r->n && spare > 0; i++) {
		struct replica_set *s = &r->set[i];
		int64_t n = least(spare, s->replicas);

		if (!old(r, i))
			continue;
		s->replicas -= n;
		spare -= n;
	}
}

static void
shrink_old(struct rollout *r)
{
	int64_t keep = r->replicas - r->unavailable;
	int64_t starting = r->latest->replicas - available(r->latest);
	int64_t most = rollout_total(r) - keep - starting;

	if (most > 0)
		remove_healthy(r, most - remove_unhealthy(r, most));
}

void
rollout_rolling(struct rollout *r)
{
	rollout_sync_revision(r, true);
	if (r->latest && observed(r) && !grow_latest(r))
		shrink_old(r);
}

/* --- recreate --------------------------------------------------------------- */

/* Do Pods of old sets still exist?  The status may not have counted them yet, so ask for the Pods
 * too. */
static bool
old_pods_run(const struct rollout *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct walk it = world_owned(r->w, "Pod", meta_uid(r->set[i].obj));

		if (!old(r, i))
			continue;
		if (r->set[i].current > 0)
			return true;
		for (const json_t *pod; (pod = walk_next(&it));)
			if (!pod_finished(pod))
				return true;
	}
	return false;
}

void
rollout_recreate(struct rollout *r)
{
	bool shrinks = false;

	rollout_sync_revision(r, false);
	for (size_t i = 0; i < r->n; i++) {
		if (!old(r, i) || r->set[i].replicas == 0)
			continue;
		r->set[i].replicas = 0;
		shrinks = true;
	}
	if (shrinks || old_pods_run(r))
		return;
	if (!r->latest)
		rollout_sync_revision(r, true);
	if (r->latest)
		r->latest->replicas = r->replicas;
}

/* --- a changed spec.replicas in the middle of a rollout ----------------------- */

static bool
annotated(const struct replica_set *s, const char *key, long long *n)
{
	const char *value = meta_annotation(s->obj, key);

	if (!value || !text_int(value, n))
		return false;
	*n = clamp32(*n);
	return true;
}

bool
rollout_rescaled(const struct rollout *r)
{
	bool rescaled = false;
	size_t active = 0;

	for (size_t i = 0; i < r->n; i++) {
		long long then;

		if (r->set[i].replicas == 0)
			continue;
		active++;
		rescaled |=
		    annotated(&r->set[i], "deployment.kubernetes.io/desired-replicas", &then) &&
		    then != r->replicas;
	}
	return rescaled && !(r->recreate && active > 1); /* then the old ones go first */
}

/* The only set with replicas, or the latest or newest when none has any; NULL when several have. */
static struct replica_set *
active_or_latest(struct rollout *r)
{
	struct replica_set *found = NULL;

	for (size_t i = 0; i < r->n; i++) {
		if (r->set[i].replicas == 0)
			continue;
		if (found)
			return NULL;
		found = &r->set[i];
	}
	if (found || r->latest)
		return found ? found : r->latest;
	return r->n ? &r->set[r->n - 1] : NULL;
}

/* Does the latest set alone serve everything? */
static bool
saturated(const struct rollout *r)
{
	long long then;

	return r->latest && r->latest->replicas == r->replicas &&
	       annotated(r->latest, "deployment.kubernetes.io/desired-replicas", &then) &&
	       then == r->replicas && r->latest->available == r->replicas;
}

static int
larger_newer(const void *a, const void *b)
{
	const struct replica_set *x = *(struct replica_set *const *)a;
	const struct replica_set *y = *(struct replica_set *const *)b;

	if (x->replicas != y->replicas)
		return x->replicas > y->replicas ? -1 : 1;
	return x > y ? -1 : 1; /* the sets stand in the order of their age */
}

static int
larger_older(const void *a, const void *b)
{
	const struct replica_set *x = *(struct replica_set *const *)a;
	const struct replica_set *y = *(struct replica_set *const *)b;

	if (x->replicas != y->replicas)
		return x->replicas > y->replicas ? -1 : 1;
	return x < y ? -1 : 1;
}

/* What a set's share of the change is, rounded to the nearest, half away from zero. */
static int64_t
share(const struct rollout *r, const struct replica_set *s, int64_t left)
{
	long long most_then;
	double scaled;
	int64_t change;

	if (r->replicas == 0)
		return -s->replicas;
	if (!annotated(s, "deployment.kubernetes.io/max-replicas", &most_then) || most_then <= 0)
		most_then = num32(get(r->deployment, "status", "replicas"), 0);
	if (most_then <= 0)
		return 0;
	scaled = (double)s->replicas * (double)(r->replicas + r->surge) / (double)most_then;
	change = (scaled > INT32_MAX ? INT32_MAX : (int64_t)round(scaled)) - s->replicas;
	if (left > 0)
		return change > left ? left : change;
	return change < left ? left : change;
}

static void
scale_in_proportion(struct rollout *r)
{
	struct replica_set **active = xreallocarray(NULL, r->n + 1, sizeof *active);
	int64_t left = (r->replicas > 0 ? r->replicas + r->surge : 0) - rollout_total(r);
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (r->set[i].replicas > 0)
			active[n++] = &r->set[i];
	qsort(active, n, sizeof(struct replica_set *), left > 0 ? larger_newer : larger_older);
	for (size_t i = 0; i < n; i++) {
		int64_t change = left ? share(r, active[i], left) : 0;

		active[i]->replicas += change;
		active[i]->resized = true;
		left -= change;
	}
	if (n && left) { /* what rounding left over goes to the first */
		active[0]->replicas += left;
		if (active[0]->replicas < 0)
			active[0]->replicas = 0;
	}
	free(active);
}

void
rollout_scale(struct rollout *r)
{
	struct replica_set *only = active_or_latest(r);

	if (only) {
		only->replicas = r->replicas;
		only->resized = true;
	} else if (saturated(r)) {
		for (size_t i = 0; i < r->n; i++)
			if (old(r, i))
				r->set[i].replicas = 0;
	} else if (!r->recreate) {
		scale_in_proportion(r);
	}
}
