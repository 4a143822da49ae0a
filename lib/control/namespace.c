/*
 * Namespace: empty one that is being deleted, and let it go.
 *	reads	the Namespace and every object in it
 *	plans	delete of each, update-status Namespace, update of its finalize subresource
 *
 * What makes Pods goes first, with the Pods; the rest (Secrets, NetworkPolicies and
 * whatever a Pod may need to end well) only when the last Pod is gone (KEP-5080).
 */
#include <string.h>

#include "api/meta.h"
#include "api/schema.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "control/control.h"

/* Deletes of one plan. */
enum { BURST = 500 };

/* In this order, each makes what follows it. */
static const char *const makers[] = { "CronJob.batch", "Deployment.apps", "StatefulSet.apps",
	"DaemonSet.apps", "Job.batch", "ReplicaSet.apps", "ReplicationController", "Pod", NULL };

/* What is left, in words for the conditions. */
struct left {
	struct buf kinds, finalizers;
	size_t objects;
};

static void
plan_delete(const json_t *obj, size_t *budget, struct plan *out)
{
	json_t *action;

	if (meta_deleting(obj) || *budget == 0)
		return;
	--*budget;
	action = plan_add(
	    out, ACT_DELETE, plan_ref(obj), "namespace %s is being deleted", meta_namespace(obj));
	put(action, json_string("Background"), "options", "propagationPolicy");
}

static void
plan_delete_kind(
    const struct world *w, const char *kind, const char *ns, size_t *budget, struct plan *out)
{
	struct walk it = world_each(w, kind, ns);

	for (const json_t *obj; (obj = walk_next(&it));)
		plan_delete(obj, budget, out);
}

static void
plan_content(const struct world *w, const char *ns, struct plan *out)
{
	size_t budget = BURST;

	for (const char *const *kind = makers; *kind; kind++)
		plan_delete_kind(w, *kind, ns, &budget, out);
	if (world_each(w, "Pod", ns).n > 0)
		return;
	for (size_t i = 0; world_kind(w, i); i++)
		if (!text_in(world_kind(w, i), makers))
			plan_delete_kind(w, world_kind(w, i), ns, &budget, out);
}

/* "deployments.apps", "pods.": the resource as Kubernetes' message has it. */
static void
add_resource(struct buf *b, const json_t *obj, size_t n)
{
	const struct kind *k = kind_of_object(text(obj, "apiVersion"), text(obj, "kind"));

	buf_printf(b, "%s%s.%s has %zu resource instances", b->len ? ", " : "",
	    k ? k->plural : text(obj, "kind"), k ? k->group : "", n);
}

static void
count_finalizers(json_t *counts, const json_t *obj)
{
	size_t i;
	json_t *name;

	json_array_foreach (get(obj, "metadata", "finalizers"), i, name)
		json_object_set_new(counts, str(name, ""),
		    json_integer(num(json_object_get(counts, str(name, "")), 0) + 1));
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
count_left(const struct world *w, const char *ns, struct left *left)
{
	json_auto_t *finalizers = json_object();
	const char **kinds = NULL, *name;
	size_t n = 0, cap = 0;
	json_t *count;

	for (; world_kind(w, n); n++) {
		GROW(kinds, n, cap);
		kinds[n] = world_kind(w, n);
	}
	if (n)
		qsort(kinds, n, sizeof *kinds, by_text);
	for (size_t i = 0; i < n; i++) {
		struct walk it = world_each(w, kinds[i], ns);

		if (it.n)
			add_resource(&left->kinds, it.at[0], it.n);
		left->objects += it.n;
		for (const json_t *obj; (obj = walk_next(&it));)
			count_finalizers(finalizers, obj);
	}
	json_object_foreach (finalizers, name, count)
		buf_printf(&left->finalizers, "%s%s in %lld resource instances",
		    left->finalizers.len ? ", " : "", name, (long long)json_integer_value(count));
	free(kinds);
}

static bool
set_conditions(json_t *next, const struct left *left, const char *now)
{
	autofree char *kinds =
	    xasprintf("Some resources are remaining: %s", left->kinds.data ? left->kinds.data : "");
	autofree char *finalizers =
	    xasprintf("Some content in the namespace has finalizers remaining: %s",
		left->finalizers.data ? left->finalizers.data : "");
	bool held = left->finalizers.len > 0, changed = false;

	changed |= condition_set(next, "NamespaceDeletionDiscoveryFailure", "False",
	    "ResourcesDiscovered", "All resources successfully discovered", now);
	changed |= condition_set(next, "NamespaceDeletionGroupVersionParsingFailure", "False",
	    "ParsedGroupVersions", "All legacy kube types successfully parsed", now);
	changed |= condition_set(next, "NamespaceDeletionContentFailure", "False", "ContentDeleted",
	    "All content successfully deleted, may be waiting on finalization", now);
	changed |= condition_set(
	    next, "NamespaceContentRemaining", "True", "SomeResourcesRemain", kinds, now);
	changed |= condition_set(next, "NamespaceFinalizersRemaining", held ? "True" : "False",
	    held ? "SomeFinalizersRemain" : "ContentHasNoFinalizers",
	    held ? finalizers : "All content-preserving finalizers finished", now);
	return changed;
}

static void
plan_status(const struct world *w, const json_t *ns, const struct left *left, struct plan *out)
{
	json_auto_t *next = json_deep_copy(ns);
	char now[TIME_TEXT];
	bool changed;

	time_print(world_now(w), now);
	changed = set_conditions(next, left, now);
	if (strcmp(text(ns, "status", "phase"), "Terminating") != 0) {
		put(next, json_string("Terminating"), "status", "phase");
		changed = true;
	}
	if (changed)
		plan_add(out, ACT_UPDATE_STATUS, json_incref(next), "%zu objects are left",
		    left->objects);
}

/* A kind that was not looked at and could have objects here, or NULL.  Events go without being
 * looked at. */
static const struct kind *
unknown_kind(const struct world *w)
{
	char group_kind[128];
	size_t n;
	const struct kind *const *kinds = schema_kinds(&n);

	for (size_t i = 0; i < n; i++)
		if (kinds[i]->namespaced && (~kinds[i]->verbs & (VERB_LIST | VERB_WATCH)) == 0 &&
		    strcmp(kinds[i]->kind, "Event") != 0 &&
		    !world_knows(w, kind_group_kind(kinds[i], group_kind)))
			return kinds[i];
	return NULL;
}

/* Take our finalizer away, which ends the Namespace. */
static int
plan_finalize(const struct world *w, const json_t *ns, struct plan *out, struct err *err)
{
	const struct kind *unknown = unknown_kind(w);
	json_t *next, *kept = json_array(), *name;
	size_t i;

	if (unknown) {
		json_decref(kept);
		return err_set(err, ERR_UNAVAILABLE,
		    "it looks empty, but of %s nothing is known here (is the input complete?)",
		    unknown->plural);
	}
	json_array_foreach (get(ns, "spec", "finalizers"), i, name)
		if (strcmp(str(name, ""), "kubernetes") != 0)
			json_array_append(kept, name);
	put(plan_add(out, ACT_DELETE,
		json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind", "Event", "metadata",
		    "namespace", meta_name(ns)),
		"what happened in namespace %s goes with it", meta_name(ns)),
	    json_true(), "collection");
	next = json_deep_copy(ns);
	put(next, kept, "spec", "finalizers");
	put(plan_add(out, ACT_UPDATE, next, "namespace %s is empty", meta_name(ns)),
	    json_string("finalize"), "subresource");
	return 0;
}

static bool
ours(const json_t *ns)
{
	size_t i;
	json_t *name;

	json_array_foreach (get(ns, "spec", "finalizers"), i, name)
		if (strcmp(str(name, ""), "kubernetes") == 0)
			return true;
	return false;
}

static int
reconcile(const struct world *w, const json_t *ns, struct plan *out, struct err *err)
{
	struct left left = { BUF_INIT, BUF_INIT, 0 };

	if (!meta_deleting(ns) || !ours(ns))
		return 0;
	count_left(w, meta_name(ns), &left);
	if (left.objects == 0)
		return plan_finalize(w, ns, out, err);
	plan_content(w, meta_name(ns), out);
	plan_status(w, ns, &left, out);
	buf_release(&left.kinds);
	buf_release(&left.finalizers);
	return 0;
}

/* Whatever changes in a Namespace that is being deleted. */
static void
wakes(const struct world *w, const json_t *obj,
    void (*wake)(void *arg, const char *group_kind, const char *ns, const char *name), void *arg)
{
	const json_t *ns = world_get(w, "Namespace", "", meta_namespace(obj));

	if (ns && meta_deleting(ns))
		wake(arg, NULL, "", meta_name(ns));
}

const struct controller namespace_controller = {
	.name = "namespace",
	.kind = "Namespace",
	.reads = (const char *const[]){ "*", NULL },
	.wakes = wakes,
	.reconcile = reconcile,
	.summary = "empty a Namespace that is being deleted, and let it go",
};
