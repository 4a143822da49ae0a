/* The cells of what runs: pods and the workloads that make them. */
#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "api/table_cells.h"
#include "base/time.h"

/* --- Pod ------------------------------------------------------------------------ */

/* What kubectl says of a pod, gathered in one walk over its containers. */
struct pod_view {
	char status[160];
	json_int_t restarts, ready, total;
	const char *last_restart; /* the latest time, "" for none */
};

static void
say(struct pod_view *v, const char *prefix, const char *reason)
{
	snprintf(v->status, sizeof v->status, "%s%s", prefix, reason);
}

static bool
restartable(const json_t *pod, const char *name)
{
	size_t i;
	json_t *c;

	json_array_foreach (get(pod, "spec", "initContainers"), i, c)
		if (strcmp(text(c, "name"), name) == 0)
			return strcmp(text(c, "restartPolicy"), "Always") == 0;
	return false;
}

static void
later(const char **latest, const json_t *status)
{
	const char *at = text(status, "lastState", "terminated", "finishedAt");

	if (strcmp(at, *latest) > 0) /* RFC 3339 in UTC sorts as text */
		*latest = at;
}

/* "Reason", "Signal:9" or "ExitCode:1" of a terminated container. */
static void
say_ended(struct pod_view *v, const char *prefix, const json_t *terminated)
{
	json_int_t sig = num(get(terminated, "signal"), 0);
	char code[40];

	if (*text(terminated, "reason")) {
		say(v, prefix, text(terminated, "reason"));
		return;
	}
	snprintf(code, sizeof code, "%s:%lld", sig ? "Signal" : "ExitCode",
	    (long long)(sig ? sig : num(get(terminated, "exitCode"), 0)));
	say(v, prefix, code);
}

/* One init container: true when the pod is still held up by it. */
static bool
view_init(const json_t *pod, const json_t *c, size_t nth, struct pod_view *v)
{
	const json_t *ended = get(c, "state", "terminated");
	const char *waiting = text(c, "state", "waiting", "reason");
	char progress[64];

	if (ended && num(get(ended, "exitCode"), 0) == 0)
		return false;
	if (restartable(pod, text(c, "name")) && truth(get(c, "started"))) {
		v->ready += truth(get(c, "ready"));
		return false;
	}
	if (ended) {
		say_ended(v, "Init:", ended);
	} else if (*waiting && strcmp(waiting, "PodInitializing") != 0) {
		say(v, "Init:", waiting);
	} else {
		snprintf(progress, sizeof progress, "Init:%zu/%zu", nth,
		    json_array_size(get(pod, "spec", "initContainers")));
		say(v, "", progress);
	}
	return true;
}

/* The init containers; restarts of sidecars are counted apart, for they go on counting. */
static bool
view_inits(const json_t *pod, struct pod_view *v, json_int_t *sidecars, const char **sidecar_last)
{
	size_t i;
	json_t *c;

	json_array_foreach (get(pod, "spec", "initContainers"), i, c)
		v->total += strcmp(text(c, "restartPolicy"), "Always") == 0;
	json_array_foreach (get(pod, "status", "initContainerStatuses"), i, c) {
		v->restarts += num(get(c, "restartCount"), 0);
		later(&v->last_restart, c);
		if (restartable(pod, text(c, "name"))) {
			*sidecars += num(get(c, "restartCount"), 0);
			later(sidecar_last, c);
		}
		if (view_init(pod, c, i, v))
			return true;
	}
	return false;
}

static void
view_containers(const json_t *pod, struct pod_view *v)
{
	json_t *all = get(pod, "status", "containerStatuses");
	bool running = false;

	for (size_t i = json_array_size(all); i-- > 0;) {
		const json_t *c = json_array_get(all, i);
		const json_t *ended = get(c, "state", "terminated");

		v->restarts += num(get(c, "restartCount"), 0);
		later(&v->last_restart, c);
		if (*text(c, "state", "waiting", "reason")) {
			say(v, "", text(c, "state", "waiting", "reason"));
		} else if (ended) {
			say_ended(v, "", ended);
		} else if (truth(get(c, "ready")) && get(c, "state", "running")) {
			running = true;
			v->ready++;
		}
	}
	if (running && strcmp(v->status, "Completed") == 0)
		say(v, "", condition_true(pod, "Ready") ? "Running" : "NotReady");
}

static void
view_pod(const json_t *pod, struct pod_view *v)
{
	const char *phase = text(pod, "status", "phase"), *reason = text(pod, "status", "reason");
	const char *sidecar_last = "";
	json_int_t sidecars = 0;
	bool held, ended = strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;

	*v = (struct pod_view){ .last_restart = "" };
	v->total = (json_int_t)json_array_size(get(pod, "spec", "containers"));
	say(v, "", *reason ? reason : phase);
	if (strcmp(text(condition_find(pod, "PodScheduled"), "reason"), "SchedulingGated") == 0)
		say(v, "", "SchedulingGated");
	held = view_inits(pod, v, &sidecars, &sidecar_last);
	if (!held || condition_true(pod, "Initialized")) {
		v->restarts = sidecars;
		v->last_restart = sidecar_last;
		view_containers(pod, v);
	}
	if (meta_deleting(pod) && strcmp(reason, "NodeLost") == 0)
		say(v, "", "Unknown");
	else if (meta_deleting(pod) && !ended)
		say(v, "", "Terminating");
}

static json_t *
pod_ready_cell(const json_t *pod, int64_t now)
{
	struct pod_view v;

	(void)now;
	view_pod(pod, &v);
	return json_sprintf("%lld/%lld", (long long)v.ready, (long long)v.total);
}

static json_t *
pod_status(const json_t *pod, int64_t now)
{
	struct pod_view v;

	(void)now;
	view_pod(pod, &v);
	return json_string(v.status);
}

static json_t *
pod_restarts(const json_t *pod, int64_t now)
{
	struct pod_view v;
	char buf[TIME_TEXT];

	view_pod(pod, &v);
	if (v.restarts == 0 || !*v.last_restart)
		return json_sprintf("%lld", (long long)v.restarts);
	return json_sprintf(
	    "%lld (%s ago)", (long long)v.restarts, since(v.last_restart, now, buf));
}

static json_t *
pod_ip(const json_t *pod, int64_t now)
{
	const char *ip = text(json_array_get(get(pod, "status", "podIPs"), 0), "ip");

	(void)now;
	ip = *ip ? ip : text(pod, "status", "podIP");
	return json_string(*ip ? ip : "<none>");
}

static json_t *
pod_gates(const json_t *pod, int64_t now)
{
	json_t *gates = get(pod, "spec", "readinessGates"), *g;
	size_t i, open = 0;

	(void)now;
	if (json_array_size(gates) == 0)
		return json_string("<none>");
	json_array_foreach (gates, i, g)
		open += condition_true(pod, text(g, "conditionType"));
	return json_sprintf("%zu/%zu", open, json_array_size(gates));
}

/* --- what workloads have in common ------------------------------------------------- */

static json_t *
of_containers(const json_t *pod_template, const char *key)
{
	struct buf b = BUF_INIT;

	join_all(&b, get(pod_template, "spec", "containers"), key);
	return cell_buf(&b);
}

static json_t *
containers(const json_t *obj, int64_t now)
{
	(void)now;
	return of_containers(get(obj, "spec", "template"), "name");
}

static json_t *
images(const json_t *obj, int64_t now)
{
	(void)now;
	return of_containers(get(obj, "spec", "template"), "image");
}

static json_t *
selector(const json_t *obj, int64_t now)
{
	(void)now;
	return cell_selector(get(obj, "spec", "selector"));
}

static json_t *
ready_of_wanted(const json_t *obj, int64_t now)
{
	(void)now;
	return json_sprintf("%lld/%lld", (long long)num(get(obj, "status", "readyReplicas"), 0),
	    (long long)num(get(obj, "spec", "replicas"), 1));
}

static json_t *
labels_at(const json_t *labels)
{
	struct buf b = BUF_INIT;

	add_labels(&b, labels);
	return cell_buf(&b);
}

static json_t *
node_selector(const json_t *ds, int64_t now)
{
	(void)now;
	return labels_at(get(ds, "spec", "template", "spec", "nodeSelector"));
}

static json_t *
plain_selector(const json_t *rc, int64_t now)
{
	(void)now;
	return labels_at(get(rc, "spec", "selector"));
}

/* --- PodTemplate --------------------------------------------------------------------- */

static json_t *
template_containers(const json_t *obj, int64_t now)
{
	(void)now;
	return of_containers(get(obj, "template"), "name");
}

static json_t *
template_images(const json_t *obj, int64_t now)
{
	(void)now;
	return of_containers(get(obj, "template"), "image");
}

static json_t *
template_labels(const json_t *obj, int64_t now)
{
	(void)now;
	return labels_at(get(obj, "template", "metadata", "labels"));
}

/* --- Job, CronJob ------------------------------------------------------------------------ */

static json_t *
job_status(const json_t *job, int64_t now)
{
	(void)now;
	if (condition_true(job, "Complete"))
		return json_string("Complete");
	if (condition_true(job, "Failed"))
		return json_string("Failed");
	if (meta_deleting(job))
		return json_string("Terminating");
	if (condition_true(job, "Suspended"))
		return json_string("Suspended");
	if (condition_true(job, "FailureTarget"))
		return json_string("FailureTarget");
	if (condition_true(job, "SuccessCriteriaMet"))
		return json_string("SuccessCriteriaMet");
	return json_string("Running");
}

static json_t *
job_completions(const json_t *job, int64_t now)
{
	long long done = num(get(job, "status", "succeeded"), 0);
	long long parallel = num(get(job, "spec", "parallelism"), 0);
	const json_t *want = get(job, "spec", "completions");

	(void)now;
	if (json_is_integer(want))
		return json_sprintf("%lld/%lld", done, (long long)json_integer_value(want));
	return parallel > 1 ? json_sprintf("%lld/1 of %lld", done, parallel)
			    : json_sprintf("%lld/1", done);
}

static json_t *
job_duration(const json_t *job, int64_t now)
{
	int64_t start, end = now;
	char buf[TIME_TEXT];

	if (!time_parse(text(job, "status", "startTime"), &start))
		return json_string("");
	time_parse(text(job, "status", "completionTime"), &end);
	return json_string(duration_print(end - start, buf));
}

static json_t *
cron_last(const json_t *cron, int64_t now)
{
	const char *last = text(cron, "status", "lastScheduleTime");

	return *last ? cell_since(last, now) : json_string("<none>");
}

static json_t *
cron_active(const json_t *cron, int64_t now)
{
	(void)now;
	return json_integer((json_int_t)json_array_size(get(cron, "status", "active")));
}

static json_t *
cron_suspend(const json_t *cron, int64_t now)
{
	const json_t *v = get(cron, "spec", "suspend");

	(void)now;
	return json_string(!json_is_boolean(v) ? "<unset>" : json_is_true(v) ? "True" : "False");
}

static json_t *
cron_containers(const json_t *cron, int64_t now)
{
	(void)now;
	return of_containers(get(cron, "spec", "jobTemplate", "spec", "template"), "name");
}

static json_t *
cron_images(const json_t *cron, int64_t now)
{
	(void)now;
	return of_containers(get(cron, "spec", "jobTemplate", "spec", "template"), "image");
}

static json_t *
cron_selector(const json_t *cron, int64_t now)
{
	(void)now;
	return cell_selector(get(cron, "spec", "jobTemplate", "spec", "selector"));
}

/* --- ControllerRevision, PodDisruptionBudget ------------------------------------------------ */

static json_t *
revision_controller(const json_t *obj, int64_t now)
{
	const json_t *ref = meta_controller(obj);
	const char *version = text(ref, "apiVersion"), *slash = strchr(version, '/');
	struct buf b = BUF_INIT;

	(void)now;
	if (!ref)
		return json_string("<none>");
	for (const char *p = text(ref, "kind"); *p; p++)
		buf_putc(&b, *p >= 'A' && *p <= 'Z' ? (char)(*p + 'a' - 'A') : *p);
	if (slash)
		buf_printf(&b, ".%.*s", (int)(slash - version), version);
	buf_printf(&b, "/%s", text(ref, "name"));
	return cell_buf(&b);
}

/* A number or a percentage, or what stands for a missing one. */
static json_t *
count_or(const json_t *v, const char *dflt)
{
	return json_is_integer(v) ? json_sprintf("%lld", (long long)json_integer_value(v))
				  : json_string(str(v, dflt));
}

static json_t *
budget_min(const json_t *obj, int64_t now)
{
	(void)now;
	return count_or(get(obj, "spec", "minAvailable"), "N/A");
}

static json_t *
budget_max(const json_t *obj, int64_t now)
{
	(void)now;
	return count_or(
	    get(obj, "spec", "minAvailable") ? NULL : get(obj, "spec", "maxUnavailable"), "N/A");
}

/* clang-format off */
static const struct cell pod[] = {
	CELL("Ready", pod_ready_cell), CELL("Status", pod_status), CELL("Restarts", pod_restarts),
	CELL("IP", pod_ip), TEXT("Node", "spec.nodeName", "<none>"),
	TEXT("Nominated Node", "status.nominatedNodeName", "<none>"), CELL("Readiness Gates", pod_gates),
	{ 0 },
};
static const struct cell pod_template[] = {
	CELL("Containers", template_containers), CELL("Images", template_images),
	CELL("Pod Labels", template_labels), { 0 },
};
static const struct cell deployment[] = {
	CELL("Ready", ready_of_wanted), INT("Up-to-date", "status.updatedReplicas", 0),
	INT("Available", "status.availableReplicas", 0),
	CELL("Containers", containers), CELL("Images", images), CELL("Selector", selector), { 0 },
};
static const struct cell replica_set[] = {
	INT("Desired", "spec.replicas", 1), INT("Current", "status.replicas", 0), INT("Ready", "status.readyReplicas", 0),
	CELL("Containers", containers), CELL("Images", images), CELL("Selector", selector), { 0 },
};
static const struct cell replication_controller[] = {
	INT("Desired", "spec.replicas", 1), INT("Current", "status.replicas", 0), INT("Ready", "status.readyReplicas", 0),
	CELL("Containers", containers), CELL("Images", images), CELL("Selector", plain_selector), { 0 },
};
static const struct cell stateful_set[] = {
	CELL("Ready", ready_of_wanted), CELL("Containers", containers), CELL("Images", images), { 0 },
};
static const struct cell daemon_set[] = {
	INT("Desired", "status.desiredNumberScheduled", 0), INT("Current", "status.currentNumberScheduled", 0),
	INT("Ready", "status.numberReady", 0), INT("Up-to-date", "status.updatedNumberScheduled", 0),
	INT("Available", "status.numberAvailable", 0), CELL("Node Selector", node_selector),
	CELL("Containers", containers), CELL("Images", images), CELL("Selector", selector), { 0 },
};
static const struct cell job[] = {
	CELL("Status", job_status), CELL("Completions", job_completions), CELL("Duration", job_duration),
	CELL("Containers", containers), CELL("Images", images), CELL("Selector", selector), { 0 },
};
static const struct cell cron_job[] = {
	TEXT("Schedule", "spec.schedule", ""), TEXT("Timezone", "spec.timeZone", "<none>"),
	CELL("Suspend", cron_suspend), CELL("Active", cron_active), CELL("Last Schedule", cron_last),
	CELL("Containers", cron_containers), CELL("Images", cron_images), CELL("Selector", cron_selector), { 0 },
};
static const struct cell revision[] = {
	CELL("Controller", revision_controller), INT("Revision", "revision", 0), { 0 },
};
static const struct cell budget[] = {
	CELL("Min Available", budget_min), CELL("Max Unavailable", budget_max),
	INT("Allowed Disruptions", "status.disruptionsAllowed", 0), { 0 },
};

const struct cells workload_cells[] = {
	{ "", "Pod", pod },
	{ "", "PodTemplate", pod_template },
	{ "", "ReplicationController", replication_controller },
	{ "apps", "Deployment", deployment },
	{ "apps", "ReplicaSet", replica_set },
	{ "apps", "StatefulSet", stateful_set },
	{ "apps", "DaemonSet", daemon_set },
	{ "apps", "ControllerRevision", revision },
	{ "batch", "Job", job },
	{ "batch", "CronJob", cron_job },
	{ "policy", "PodDisruptionBudget", budget },
	{ 0 },
};
/* clang-format on */
