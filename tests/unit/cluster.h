/*
 * A cluster in an array, for tests of controllers: what an API server does to the objects that
 * actions name, and what agents (kubelets, the scheduler) do on their own.
 */
#ifndef ORCH_TESTS_CLUSTER_H
#define ORCH_TESTS_CLUSTER_H

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "base/mem.h"
#include "base/time.h"
#include "control/control.h"

struct cluster {
	json_t *objects; /* never changed in place: a world may hold an older one */
	long long version, serial;
	int64_t now;
	json_t *alive; /* names of Nodes whose kubelet runs */
	bool nodes;    /* there were Nodes: only their kubelets run */
};

static inline void
cluster_init(struct cluster *c, int64_t now)
{
	*c = (struct cluster){ .objects = json_array(), .now = now, .alive = json_object() };
}

static inline void
cluster_release(struct cluster *c)
{
	json_decref(c->objects);
	json_decref(c->alive);
}

static inline bool
same(const json_t *a, const json_t *b)
{
	char ka[128], kb[128];

	return strcmp(meta_name(a), meta_name(b)) == 0 &&
	       strcmp(meta_namespace(a), meta_namespace(b)) == 0 &&
	       strcmp(meta_group_kind(a, ka), meta_group_kind(b, kb)) == 0;
}

/* The index of the object of this identity, or the number of objects. */
static inline size_t
cluster_index(const struct cluster *c, const json_t *like)
{
	size_t i;
	json_t *obj;

	json_array_foreach (c->objects, i, obj)
		if (same(obj, like))
			break;
	return i;
}

static inline const char *
cluster_now(const struct cluster *c)
{
	static char text_now[TIME_TEXT];

	return time_print(c->now, text_now);
}

/* Store obj (taken) at an index: a new version; gone when it was to go and nothing holds it. */
static inline void
cluster_store(struct cluster *c, size_t i, json_t *obj)
{
	bool held = json_array_size(get(obj, "metadata", "finalizers")) > 0 ||
		    json_array_size(get(obj, "spec", "finalizers")) > 0 ||
		    (strcmp(text(obj, "kind"), "Pod") == 0 && *text(obj, "spec", "nodeName") &&
			num(get(obj, "metadata", "deletionGracePeriodSeconds"), 30) > 0);

	c->version++;
	if (meta_deleting(obj) && !held) {
		json_decref(obj);
		json_array_remove(c->objects, i);
		return;
	}
	put(obj, json_sprintf("%lld", c->version), "metadata", "resourceVersion");
	if (i < json_array_size(c->objects))
		json_array_set_new(c->objects, i, obj);
	else
		json_array_append_new(c->objects, obj);
}

static inline void
cluster_add(struct cluster *c, json_t *obj)
{
	if (!*meta_uid(obj))
		put(obj, json_sprintf("new-%lld", ++c->serial), "metadata", "uid");
	if (!*meta_created(obj))
		put(obj, json_string(cluster_now(c)), "metadata", "creationTimestamp");
	cluster_store(c, json_array_size(c->objects), obj);
}

static inline int
cluster_create(struct cluster *c, const json_t *planned, struct err *err)
{
	size_t i = cluster_index(c, planned);
	json_t *obj;

	if (i < json_array_size(c->objects)) {
		const char *ours = text(meta_controller(planned), "uid");
		const json_t *there = json_array_get(c->objects, i);

		if (*ours && strcmp(text(meta_controller(there), "uid"), ours) == 0)
			return 0;
		return err_set(err, ERR_EXISTS, "%s already exists", meta_name(planned));
	}
	assert(*meta_name(planned));
	obj = json_deep_copy(planned);
	json_object_del(obj, "status");
	put(obj, json_integer(1), "metadata", "generation");
	cluster_add(c, obj);
	return 0;
}

/* Preconditions of a write, as its metadata states them. */
static inline int
cluster_guard(const json_t *there, const json_t *planned, struct err *err)
{
	if (*meta_uid(planned) && strcmp(meta_uid(there), meta_uid(planned)) != 0)
		return err_set(err, ERR_CONFLICT, "another uid");
	if (*meta_version(planned) && strcmp(meta_version(there), meta_version(planned)) != 0)
		return err_set(err, ERR_CONFLICT, "another resourceVersion");
	return 0;
}

static inline void
merge(json_t *into, const json_t *patch)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)patch, key, value) {
		if (json_is_null(value)) {
			json_object_del(into, key);
		} else if (json_is_object(value)) {
			if (!json_is_object(json_object_get(into, key)))
				json_object_set_new(into, key, json_object());
			merge(json_object_get(into, key), value);
		} else {
			json_object_set_new(into, key, json_deep_copy(value));
		}
	}
}

/* update, update-status and patch: what the object becomes; new. */
static inline json_t *
cluster_changed(const json_t *there, const json_t *planned, int verb)
{
	json_t *next = json_deep_copy(verb == ACT_UPDATE ? planned : there);

	if (verb == ACT_PATCH)
		merge(next, planned);
	else if (verb == ACT_UPDATE_STATUS)
		json_object_set_new(next, "status", json_deep_copy(get(planned, "status")));
	else if (get(there, "status"))
		json_object_set_new(next, "status", json_deep_copy(get(there, "status")));
	if (!json_equal(get(next, "spec"), get(there, "spec")))
		put(next, json_integer(meta_generation(there) + 1), "metadata", "generation");
	return next;
}

static inline void
cluster_delete(struct cluster *c, size_t i, const json_t *options)
{
	const char *policy = text(options, "propagationPolicy");
	json_t *obj = json_deep_copy(json_array_get(c->objects, i));
	const char *finalizer = strcmp(policy, "Foreground") == 0 ? "foregroundDeletion"
				: strcmp(policy, "Orphan") == 0	  ? "orphan"
								  : NULL;

	if (finalizer && !meta_has_finalizer(obj, finalizer)) {
		if (!get(obj, "metadata", "finalizers"))
			put(obj, json_array(), "metadata", "finalizers");
		json_array_append_new(get(obj, "metadata", "finalizers"), json_string(finalizer));
	}
	if (!meta_deleting(obj))
		put(obj, json_string(cluster_now(c)), "metadata", "deletionTimestamp");
	if (get(options, "gracePeriodSeconds"))
		put(obj, json_incref(get(options, "gracePeriodSeconds")), "metadata",
		    "deletionGracePeriodSeconds");
	cluster_store(c, i, obj);
}

static inline bool
refers(const json_t *ref, const json_t *obj)
{
	return strcmp(text(ref, "kind"), text(obj, "kind")) == 0 &&
	       strcmp(text(ref, "name"), meta_name(obj)) == 0 &&
	       strcmp(text(ref, "namespace"), meta_namespace(obj)) == 0 &&
	       (!*text(ref, "uid") || strcmp(text(ref, "uid"), meta_uid(obj)) == 0);
}

static inline int
cluster_absent(const struct cluster *c, const json_t *refs, struct err *err)
{
	size_t i, j;
	json_t *ref, *obj;

	json_array_foreach (refs, i, ref)
		json_array_foreach (c->objects, j, obj)
			if (refers(ref, obj))
				return err_set(err, ERR_CONFLICT, "it is there");
	return 0;
}

static inline int
cluster_empty(const struct cluster *c, const char *ns, struct err *err)
{
	size_t i;
	json_t *obj;

	json_array_foreach (c->objects, i, obj)
		if (*ns && strcmp(meta_namespace(obj), ns) == 0)
			return err_set(err, ERR_CONFLICT, "it is not empty");
	return 0;
}

/* Carry out one action. */
static inline int
cluster_act(struct cluster *c, const json_t *action, struct err *err)
{
	int verb = verb_of_name(text(action, "action")), r;
	const json_t *planned = get(action, "object");
	size_t i = cluster_index(c, planned);
	const json_t *there = json_array_get(c->objects, i);

	if (verb == ACT_EVENT || truth(get(action, "collection")))
		return 0; /* Events are not kept here */
	if ((r = cluster_absent(c, get(action, "absent"), err)) < 0 ||
	    (r = cluster_empty(c, text(action, "empty"), err)) < 0)
		return r;
	if (verb == ACT_CREATE)
		return cluster_create(c, planned, err);
	if (!there)
		return verb == ACT_DELETE ? 0 : err_set(err, ERR_NOT_FOUND, "no such object");
	if ((r = cluster_guard(there, planned, err)) < 0)
		return r;
	if (verb == ACT_DELETE) {
		cluster_delete(c, i, get(action, "options"));
		return 0;
	}
	assert(verb == ACT_UPDATE || verb == ACT_UPDATE_STATUS || verb == ACT_PATCH);
	cluster_store(c, i, cluster_changed(there, planned, verb));
	return 0;
}

static inline struct world *
cluster_world(const struct cluster *c)
{
	struct world *w = world_new();
	char kind[128];
	size_t i;
	json_t *obj;

	world_set_now(w, c->now);
	json_array_foreach (c->objects, i, obj) {
		world_set_known(w, meta_group_kind(obj, kind));
		world_put(w, json_incref(obj));
	}
	return w;
}

/* --- agents ------------------------------------------------------------------ */

static inline bool
kubelet_runs(const struct cluster *c, const json_t *pod)
{
	const char *node = text(pod, "spec", "nodeName");

	return *node && (!c->nodes || json_object_get(c->alive, node));
}

/* One step for the Pod at i: assign, start, or end it.  Returns whether there was something to do.
 */
static inline bool
agent_step(struct cluster *c, size_t i)
{
	const json_t *pod = json_array_get(c->objects, i);
	json_t *next;

	if (strcmp(text(pod, "kind"), "Pod") != 0)
		return false;
	if (!*text(pod, "spec", "nodeName") && pod_active(pod)) {
		next = json_deep_copy(pod);
		put(next, json_string("n1"), "spec", "nodeName");
	} else if (!kubelet_runs(c, pod)) {
		return false;
	} else if (meta_deleting(pod)) {
		next = json_deep_copy(pod);
		put(next, json_integer(0), "metadata", "deletionGracePeriodSeconds");
	} else if (!pod_finished(pod) && !condition_find(pod, "Ready")) {
		next = json_deep_copy(pod);
		put(next, json_string("Running"), "status", "phase");
		condition_set(next, "Ready", "True", "", "", cluster_now(c));
	} else {
		return false;
	}
	cluster_store(c, i, next);
	return true;
}

/* Time passes; the kubelets that run renew their Leases. */
static inline void
cluster_wait(struct cluster *c, int64_t seconds)
{
	size_t i;
	json_t *obj;

	c->now += seconds;
	json_array_foreach (c->objects, i, obj) {
		json_t *next;

		if (strcmp(text(obj, "kind"), "Lease") != 0 ||
		    !json_object_get(c->alive, meta_name(obj)))
			continue;
		next = json_deep_copy(obj);
		put(next, json_string(cluster_now(c)), "spec", "renewTime");
		cluster_store(c, i, next);
	}
}

/* Which kubelets run at the beginning: those whose Node is ready and whose Lease is fresh. */
static inline void
cluster_find_alive(struct cluster *c, int64_t grace)
{
	size_t i, j;
	json_t *node, *lease;

	json_array_foreach (c->objects, i, node) {
		bool alive = node_ready(node);

		if (strcmp(text(node, "kind"), "Node") != 0)
			continue;
		c->nodes = true;
		json_array_foreach (c->objects, j, lease) {
			int64_t renewed;

			if (strcmp(text(lease, "kind"), "Lease") == 0 &&
			    strcmp(meta_name(lease), meta_name(node)) == 0 &&
			    time_parse(text(lease, "spec", "renewTime"), &renewed))
				alive = alive && c->now - renewed <= grace;
		}
		if (alive)
			json_object_set_new(c->alive, meta_name(node), json_true());
	}
}

#endif
