/*
 * ResourceQuota: count what a namespace uses of its quotas.
 *	reads	the ResourceQuota, the objects that it counts, of whatever kind; the kinds that are
 *		served
 *	plans	update-status ResourceQuota
 *
 * The store's ResourceQuota admission writes down what is made before it is; here follows what
 * goes, and what was there before the quota.
 */
#include <string.h>

#include "api/meta.h"
#include "api/quota.h"
#include "api/resources.h"
#include "base/text.h"
#include "base/time.h"
#include "control/control.h"
#include "control/served.h"

/* The store counts first and makes the object then: for so long the sum is ahead of the objects. */
enum { AHEAD = 2 };

/* Of these it looks at more than that they are there; of all others their number counts. */
static const char *const counted[] = { "PersistentVolumeClaim", "Pod", "ResourceQuota", "Service",
	"*", NULL };

static int
unknown(const char *group_kind, struct err *err)
{
	return err_set(err, ERR_UNAVAILABLE,
	    "it counts %s, of which nothing is known here (is the input complete?)", group_kind);
}

/* What all objects of one kind use, of the names in part. */
static int
add_kind(
    const struct world *w, const json_t *quota, const struct kind *k, json_t *used, struct err *err)
{
	char group_kind[128];
	struct walk it;

	if (!world_knows(w, kind_group_kind(k, group_kind)))
		return unknown(group_kind, err);
	it = world_each(w, group_kind, meta_namespace(quota));
	for (const json_t *obj; (obj = walk_next(&it));) {
		json_auto_t *own = NULL, *part = NULL;

		if (!quota_covers(quota, k, obj))
			continue;
		own = quota_usage(k, obj, world_now(w));
		part = quota_part(k, own);
		resources_add(used, part);
	}
	return 0;
}

/* The kind that "count/widgets.example.com" counts when it is not built in, or NULL. */
static const struct served *
served_kind(const struct world *w, const char *name)
{
	const struct served *s;
	const char *dot = strchr(name, '.');

	if (!text_starts(name, "count/") || !dot)
		return NULL;
	name += strlen("count/");
	for (size_t i = 0; (s = world_served_at(w, i)); i++)
		if (s->namespaced && strcmp(s->group, dot + 1) == 0 &&
		    strlen(s->plural) == (size_t)(dot - name) &&
		    strncmp(s->plural, name, strlen(s->plural)) == 0)
			return s;
	return NULL;
}

/* Scopes are about Pods and volumes: a quota that has some counts nothing else. */
static bool
has_scopes(const json_t *quota)
{
	return json_array_size(get(quota, "spec", "scopes")) > 0 ||
	       json_array_size(get(quota, "spec", "scopeSelector", "matchExpressions")) > 0;
}

static int
add_served(const struct world *w, const json_t *quota, const struct served *s, const char *name,
    json_t *used, struct err *err)
{
	char group_kind[128];

	served_group_kind(s, group_kind);
	if (!world_knows(w, group_kind))
		return unknown(group_kind, err);
	if (!has_scopes(quota))
		resources_count(
		    used, name, (int64_t)world_each(w, group_kind, meta_namespace(quota)).n);
	return 0;
}

/* The sum over every kind that hard names, each once; new. */
static int
count_all(const struct world *w, const json_t *quota, json_t **ret, struct err *err)
{
	json_auto_t *all = json_object(), *seen = json_object();
	const json_t *hard = get(quota, "spec", "hard");
	char group_kind[128];
	const char *name;
	json_t *v;
	int r;

	json_object_foreach ((json_t *)hard, name, v) {
		const struct kind *k = quota_kind(name);
		const struct served *s = k ? NULL : served_kind(w, name);

		if (s && (r = add_served(w, quota, s, name, all, err)) < 0)
			return r;
		if (!k || json_object_get(seen, kind_group_kind(k, group_kind)))
			continue;
		json_object_set_new(seen, group_kind, json_true());
		if ((r = add_kind(w, quota, k, all, err)) < 0)
			return r;
	}
	*ret = json_object();
	json_object_foreach ((json_t *)hard, name, v) {
		json_t *n = json_object_get(all, name);

		json_object_set_new(*ret, name, n ? json_incref(n) : json_string("0"));
	}
	return 0;
}

/* Has the store just written a sum down? */
static bool
just_counted(const struct world *w, const json_t *quota)
{
	int64_t at;
	json_t *entry;
	size_t i;

	json_array_foreach (get(quota, "metadata", "managedFields"), i, entry)
		if (strcmp(text(entry, "subresource"), "status") == 0 &&
		    time_parse(text(entry, "time"), &at) && world_now(w) - at < AHEAD)
			return true;
	return false;
}

static int
reconcile(const struct world *w, const json_t *quota, struct plan *out, struct err *err)
{
	const json_t *hard = get(quota, "spec", "hard");
	json_auto_t *used = NULL;
	json_t *next;
	int r;

	if ((r = count_all(w, quota, &used, err)) < 0)
		return r;
	if (get(quota, "status", "hard") && resources_same(hard, get(quota, "status", "hard")) &&
	    resources_same(used, get(quota, "status", "used")))
		return 0;
	if (just_counted(w, quota) && resources_same(hard, get(quota, "status", "hard"))) {
		plan_again(out, AHEAD);
		return 0;
	}
	next = json_deep_copy(quota);
	put(next, hard ? json_deep_copy(hard) : json_object(), "status", "hard");
	put(next, json_incref(used), "status", "used");
	plan_add(out, ACT_UPDATE_STATUS, next, "what namespace %s uses has changed",
	    meta_namespace(quota));
	return 0;
}

/* Whatever changes in a namespace with quotas. */
static void
wakes(const struct world *w, const json_t *obj,
    void (*wake)(void *arg, const char *group_kind, const char *ns, const char *name), void *arg)
{
	struct walk it;

	if (!*meta_namespace(obj))
		return;
	it = world_each(w, "ResourceQuota", meta_namespace(obj));
	for (const json_t *quota; (quota = walk_next(&it));)
		wake(arg, NULL, meta_namespace(quota), meta_name(quota));
}

const struct controller resourcequota_controller = {
	.name = "resourcequota",
	.kind = "ResourceQuota",
	.reads = counted,
	.wakes = wakes,
	.reconcile = reconcile,
	.summary = "count what a namespace uses of its quotas",
};
