#ifndef ORCH_CONTROL_CONTROL_H
#define ORCH_CONTROL_CONTROL_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"
#include "control/world.h"

/*
 * A controller is a pure function: a snapshot of the world in, a plan out.  It
 * does no I/O, reads no clock, draws no random number and keeps no state
 * between calls (`make pure` checks that at link level).  Running for ever is the same
 * function under client/loop.h.
 */
enum verb {
	ACT_CREATE,
	ACT_UPDATE,	   /* replaces; refused when resourceVersion is no longer current */
	ACT_UPDATE_STATUS, /* the same for the status subresource */
	ACT_PATCH,  /* a merge patch of "object": apiVersion, kind, metadata.name say of what; a uid
		       and resourceVersion in it are preconditions, as in Kubernetes */
	ACT_APPLY,  /* "object" has these fields from now on, and of what was applied before no
		       others  (server-side apply, as field manager "by"; takes fields over) */
	ACT_DELETE, /* refused when the uid differs; "options" may hold propagationPolicy,
		       gracePeriodSeconds */
	ACT_EVICT,
	ACT_BIND,  /* object is a v1 Binding */
	ACT_EVENT, /* object is a v1 Event; counted up when the same one exists */
	ACT_COUNT
};

/*
 * What a loop wants done, in order: the action stream of orch-streams(7).  Some actions have
 * more keys:
 *	"subresource"	where the update, patch or apply goes: "finalize", "status".
 *	"options"	a DeleteOptions (also for evict), without preconditions.
 *	"collection"	true: a delete of every object of this kind in the namespace; no name.
 *	"empty"		a namespace: refused with a conflict when the API server has an object of
 *			any kind but Event in it after all.
 *	"absent"	references {"apiVersion","kind","namespace","name","uid"}: the action is
 *			refused with a conflict when the API server has one of these after all,
 *			because a cache may not have heard of it yet.
 */
struct plan {
	json_t *actions;     /* array of {"action","object","reason","by","for"} */
	const char *by;	     /* the controller's name */
	const char *for_ref; /* meta_ref of the object being reconciled; borrowed */
	int64_t again; /* seconds until this key should be looked at again; 0: not asked for */
};

void plan_init(struct plan *plan, const char *by, const char *for_ref);
void plan_release(struct plan *plan);

/*
 * Add an action; takes `object`, which must not be NULL.  `reason` is one
 * sentence a person understands: "2 of 3 replicas exist".  Returns the action (borrowed) for extra
 * keys.
 */
json_t *plan_add(struct plan *plan, enum verb verb, json_t *object, const char *reason, ...)
    PRINTF(4, 5);
/* Look again in `seconds` (the soonest asked for wins). */
void plan_again(struct plan *plan, int64_t seconds);
/*
 * An Event about an object: type "Normal" or "Warning".  Its name follows from the object's uid,
 * type, reason and message: the same one again is counted up.
 */
void plan_event(struct plan *plan, const struct world *w, const json_t *about, const char *type,
    const char *reason, const char *message, ...) PRINTF(6, 7);

/* What a delete needs, and a patch begins with: apiVersion, kind, name, namespace and uid; new. */
json_t *plan_ref(const json_t *obj);
/* The same with resourceVersion: the patch is refused when the object has changed since. */
json_t *plan_ref_version(const json_t *obj);

const char *verb_name(enum verb verb); /* "update-status" */
int verb_of_name(const char *name);    /* or -1 */

struct controller {
	const char *name; /* what the user types: orch-reconcile NAME */
	const char *kind; /* group-kind of its keys: "Deployment.apps"; "*": all kinds */
	/* Other group-kinds it looks at, NULL-terminated; "*" for all kinds that are served, built
	 * in or not: of these, metadata alone may be what there is, and of that only names, uids,
	 * versions, owners, finalizers and the time of deletion. */
	const char *const *reads;
	/*
	 * Which keys a change of obj (of `reads`) wakes, when its controller owner is not the
	 * answer (that case needs nothing).  When obj was deleted it is no longer in the world.
	 * Calls wake(arg, group_kind, ns, name) for each; group_kind NULL is the controller's own
	 * kind.  May be NULL.
	 */
	void (*wakes)(const struct world *w, const json_t *obj,
	    void (*wake)(void *arg, const char *group_kind, const char *ns, const char *name),
	    void *arg);
	int (*reconcile)(
	    const struct world *w, const json_t *obj, struct plan *out, struct err *err);
	/*
	 * The API refused `action` of a plan for obj: what to tell people (a condition, an Event).
	 * The key is retried in any case.  May be NULL.
	 */
	void (*refused)(const struct world *w, const json_t *obj, const json_t *action,
	    const struct err *why, struct plan *out);
	const char *summary;
};

extern const struct controller *const controllers[];	    /* registry.c, NULL-terminated */
const struct controller *controller_find(const char *name); /* by name or unique kind word; NULL */

#endif
