#ifndef ORCH_API_META_H
#define ORCH_API_META_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Views into an object.  There are no generated structs: an object stays a
 * json_t, unknown fields survive, and these read it.  Everything returned is
 * borrowed from the object.  A missing text is "", so results can be compared at once.
 */

/* Follow keys, NULL when one is missing: get(pod, "status", "phase"). */
json_t *get_path(const json_t *obj, ...) __attribute__((sentinel));
#define get(...) get_path(__VA_ARGS__, (char *)NULL)

const char *str(const json_t *v, const char *dflt); /* the text, or dflt when v is not a string */
json_int_t num(const json_t *v, json_int_t dflt);
bool truth(const json_t *v); /* v is true; missing is false */
/* get and str in one: text(pod, "spec", "nodeName") is "" when missing. */
#define text(...) str(get(__VA_ARGS__), "")

const char *meta_name(const json_t *obj);
const char *meta_namespace(const json_t *obj); /* "" for cluster-scoped objects */
const char *meta_uid(const json_t *obj);
const char *meta_version(const json_t *obj); /* metadata.resourceVersion */
const char *meta_created(const json_t *obj); /* metadata.creationTimestamp */
json_int_t meta_generation(const json_t *obj);
bool meta_deleting(const json_t *obj);				 /* has a deletionTimestamp */
json_t *meta_labels(const json_t *obj);				 /* NULL when it has none */
const char *meta_label(const json_t *obj, const char *key);	 /* NULL when not set */
const char *meta_annotation(const json_t *obj, const char *key); /* NULL when not set */
bool meta_has_finalizer(const json_t *obj, const char *name);

json_t *meta_controller(const json_t *obj); /* the ownerReference with controller: true, or NULL */
bool meta_owned_by(const json_t *obj, const json_t *owner); /* that reference has owner's uid */
json_t *meta_owner_ref(const json_t *owner); /* new: a controller ownerReference to owner */

/* "Deployment.apps", "Pod": kind and group as Kubernetes writes them, from apiVersion and
 * kind, into buf; returns buf.  The version is left out on purpose: an object is the
 * same one in every version. */
const char *meta_group_kind(const json_t *obj, char buf[static 128]);

/* "apps/v1/ReplicaSet/default/web-6d": what messages and the action stream call an object
 * ("v1/Node/n1" without a namespace); a new string, the caller frees it. */
char *meta_ref(const json_t *obj);

/* Set obj[key1][key2]... = value (taken), making the objects in between. */
void put_path(json_t *obj, json_t *value, ...) __attribute__((sentinel));
#define put(obj, value, ...) put_path(obj, value, __VA_ARGS__, (char *)NULL)

/* The object condition of status.conditions with this type, or NULL; and whether it is "True". */
json_t *condition_find(const json_t *obj, const char *type);
bool condition_true(const json_t *obj, const char *type);
/*
 * Set a condition in a status.conditions array (created when missing): lastTransitionTime
 * becomes `now` (RFC 3339) only when status changes.  Returns whether anything changed.
 */
bool condition_set(json_t *obj, const char *type, const char *status, const char *reason,
    const char *message, const char *now);

#endif
