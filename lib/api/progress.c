#include <string.h>

#include "api/meta.h"
#include "api/progress.h"
#include "base/mem.h"
#include "base/text.h"

static long long
status_number(const json_t *obj, const char *name)
{
	return num(get(obj, "status", name), 0);
}

static bool
observed(const json_t *obj)
{
	return meta_generation(obj) <= status_number(obj, "observedGeneration");
}

static int
deployment(const json_t *obj, struct buf *msg, struct err *err)
{
	const char *name = meta_name(obj);
	long long updated = status_number(obj, "updatedReplicas");
	long long all = status_number(obj, "replicas");
	long long available = status_number(obj, "availableReplicas");
	long long want = num(get(obj, "spec", "replicas"), 1);

	if (!observed(obj)) {
		buf_puts(msg, "Waiting for deployment spec update to be observed...");
		return 0;
	}
	if (strcmp(text(condition_find(obj, "Progressing"), "reason"),
		"ProgressDeadlineExceeded") == 0)
		return err_set(
		    err, ERR_DIFFERS, "deployment \"%s\" exceeded its progress deadline", name);
	if (updated < want)
		buf_printf(msg,
		    "Waiting for deployment \"%s\" rollout to finish: %lld out of %lld new "
		    "replicas have been updated...",
		    name, updated, want);
	else if (all > updated)
		buf_printf(msg,
		    "Waiting for deployment \"%s\" rollout to finish: %lld old replicas are "
		    "pending termination...",
		    name, all - updated);
	else if (available < updated)
		buf_printf(msg,
		    "Waiting for deployment \"%s\" rollout to finish: %lld of %lld updated "
		    "replicas are available...",
		    name, available, updated);
	else
		buf_printf(msg, "deployment \"%s\" successfully rolled out", name);
	return updated >= want && all <= updated && available >= updated;
}

static int
rolling_only(const json_t *obj, struct err *err)
{
	if (strcmp(text(obj, "spec", "updateStrategy", "type"), "RollingUpdate") == 0)
		return 0;
	return err_set(err, ERR_BAD_REQUEST,
	    "rollout status is only available for RollingUpdate strategy type");
}

static int
daemon_set(const json_t *obj, struct buf *msg, struct err *err)
{
	const char *name = meta_name(obj);
	long long want = status_number(obj, "desiredNumberScheduled");
	long long updated = status_number(obj, "updatedNumberScheduled");
	long long available = status_number(obj, "numberAvailable");
	int r = rolling_only(obj, err);

	if (r < 0)
		return r;
	if (!observed(obj)) {
		buf_puts(msg, "Waiting for daemon set spec update to be observed...");
		return 0;
	}
	if (updated < want)
		buf_printf(msg,
		    "Waiting for daemon set \"%s\" rollout to finish: %lld out of %lld new pods "
		    "have been updated...",
		    name, updated, want);
	else if (available < want)
		buf_printf(msg,
		    "Waiting for daemon set \"%s\" rollout to finish: %lld of %lld updated pods "
		    "are available...",
		    name, available, want);
	else
		buf_printf(msg, "daemon set \"%s\" successfully rolled out", name);
	return updated >= want && available >= want;
}

/* Only the Pods from the partition on are renewed; kubectl says "partitioned" of every rolling
 * update that has settings. */
static int
partitioned(const json_t *obj, long long want, struct buf *msg)
{
	const json_t *partition = get(obj, "spec", "updateStrategy", "rollingUpdate", "partition");
	long long updated = status_number(obj, "updatedReplicas"), part = want - num(partition, 0);

	if (partition && updated < part) {
		buf_printf(msg,
		    "Waiting for partitioned roll out to finish: %lld out of %lld new pods have "
		    "been updated...",
		    updated, part);
		return 0;
	}
	buf_printf(
	    msg, "partitioned roll out complete: %lld new pods have been updated...", updated);
	return 1;
}

static int
stateful_set(const json_t *obj, struct buf *msg, struct err *err)
{
	long long ready = status_number(obj, "readyReplicas");
	long long want = num(get(obj, "spec", "replicas"), 1);
	const char *update = text(obj, "status", "updateRevision");
	const char *current = text(obj, "status", "currentRevision");
	int r = rolling_only(obj, err);

	if (r < 0)
		return r;
	if (!observed(obj) || status_number(obj, "observedGeneration") == 0) {
		buf_puts(msg, "Waiting for statefulset spec update to be observed...");
		return 0;
	}
	if (ready < want) {
		buf_printf(msg, "Waiting for %lld pods to be ready...", want - ready);
		return 0;
	}
	if (get(obj, "spec", "updateStrategy", "rollingUpdate"))
		return partitioned(obj, want, msg);
	if (strcmp(update, current) != 0) {
		buf_printf(msg,
		    "waiting for statefulset rolling update to complete %lld pods at revision "
		    "%s...",
		    status_number(obj, "updatedReplicas"), update);
		return 0;
	}
	buf_printf(msg, "statefulset rolling update complete %lld pods at revision %s...",
	    status_number(obj, "currentReplicas"), current);
	return 1;
}

int
progress_of(const json_t *obj, struct buf *msg, struct err *err)
{
	static const struct {
		const char *kind;
		int (*progress)(const json_t *obj, struct buf *msg, struct err *err);
	} kinds[] = { { "Deployment.apps", deployment }, { "DaemonSet.apps", daemon_set },
		{ "StatefulSet.apps", stateful_set } };
	char group_kind[128];

	meta_group_kind(obj, group_kind);
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].kind, group_kind) == 0)
			return kinds[i].progress(obj, msg, err);
	return err_set(err, ERR_BAD_REQUEST, "a %s has no rollout", text(obj, "kind"));
}

/* --- what keeps a Pod ------------------------------------------------------------------------ */

/* Creating and initializing are no trouble but the way of things. */
static bool
waits_in_vain(const char *reason)
{
	static const char *const fine[] = { "", "ContainerCreating", "PodInitializing", NULL };

	return !text_in(reason, fine);
}

bool
progress_trouble(const json_t *pod, struct buf *why)
{
	static const char *const lists[] = { "initContainerStatuses", "containerStatuses" };
	const json_t *scheduled = condition_find(pod, "PodScheduled");
	json_t *c;
	size_t i;

	if (strcmp(text(scheduled, "status"), "False") == 0 &&
	    strcmp(text(scheduled, "reason"), "Unschedulable") == 0) {
		buf_puts(why, text(scheduled, "message"));
		return true;
	}
	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(pod, "status", lists[k]), i, c) {
			const char *reason = text(c, "state", "waiting", "reason");

			if (!waits_in_vain(reason))
				continue;
			buf_printf(why, "%s - %s", reason, text(c, "state", "waiting", "message"));
			return true;
		}
	return false;
}
