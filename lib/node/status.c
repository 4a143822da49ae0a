/* A pod's status in Kubernetes' words (kubelet: status manager, kubelet_pods.go's phase rules). */
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "node/container.h"
#include "node/evict.h"
#include "node/pod.h"
#include "node/resize.h"
#include "node/sandbox.h"
#include "node/spec.h"

static void
set_time(json_t *obj, const char *key, int64_t when)
{
	char buf[TIME_TEXT];

	json_object_set_new(obj, key, when > 0 ? json_string(time_print(when, buf)) : json_null());
}

static void
set_text(json_t *obj, const char *key, const char *value)
{
	if (value && *value) {
		autofree char *mended = text_mend(value);

		json_object_set_new(obj, key, json_string(mended));
	}
}

static void
set_id(const struct pod *p, const struct container *c, json_t *obj)
{
	char id[40];

	if (c->begun && (c->state != WAITING || c->last))
		json_object_set_new(obj, "containerID",
		    json_sprintf("orch://%s", container_id(p->uid, c->name, c->attempt, id)));
}

json_t *
terminated_state(const struct pod *p, const struct container *c)
{
	json_t *t = json_pack("{s:i}", "exitCode", c->code);

	set_text(t, "reason", c->reason);
	set_text(t, "message", c->message);
	set_time(t, "startedAt", c->started);
	set_time(t, "finishedAt", c->finished);
	set_id(p, c, t);
	return t;
}

static json_t *
waiting(const char *reason, const char *message)
{
	json_t *w = json_object();

	set_text(w, "reason", reason);
	set_text(w, "message", message);
	return json_pack("{s:o}", "waiting", w);
}

/* As Go prints a duration: "10s", "2m40s". */
static const char *
duration_text(double seconds, char buf[static 32])
{
	int whole = (int)seconds;

	if (whole >= 60)
		snprintf(buf, 32, "%dm%ds", whole / 60, whole % 60);
	else
		snprintf(buf, 32, "%gs", seconds);
	return buf;
}

/* An init container before ours is not done. */
static bool
initializing(const struct pod *p, const struct container *c)
{
	for (const struct container *i = p->c; i < c; i++)
		if (i->kind == INIT && !(i->state == EXITED && i->code == 0))
			return true;
	return false;
}

static json_t *
state(const struct pod *p, const struct container *c, bool *current)
{
	*current = true;
	if (c->state == RUNNING) {
		json_t *r = json_object();

		set_time(r, "startedAt", c->started);
		return json_pack("{s:o}", "running", r);
	}
	if (c->state == EXITED && container_restarts(p, c) && c->reason &&
	    strcmp(c->reason, "StartError") == 0 && !c->backed_off) {
		*current = false; /* what ended goes to lastState */
		return waiting("RunContainerError", c->message);
	}
	if (c->state == EXITED && container_restarts(p, c) && container_due(c) > c->ended_at) {
		autofree char *why = NULL;
		char wait[32];

		*current = false;
		why = xasprintf("back-off %s restarting failed container=%s pod=%s_%s(%s)",
		    duration_text(c->backoff, wait), c->name, meta_name(p->object),
		    meta_namespace(p->object), p->uid);
		return waiting("CrashLoopBackOff", why);
	}
	if (c->state == EXITED && c->renewing) { /* nor is it over: no server takes that back */
		*current = false;
		return waiting("ContainerCreating", NULL);
	}
	if (c->state == EXITED)
		return json_pack("{s:o}", "terminated", terminated_state(p, c));
	if (c->reason && *c->reason)
		return waiting(c->reason, c->message);
	if (c->last && !c->renewing) /* its next run is being made */
		return waiting("CrashLoopBackOff", NULL);
	if (initializing(p, c))
		return waiting("PodInitializing", NULL);
	return waiting("ContainerCreating", p->trouble);
}

static bool
started(const struct container *c)
{
	return c->state == RUNNING && (!get(c->spec, "startupProbe") || c->probes[STARTUP].good);
}

static bool
ready(const struct container *c)
{
	if (c->kind == INIT)
		return c->state == EXITED && c->code == 0;
	if (c->kind == EPHEMERAL) /* no traffic is for it */
		return false;
	return started(c) && (!get(c->spec, "readinessProbe") || c->probes[READINESS].good);
}

/* Who its first process was begun as: its group is one of its groups too. */
static void
add_user(const struct container *c, json_t *status)
{
	json_auto_t *groups = json_array();
	const json_t *gid = get(c->user, "gid");
	json_t *one;
	size_t i, k;

	if (!c->user)
		return;
	json_array_append(groups, (json_t *)gid);
	json_array_foreach (get(c->user, "additionalGids"), i, one) {
		for (k = 0; k < json_array_size(groups); k++)
			if (json_equal(one, json_array_get(groups, k)))
				break;
		if (k == json_array_size(groups))
			json_array_append(groups, one);
	}
	json_object_set_new(status, "user",
	    json_pack("{s:{s:O, s:O, s:O}}", "linux", "uid", get(c->user, "uid"), "gid", gid,
		"supplementalGroups", groups));
}

/* How its volumes were mounted. */
static void
add_mounts(const struct container *c, json_t *status)
{
	json_t *list = json_array(), *mount;
	size_t i;

	json_array_foreach (get(c->spec, "volumeMounts"), i, mount) {
		bool readonly = truth(get(mount, "readOnly"));
		json_t *one = json_pack("{s:s, s:s}", "name", text(mount, "name"), "mountPath",
		    text(mount, "mountPath"));

		if (readonly) {
			json_object_set_new(one, "readOnly", json_true());
			set_text(one, "recursiveReadOnly",
			    mount_all_readonly(mount) ? "Enabled" : "Disabled");
		}
		json_array_append_new(list, one);
	}
	if (json_array_size(list))
		json_object_set(status, "volumeMounts", list);
	json_decref(list);
}

static json_t *
container_status(const struct pod *p, const struct container *c)
{
	bool current;
	json_t *now = state(p, c, &current), *last = json_object();
	json_t *s;

	if (!current)
		json_object_set_new(last, "terminated", terminated_state(p, c));
	else if (c->last)
		json_object_set(last, "terminated", c->last);
	s = json_pack("{s:s, s:o, s:o, s:b, s:i, s:s, s:s}", "name", c->name, "state", now,
	    "lastState", last, "ready", ready(c), "restartCount", (int)c->restarts, "image",
	    c->image ? c->image : text(c->spec, "image"), "imageID",
	    c->image_id ? c->image_id : "");
	set_text(s, "stopSignal", text(c->spec, "lifecycle", "stopSignal"));
	if (c->kind != EPHEMERAL)
		json_object_set_new(s, "started", json_boolean(started(c)));
	set_id(p, c, s);
	if (c->begun && (c->state != WAITING || c->last))
		resize_shown(p, c, s);
	if (c->begun && c->state != WAITING) {
		add_mounts(c, s);
		add_user(c, s);
	}
	return s;
}

/* --- phase and conditions -------------------------------------------------------- */

const char *
pod_phase(const struct pod *p)
{
	bool failed = p->fail_reason != NULL, begun = true, running = false;

	for (size_t i = 0; i < p->n; i++) {
		const struct container *c = &p->c[i];

		if (c->kind == INIT && !(c->state == EXITED && c->code == 0))
			begun = false;
		if (c->kind == INIT && c->state == EXITED && c->code != 0 && pod_over(p))
			failed = true;
		if (c->kind != APP)
			continue;
		running = running || c->state == RUNNING;
		failed = failed || (pod_over(p) && c->state == EXITED && c->code != 0);
		begun = begun && (c->state != WAITING || c->last);
	}
	if (pod_over(p) && !running) /* one that must still end is not over yet */
		return failed ? "Failed" : "Succeeded";
	return begun ? "Running" : "Pending";
}

/* "[a b]" of the containers that are not (ready): a new string, NULL when all are. */
static char *
lacking(const struct pod *p, enum container_kind kind)
{
	autobuf struct buf b = BUF_INIT;

	for (size_t i = 0; i < p->n; i++) {
		const struct container *c = &p->c[i];
		bool ok = ready(c);

		if (kind == INIT && c->kind == SIDECAR)
			ok = started(c);
		if (ok || c->kind == EPHEMERAL || (kind == INIT ? c->kind == APP : c->kind == INIT))
			continue;
		buf_printf(&b, "%s%s", b.len ? " " : "[", c->name);
	}
	if (!b.len)
		return NULL;
	buf_putc(&b, ']');
	return buf_detach(&b);
}

/* condition_set, without the empty texts that Kubernetes leaves out. */
static void
condition(json_t *holder, const char *type, bool on, const char *reason, const char *message,
    const char *now)
{
	json_t *c;

	condition_set(
	    holder, type, on ? "True" : "False", on ? "" : reason, on ? "" : message, now);
	c = condition_find(holder, type);
	if (!*text(c, "reason"))
		json_object_del(c, "reason");
	if (!*text(c, "message"))
		json_object_del(c, "message");
	if (!get(c, "lastProbeTime"))
		json_object_set_new(c, "lastProbeTime", json_null());
}

static void
initialized(const struct pod *p, json_t *holder, const char *phase, const char *now)
{
	autofree char *names = lacking(p, INIT), *message = NULL;

	if (names)
		message = xasprintf("containers with incomplete status: %s", names);
	if (strcmp(phase, "Succeeded") == 0)
		names = (free(names), NULL);
	condition(
	    holder, "Initialized", !names, "ContainersNotInitialized", message ? message : "", now);
	if (strcmp(phase, "Succeeded") == 0)
		json_object_set_new(
		    condition_find(holder, "Initialized"), "reason", json_string("PodCompleted"));
}

/* What keeps it from being ready though its containers are; a new string, NULL for nothing. */
static char *
gates_shut(const struct pod *p)
{
	autobuf struct buf b = BUF_INIT;
	json_t *gate;
	size_t i;

	json_array_foreach (get(p->object, "spec", "readinessGates"), i, gate) {
		const char *type = text(gate, "conditionType");
		const json_t *c = condition_find(p->object, type);

		if (!c)
			buf_printf(&b,
			    "%scorresponding condition of pod readiness gate \"%s\" does not "
			    "exist.",
			    b.len ? ", " : "", type);
		else if (strcmp(text(c, "status"), "True") != 0)
			buf_printf(&b,
			    "%sthe status of pod readiness gate \"%s\" is not \"True\", but %s",
			    b.len ? ", " : "", type, text(c, "status"));
	}
	return b.len ? buf_detach(&b) : NULL;
}

static void
readiness(const struct pod *p, json_t *holder, const char *phase, const char *now)
{
	autofree char *names = lacking(p, APP), *message = NULL, *gates = gates_shut(p);
	const char *reason = "ContainersNotReady";
	bool ok = !names;

	if (names)
		message = xasprintf("containers with unready status: %s", names);
	if (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0) {
		reason = *phase == 'S' ? "PodCompleted" : "PodFailed";
		free(message);
		message = NULL;
		ok = false;
	}
	condition(holder, "ContainersReady", ok, reason, message ? message : "", now);
	if (ok && gates) {
		condition(holder, "Ready", false, "ReadinessGatesNotReady", gates, now);
	} else {
		condition(holder, "Ready", ok, reason, message ? message : "", now);
	}
}

/* Evicted since the node was short of something: a Job's rules may look for it.  Who stored more
 * than it may has itself to blame: another run would end as this one. */
static void
disrupted(const struct pod *p, json_t *holder, const char *now)
{
	json_t *c;
	size_t i;

	bool ours = p->fail_reason && p->fail_message &&
		    ((strcmp(p->fail_reason, "Evicted") == 0 &&
			 text_starts(p->fail_message, EVICT_SHORT)) ||
			strcmp(p->fail_message, SHUTDOWN_MESSAGE) == 0);

	if (!ours || condition_find(holder, "DisruptionTarget"))
		return;
	json_array_foreach (get(p->status, "conditions"), i, c)
		if (strcmp(text(c, "type"), "DisruptionTarget") == 0)
			json_array_append_new(
			    get(holder, "status", "conditions"), json_deep_copy(c));
	condition_set(holder, "DisruptionTarget", "True", "TerminationByKubelet",
	    p->fail_message ? p->fail_message : "", now);
}

/* Conditions of others (the scheduler's, readiness gates) come from the newest object. */
static void
conditions(const struct pod *p, json_t *status, const char *phase, const char *now)
{
	static const char *const ours[] = { "PodReadyToStartContainers", "Initialized",
		"ContainersReady", "Ready", NULL };
	json_auto_t *holder = json_pack("{s:{s:[]}}", "status", "conditions");
	json_t *list = get(holder, "status", "conditions"), *c;
	const char *const *o;
	size_t i;

	json_array_foreach (get(p->status, "conditions"), i, c)
		for (o = ours; *o; o++)
			if (strcmp(*o, text(c, "type")) == 0)
				json_array_append_new(list, json_deep_copy(c));
	json_array_foreach (get(p->object, "status", "conditions"), i, c) {
		for (o = ours; *o && strcmp(*o, text(c, "type")) != 0; o++)
			;
		if (!*o && !resize_condition(text(c, "type")))
			json_array_append_new(list, json_deep_copy(c));
	}
	condition(holder, "PodReadyToStartContainers", p->sandbox == SANDBOX, "", "", now);
	initialized(p, holder, phase, now);
	readiness(p, holder, phase, now);
	if (!condition_find(holder, "PodScheduled"))
		condition(holder, "PodScheduled", true, "", "", now);
	if (get(p->object, "metadata", "generation"))
		json_array_foreach (list, i, c)
			for (o = ours; *o; o++)
				if (strcmp(*o, text(c, "type")) == 0)
					json_object_set(c, "observedGeneration",
					    get(p->object, "metadata", "generation"));
	resize_conditions(p, list, now);
	disrupted(p, holder, now);
	json_object_set(status, "conditions", list);
}

static void
addresses(const struct pod *p, json_t *status)
{
	const char *host = p->host->o.address;

	if (host && *host) {
		json_object_set_new(status, "hostIP", json_string(host));
		json_object_set_new(status, "hostIPs", json_pack("[{s:s}]", "ip", host));
	}
	if (p->ip && *p->ip) {
		json_object_set_new(status, "podIP", json_string(p->ip));
		json_object_set_new(status, "podIPs", json_pack("[{s:s}]", "ip", p->ip));
	}
}

json_t *
pod_status(const struct pod *p, int64_t now)
{
	static const char *const lists[] = { [INIT] = "initContainerStatuses",
		[SIDECAR] = "initContainerStatuses",
		[APP] = "containerStatuses",
		[EPHEMERAL] = "ephemeralContainerStatuses" };
	json_t *status = json_object();
	const char *phase = pod_phase(p);
	char text_now[TIME_TEXT];

	if (get(p->object, "metadata", "generation"))
		json_object_set(
		    status, "observedGeneration", get(p->object, "metadata", "generation"));
	json_object_set_new(status, "phase", json_string(phase));
	set_text(status, "reason", p->fail_reason);
	set_text(status, "message", p->fail_message);
	conditions(p, status, phase, time_print(now, text_now));
	addresses(p, status);
	set_time(status, "startTime", p->started);
	for (size_t i = 0; i < p->n; i++) {
		const char *list = lists[p->c[i].kind];

		if (!get(status, list))
			json_object_set_new(status, list, json_array());
		json_array_append_new(get(status, list), container_status(p, &p->c[i]));
	}
	resize_shown_pod(p, status);
	json_object_set_new(status, "qosClass", json_string(pod_qos(p->object)));
	return status;
}
