/*
 * Namespace: empty one that is being deleted, and let it go.
 *	reads	the Namespace and every object in it, of whatever kind; the kinds that are served
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
#include "control/served.h"

/* Deletes of one plan. */
enum { BURST = 500 };

/* In this order, each makes what follows it. */
static const char *const makers[] = { "CronJob.batch", "Deployment.apps", "StatefulSet.apps",
	"DaemonSet.apps", "Job.batch", "ReplicaSet.apps", "ReplicationController", "Pod", NULL };

/* What is left, in words for the conditions. */
struct left {
	struct buf kinds, finalizers, unknown;
	size_t objects, failing;
	const char *refused; /* why a delete was; borrowed, or NULL */
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

/* What there is of a kind whose server does not answer nobody knows: discovery has failed. */
static struct walk
content_of(const struct world *w, const char *kind, const char *ns)
{
	const struct served *s = world_served(w, kind);

	return s && s->stale ? (struct walk){ NULL, 0 } : world_each(w, kind, ns);
}

static void
plan_delete_kind(
    const struct world *w, const char *kind, const char *ns, size_t *budget, struct plan *out)
{
	struct walk it = content_of(w, kind, ns);

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
static char *
resource_left(const struct world *w, const char *group_kind, const json_t *obj, size_t n)
{
	const struct served *s = world_served(w, group_kind);
	const struct kind *k = kind_of_object(text(obj, "apiVersion"), text(obj, "kind"));
	const char *dot = strchr(group_kind, '.');

	return xasprintf("%s.%s has %zu resource instances",
	    s	? s->plural
	    : k ? k->plural
		: text(obj, "kind"),
	    dot ? dot + 1 : "", n);
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

/* The texts one after the other, in their order; frees them. */
static void
join(struct buf *out, char **texts, size_t n)
{
	if (n)
		qsort(texts, n, sizeof *texts, by_text);
	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "%s%s", out->len ? ", " : "", texts[i]);
		free(texts[i]);
	}
	free(texts);
}

static void
count_left(const struct world *w, const char *ns, struct left *left)
{
	json_auto_t *finalizers = json_object();
	char **kinds = NULL, **held = NULL;
	size_t n = 0, cap = 0, nheld = 0, held_cap = 0;
	const char *name;
	json_t *count;

	for (size_t i = 0; world_kind(w, i); i++) {
		struct walk it = content_of(w, world_kind(w, i), ns);

		if (it.n) {
			GROW(kinds, n, cap);
			kinds[n++] = resource_left(w, world_kind(w, i), it.at[0], it.n);
		}
		left->objects += it.n;
		for (const json_t *obj; (obj = walk_next(&it));)
			count_finalizers(finalizers, obj);
	}
	json_object_foreach (finalizers, name, count) {
		GROW(held, nheld, held_cap);
		held[nheld++] = xasprintf(
		    "%s in %lld resource instances", name, (long long)json_integer_value(count));
	}
	join(&left->kinds, kinds, n);
	join(&left->finalizers, held, nheld);
}

/* Groups whose server does not answer: what there is of their kinds is not known. */
static void
count_failing(const struct world *w, struct left *left)
{
	for (size_t i = 0; world_failing(w, i); i++, left->failing++)
		buf_printf(&left->unknown, "%s%s: stale GroupVersion discovery: %s",
		    left->unknown.len ? ", " : "", world_failing(w, i), world_failing(w, i));
}

static bool
set_discovery(json_t *next, const struct left *left, const char *now)
{
	autofree char *why = NULL;

	if (!left->failing)
		return condition_set(next, "NamespaceDeletionDiscoveryFailure", "False",
		    "ResourcesDiscovered", "All resources successfully discovered", now);
	why = xasprintf("Discovery failed for some groups, %zu failing: unable to retrieve the "
			"complete list of server APIs: %s",
	    left->failing, left->unknown.data);
	return condition_set(
	    next, "NamespaceDeletionDiscoveryFailure", "True", "DiscoveryFailed", why, now);
}

static bool
set_remaining(json_t *next, const struct left *left, const char *now)
{
	autofree char *why = NULL;

	if (!left->objects)
		return condition_set(next, "NamespaceContentRemaining", "False", "ContentRemoved",
		    "All content successfully removed", now);
	why = xasprintf("Some resources are remaining: %s", left->kinds.data);
	return condition_set(
	    next, "NamespaceContentRemaining", "True", "SomeResourcesRemain", why, now);
}

static bool
set_finalizers(json_t *next, const struct left *left, const char *now)
{
	autofree char *why = NULL;

	if (!left->finalizers.len)
		return condition_set(next, "NamespaceFinalizersRemaining", "False",
		    "ContentHasNoFinalizers", "All content-preserving finalizers finished", now);
	why = xasprintf(
	    "Some content in the namespace has finalizers remaining: %s", left->finalizers.data);
	return condition_set(
	    next, "NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", why, now);
}

static bool
set_failure(json_t *next, const struct left *left, const char *now)
{
	autofree char *why = NULL;

	if (!left->refused)
		return condition_set(next, "NamespaceDeletionContentFailure", "False",
		    "ContentDeleted",
		    "All content successfully deleted, may be waiting on finalization", now);
	why = xasprintf("Failed to delete all resource types, 1 remaining: %s", left->refused);
	return condition_set(
	    next, "NamespaceDeletionContentFailure", "True", "ContentDeletionFailed", why, now);
}

static bool
set_conditions(json_t *next, const struct left *left, const char *now)
{
	bool changed = set_discovery(next, left, now);

	changed |= condition_set(next, "NamespaceDeletionGroupVersionParsingFailure", "False",
	    "ParsedGroupVersions", "All legacy kube types successfully parsed", now);
	changed |= set_failure(next, left, now);
	changed |= set_remaining(next, left, now);
	changed |= set_finalizers(next, left, now);
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
		plan_add(out, ACT_UPDATE_STATUS, json_incref(next), "%zu objects are left%s",
		    left->objects, left->failing ? ", and not every server of kinds answers" : "");
}

/* A kind that was not looked at and could have objects here, or NULL.  Events go without being
 * looked at.  Where nothing was discovered it is the built-in ones that could. */
static const char *
unknown_kind(const struct world *w, char group_kind[static 128])
{
	const struct served *s;
	size_t n;
	const struct kind *const *kinds = schema_kinds(&n);

	for (size_t i = 0; (s = world_served_at(w, i)); i++) {
		served_group_kind(s, group_kind);
		if (served_is_content(s) && !world_knows(w, group_kind))
			return s->plural;
	}
	for (size_t i = 0; i < n && !world_discovered(w); i++)
		if (kinds[i]->namespaced && (~kinds[i]->verbs & (VERB_LIST | VERB_WATCH)) == 0 &&
		    strcmp(kinds[i]->kind, "Event") != 0 &&
		    !world_knows(w, kind_group_kind(kinds[i], group_kind)))
			return kinds[i]->plural;
	return NULL;
}

/* Take our finalizer away, which ends the Namespace. */
static int
plan_finalize(const struct world *w, const json_t *ns, struct plan *out, struct err *err)
{
	char group_kind[128];
	const char *unknown = unknown_kind(w, group_kind);
	json_t *action, *next, *kept = json_array(), *name;
	size_t i;

	if (unknown) {
		json_decref(kept);
		return err_set(err, ERR_UNAVAILABLE,
		    "it looks empty, but of %s nothing is known here (is the input complete?)",
		    unknown);
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
	action = plan_add(out, ACT_UPDATE, next, "namespace %s is empty", meta_name(ns));
	put(action, json_string("finalize"), "subresource");
	put(action, json_string(meta_name(ns)), "empty");
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

static void
left_init(struct left *left, const struct world *w, const json_t *ns)
{
	*left = (struct left){ .kinds = BUF_INIT, .finalizers = BUF_INIT, .unknown = BUF_INIT };
	count_left(w, meta_name(ns), left);
	count_failing(w, left);
}

static void
left_release(struct left *left)
{
	buf_release(&left->kinds);
	buf_release(&left->finalizers);
	buf_release(&left->unknown);
}

static int
reconcile(const struct world *w, const json_t *ns, struct plan *out, struct err *err)
{
	struct left left;
	int r = 0;

	if (!meta_deleting(ns) || !ours(ns))
		return 0;
	left_init(&left, w, ns);
	if (left.objects == 0 && left.failing == 0) {
		r = plan_finalize(w, ns, out, err);
	} else {
		plan_content(w, meta_name(ns), out);
		plan_status(w, ns, &left, out);
	}
	left_release(&left);
	return r;
}

/* Something could not be deleted, so that the status was not written either. */
static void
refused(const struct world *w, const json_t *ns, const json_t *action, const struct err *why,
    struct plan *out)
{
	struct left left;

	if (strcmp(text(action, "action"), "delete") != 0)
		return;
	left_init(&left, w, ns);
	left.refused = why->msg;
	plan_status(w, ns, &left, out);
	left_release(&left);
}

/* Whatever changes in a Namespace that is being deleted; and for all of these, what is served. */
static void
wakes(const struct world *w, const json_t *obj,
    void (*wake)(void *arg, const char *group_kind, const char *ns, const char *name), void *arg)
{
	const json_t *ns = world_get(w, "Namespace", "", meta_namespace(obj));
	char group_kind[128];

	if (ns && meta_deleting(ns))
		wake(arg, NULL, "", meta_name(ns));
	if (strcmp(meta_group_kind(obj, group_kind), DISCOVERY) == 0) {
		struct walk it = world_each(w, "Namespace", NULL);

		while ((ns = walk_next(&it)))
			if (meta_deleting(ns))
				wake(arg, NULL, "", meta_name(ns));
	}
}

const struct controller namespace_controller = {
	.name = "namespace",
	.kind = "Namespace",
	.reads = (const char *const[]){ "*", NULL },
	.wakes = wakes,
	.reconcile = reconcile,
	.refused = refused,
	.summary = "empty a Namespace that is being deleted, and let it go",
};
