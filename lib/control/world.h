#ifndef ORCH_CONTROL_WORLD_H
#define ORCH_CONTROL_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/selector.h"

/*
 * A snapshot of objects with indexes: what a controller may know.  It answers by
 * kind, namespace, name, uid, owner's uid and node: never a scan of everything.
 * A filter fills it from a pipe; client/cache.c keeps one current from watches.
 *
 * Kinds are named by group-kind, "Pod" or "Deployment.apps" (meta_group_kind).
 * Which kinds there are at all is known when discovery objects are in it: served.h.
 * Objects in it are never changed: a newer one replaces the older.  Results are
 * borrowed and hold until the world next changes.
 */
struct world;

struct world *world_new(void);
void world_free(struct world *w); /* accepts NULL */

/* Put an object in place of the one with its kind, namespace and name; takes the reference. */
void world_put(struct world *w, json_t *obj);
/* Returns whether there was one. */
bool world_remove(struct world *w, const char *group_kind, const char *ns, const char *name);

/* Seconds since the epoch, as the snapshot sees it; controllers have no other clock. */
int64_t world_now(const struct world *w);
void world_set_now(struct world *w, int64_t now);

size_t world_count(const struct world *w, const char *group_kind);
const json_t *world_get(
    const struct world *w, const char *group_kind, const char *ns, const char *name);
const json_t *world_by_uid(const struct world *w, const char *uid); /* any kind */

/*
 * Was this kind listed completely?  `garbage` deletes only when the owner's kind was.  Setting "*"
 * known says so of every kind.
 */
bool world_knows(const struct world *w, const char *group_kind);
void world_set_known(struct world *w, const char *group_kind);

/*
 * Settings: what an administrator may tune, by the names Kubernetes' controller manager gives its
 * flags ("node-monitor-grace-period").  Whoever fills the world sets them; controllers have
 * defaults.
 */
void world_set(struct world *w, const char *name, const char *value);
const char *world_setting(const struct world *w, const char *name); /* NULL when not set */
double world_seconds(
    const struct world *w, const char *name, double dflt); /* of a duration such as "40s" */

/* The kinds that have been in the world, NULL after the last; in no certain order. */
const char *world_kind(const struct world *w, size_t i);

/*
 * Walks, in the order of namespace and name:
 *	struct walk it = world_each(w, "Pod", "default");	every Pod of a namespace; NULL: of
 *all for (const json_t *pod; (pod = walk_next(&it)); )
 */
struct walk {
	const json_t *const *at;
	size_t n;
};
struct walk world_each(const struct world *w, const char *group_kind, const char *ns);
/* Objects of a kind (NULL: of any) one of whose ownerReferences has this uid. */
struct walk world_owned(const struct world *w, const char *group_kind, const char *owner_uid);
/* Objects of a kind in a namespace that no controller owns: candidates for adoption. */
struct walk world_orphans(const struct world *w, const char *group_kind, const char *ns);
/* Pods with this spec.nodeName ("": those without a node). */
struct walk world_on_node(const struct world *w, const char *node);
const json_t *walk_next(struct walk *it);

#endif
