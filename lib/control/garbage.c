/*
 * Garbage: delete what has lost its last owner; carry out foreground deletion and orphaning.
 *	reads	every object
 *	plans	delete, patch (ownerReferences, finalizers) of any object
 *
 * An owner is gone when its kind is known and no object has its uid.  The delete names the owners
 * that must be absent, so that an owner a cache has not heard of yet is found in time.  What an
 * owner whose server does not answer is about is not known, so it counts as alive.
 */
#include <string.h>

#include "api/meta.h"
#include "api/schema.h"
#include "control/claim.h"
#include "control/control.h"
#include "control/served.h"

#define FOREGROUND "foregroundDeletion"
#define ORPHAN "orphan"

enum { LONGEST_CIRCLE = 16 };

/* What has become of an owner. */
enum fate {
	ALIVE,	 /* or not known to be gone */
	GONE,	 /* dangling: nothing has this uid */
	WAITING, /* being deleted, once its dependents are gone */
};

static bool
waits_for_dependents(const json_t *obj)
{
	return meta_deleting(obj) && meta_has_finalizer(obj, FOREGROUND);
}

enum scope { CLUSTER, NAMESPACED, UNKNOWN };

static enum scope
scope_of(const struct world *w, const json_t *ref)
{
	char group_kind[128];
	const struct served *s = world_served(w, meta_group_kind(ref, group_kind));
	const struct kind *k = kind_of_object(text(ref, "apiVersion"), text(ref, "kind"));

	if (!s && !k)
		return UNKNOWN;
	return (s ? s->namespaced : k->namespaced) ? NAMESPACED : CLUSTER;
}

/*
 * An owner in a namespace can own only what is in the same one.  A reference that says otherwise
 * cannot be looked up; like Kubernetes we leave such a cluster-scoped object alone.
 */
static bool
resolvable(const struct world *w, const json_t *obj, const json_t *ref)
{
	return *text(ref, "uid") && (*meta_namespace(obj) || scope_of(w, ref) != NAMESPACED);
}

static bool
elsewhere(const json_t *obj, const json_t *owner)
{
	return *meta_namespace(owner) && strcmp(meta_namespace(owner), meta_namespace(obj)) != 0;
}

/* Is it what the reference calls it, in whatever version? */
static bool
is_called(const json_t *owner, const json_t *ref)
{
	char have[128], want[128];

	return strcmp(meta_name(owner), text(ref, "name")) == 0 &&
	       strcmp(meta_group_kind(owner, have), meta_group_kind(ref, want)) == 0;
}

static enum fate
fate_of(const struct world *w, const json_t *obj, const json_t *ref)
{
	const json_t *owner = world_by_uid(w, text(ref, "uid"));
	const struct served *s;
	char kind[128];

	if (!resolvable(w, obj, ref))
		return ALIVE;
	if (owner && !elsewhere(obj, owner) && is_called(owner, ref))
		return waits_for_dependents(owner) ? WAITING : ALIVE;
	/* the same uid elsewhere, or by another name, is nothing that it could belong to */
	s = world_served(w, meta_group_kind(ref, kind));
	return world_knows(w, kind) && !(s && s->stale) ? GONE : ALIVE;
}

/* A reference across namespaces is an error that its author must hear of. */
static void
tell_elsewhere(const struct world *w, const json_t *obj, struct plan *out)
{
	size_t i;
	json_t *ref;

	json_array_foreach (get(obj, "metadata", "ownerReferences"), i, ref) {
		const json_t *owner = world_by_uid(w, text(ref, "uid"));

		if (owner && elsewhere(obj, owner))
			plan_event(out, w, obj, "Warning", "OwnerRefInvalidNamespace",
			    "ownerRef [%s/%s, namespace: %s, name: %s, uid: %s] does not exist in "
			    "namespace \"%s\"",
			    text(ref, "apiVersion"), text(ref, "kind"), meta_namespace(obj),
			    text(ref, "name"), text(ref, "uid"), meta_namespace(obj));
	}
}

/* A patch of an object's finalizers without this one. */
static void
plan_unfinalize(const json_t *obj, const char *finalizer, const char *reason, struct plan *out)
{
	json_t *patch = plan_ref_version(obj), *kept = json_array(), *name;
	size_t i;

	json_array_foreach (get(obj, "metadata", "finalizers"), i, name)
		if (strcmp(str(name, ""), finalizer) != 0)
			json_array_append(kept, name);
	put(patch, kept, "metadata", "finalizers");
	plan_add(out, ACT_PATCH, patch, "%s", reason);
}

static void
plan_references(const json_t *obj, json_t *refs, const char *reason, struct plan *out)
{
	json_t *patch = plan_ref_version(obj);

	put(patch, refs, "metadata", "ownerReferences");
	plan_add(out, ACT_PATCH, patch, "%s", reason);
}

/* Dependents are let go one and all before the owner is. */
static void
orphan(const struct world *w, const json_t *obj, struct plan *out)
{
	struct walk it = world_owned(w, NULL, meta_uid(obj));

	if (it.n == 0)
		plan_unfinalize(obj, ORPHAN, "it has no dependents any more", out);
	for (const json_t *dependent; (dependent = walk_next(&it));)
		plan_references(dependent, claim_references_without(meta_uid(obj), dependent),
		    "its owner is deleted without it", out);
}

static bool
blocks(const json_t *dependent, const json_t *owner)
{
	size_t i;
	json_t *ref;

	json_array_foreach (get(dependent, "metadata", "ownerReferences"), i, ref)
		if (strcmp(text(ref, "uid"), meta_uid(owner)) == 0 &&
		    truth(get(ref, "blockOwnerDeletion")))
			return true;
	return false;
}

/* Is `uid` among the owners of obj that wait, or theirs? */
static bool
waits_for(const struct world *w, const json_t *obj, const char *uid, int depth)
{
	size_t i;
	json_t *ref;

	json_array_foreach (get(obj, "metadata", "ownerReferences"), i, ref) {
		const json_t *owner = world_by_uid(w, text(ref, "uid"));

		if (!owner || depth == 0)
			continue;
		if (strcmp(meta_uid(owner), uid) == 0)
			return true;
		if (waits_for_dependents(owner) && waits_for(w, owner, uid, depth - 1))
			return true;
	}
	return false;
}

/* Objects that own each other would wait for each other for ever: let none block its owner. */
static void
break_circle(const struct world *w, const json_t *obj, struct plan *out)
{
	json_t *refs, *ref;
	bool blocking = false;
	size_t i;

	if (!waits_for(w, obj, meta_uid(obj), LONGEST_CIRCLE))
		return;
	refs = json_deep_copy(get(obj, "metadata", "ownerReferences"));
	json_array_foreach (refs, i, ref) {
		blocking |= truth(get(ref, "blockOwnerDeletion"));
		put(ref, json_false(), "blockOwnerDeletion");
	}
	if (blocking)
		plan_references(
		    obj, json_incref(refs), "it and its owner wait for each other", out);
	json_decref(refs);
}

/* Dependents see for themselves that their owner waits; it may go when none that blocks it is left.
 */
static void
wait_for_dependents(const struct world *w, const json_t *obj, struct plan *out)
{
	struct walk it = world_owned(w, NULL, meta_uid(obj));

	for (const json_t *dependent; (dependent = walk_next(&it));)
		if (blocks(dependent, obj)) {
			break_circle(w, obj, out);
			return;
		}
	plan_unfinalize(obj, FOREGROUND, "the dependents it waited for are gone", out);
}

/* The references that must be absent when the delete is carried out. */
static json_t *
absent(const struct world *w, const json_t *obj)
{
	json_t *all = json_array(), *ref;
	size_t i;

	json_array_foreach (get(obj, "metadata", "ownerReferences"), i, ref) {
		json_t *one;

		if (fate_of(w, obj, ref) != GONE)
			continue;
		one = json_pack("{s:s, s:s, s:s, s:s}", "apiVersion", text(ref, "apiVersion"),
		    "kind", text(ref, "kind"), "name", text(ref, "name"), "uid", text(ref, "uid"));
		if (*meta_namespace(obj) && scope_of(w, ref) != CLUSTER)
			put(one, json_string(meta_namespace(obj)), "namespace");
		json_array_append_new(all, one);
	}
	return all;
}

static void
plan_delete(const struct world *w, const json_t *obj, const char *policy, const char *reason,
    struct plan *out)
{
	json_t *refs = absent(w, obj);
	json_t *action = plan_add(out, ACT_DELETE, plan_ref(obj), "%s", reason);

	put(action, json_string(policy), "options", "propagationPolicy");
	if (json_array_size(refs) > 0)
		put(action, json_incref(refs), "absent");
	json_decref(refs);
}

static const char *
own_policy(const json_t *obj)
{
	if (meta_has_finalizer(obj, ORPHAN))
		return "Orphan";
	return meta_has_finalizer(obj, FOREGROUND) ? "Foreground" : "Background";
}

/* An object that is not being deleted: how are its owners? */
static void
judge(const struct world *w, const json_t *obj, struct plan *out)
{
	size_t count[3] = { 0 }, i;
	json_t *refs = json_array(), *ref;

	tell_elsewhere(w, obj, out);
	json_array_foreach (get(obj, "metadata", "ownerReferences"), i, ref) {
		enum fate fate = fate_of(w, obj, ref);

		count[fate]++;
		if (fate == ALIVE)
			json_array_append(refs, ref);
	}
	if (count[ALIVE] && count[GONE] + count[WAITING]) {
		plan_references(obj, json_incref(refs), "some of its owners are gone", out);
	} else if (count[WAITING] && world_owned(w, NULL, meta_uid(obj)).n > 0) {
		break_circle(w, obj, out);
		plan_delete(w, obj, "Foreground", "its owner is deleted once it is gone", out);
	} else if (count[WAITING]) {
		plan_delete(w, obj, own_policy(obj), "its owner is deleted once it is gone", out);
	} else if (count[GONE]) {
		plan_delete(w, obj, own_policy(obj), "all its owners are gone", out);
	}
	json_decref(refs);
}

static int
reconcile(const struct world *w, const json_t *obj, struct plan *out, struct err *err)
{
	(void)err;
	if (!meta_deleting(obj))
		judge(w, obj, out);
	else if (meta_has_finalizer(obj, ORPHAN))
		orphan(w, obj, out);
	else if (meta_has_finalizer(obj, FOREGROUND))
		wait_for_dependents(w, obj, out);
	return 0;
}

const struct controller garbage_controller = {
	.name = "garbage",
	.kind = "*",
	.reads = (const char *const[]){ "*", NULL },
	.reconcile = reconcile,
	.summary = "delete what has lost its owners",
};
