/*
 * ResourceQuota: count what a namespace uses of its quotas.
 *	reads	the ResourceQuota, the objects that it counts
 *	plans	update-status ResourceQuota
 *
 * The store's ResourceQuota admission writes down what is made before it is; here follows what
 * goes, and what was there before the quota.
 */
#include <string.h>

#include "api/meta.h"
#include "api/quota.h"
#include "api/resources.h"
#include "base/time.h"
#include "control/control.h"

/* The store counts first and makes the object then: for so long the sum is ahead of the objects. */
enum { AHEAD = 2 };

static const char *const counted[] = { "ConfigMap", "ControllerRevision.apps", "CronJob.batch",
	"CSIStorageCapacity.storage.k8s.io", "DaemonSet.apps", "Deployment.apps", "Endpoints",
	"EndpointSlice.discovery.k8s.io", "HorizontalPodAutoscaler.autoscaling",
	"Ingress.networking.k8s.io", "Job.batch", "Lease.coordination.k8s.io", "LimitRange",
	"NetworkPolicy.networking.k8s.io", "PersistentVolumeClaim", "Pod",
	"PodDisruptionBudget.policy", "PodTemplate", "ReplicaSet.apps", "ReplicationController",
	"ResourceClaim.resource.k8s.io", "ResourceClaimTemplate.resource.k8s.io", "ResourceQuota",
	"Role.rbac.authorization.k8s.io", "RoleBinding.rbac.authorization.k8s.io", "Secret",
	"Service", "ServiceAccount", "StatefulSet.apps", NULL };

/* What all objects of one kind use, of the names in part. */
static int
add_kind(
    const struct world *w, const json_t *quota, const struct kind *k, json_t *used, struct err *err)
{
	char group_kind[128];
	struct walk it;

	if (!world_knows(w, kind_group_kind(k, group_kind)))
		return err_set(err, ERR_UNAVAILABLE,
		    "it counts %s, of which nothing is known here (is the input complete?)",
		    group_kind);
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
