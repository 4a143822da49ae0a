/*
 * PodSecurity: the level of a namespace holds for its Pods; workloads are warned, and so is who
 * raises a level above Pods that are there.
 */
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/podsecurity.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/admission.h"

/* How much is looked at when a namespace changes: a write should not take long. */
enum { MOST_PODS = 3000 };
static const double most_seconds = 1;

/* --- namespaces --- */

/* Pods with the same faults are told together, under the first name. */
static void
count_pod(json_t *found, const json_t *pod, const char *reason)
{
	json_t *entry = json_object_get(found, reason);

	if (!entry) {
		json_object_set_new(
		    found, reason, json_pack("{s:s, s:i}", "name", meta_name(pod), "n", 1));
		return;
	}
	json_object_set_new(entry, "n", json_integer(num(get(entry, "n"), 0) + 1));
	if (strcmp(meta_name(pod), text(entry, "name")) < 0)
		json_object_set_new(entry, "name", json_string(meta_name(pod)));
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *
describe(const json_t *entry, const char *reason)
{
	long long others = (long long)num(get(entry, "n"), 1) - 1;

	if (others == 0)
		return xasprintf("%s: %s", text(entry, "name"), reason);
	return xasprintf("%s (and %lld other pod%s): %s", text(entry, "name"), others,
	    others == 1 ? "" : "s", reason);
}

static void
warn_found(struct call *c, const json_t *found, const char *ns, struct security_policy policy)
{
	char **line = xcalloc(json_object_size(found) + 1, sizeof *line);
	autofree char *shown = security_print(policy);
	autofree char *head = xasprintf(
	    "existing pods in namespace \"%s\" violate the new PodSecurity enforce level \"%s\"",
	    ns, shown);
	const char *reason;
	json_t *entry;
	size_t n = 0;

	if (json_object_size(found) > 0)
		call_warn(c, head);
	json_object_foreach ((json_t *)found, reason, entry)
		line[n++] = describe(entry, reason);
	if (n)
		qsort(line, n, sizeof *line, by_text);
	for (size_t i = 0; i < n; i++) {
		call_warn(c, line[i]);
		free(line[i]);
	}
	free(line);
}

static void
warn_pods(struct admission *a, struct security_policy policy)
{
	json_auto_t *pods = admission_list(a, "", "Pod", meta_name(a->obj)), *found = json_object();
	double until = clock_monotonic() + most_seconds;
	size_t total = json_array_size(pods), i;

	for (i = 0; i < total && i < MOST_PODS && clock_monotonic() < until; i++) {
		json_t *pod = json_array_get(pods, i);
		autobuf struct buf reason = BUF_INIT;

		if (!security_check(pod, policy, &reason, NULL))
			count_pod(found, pod, reason.data);
	}
	if (i < total) {
		autofree char *text =
		    xasprintf("new PodSecurity enforce level only checked against the first %zu of "
			      "%zu existing pods",
			i, total);

		call_warn(a->c, text);
	}
	warn_found(a->c, found, meta_name(a->obj), policy);
}

static bool
same_causes(const struct causes *a, const struct causes *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = strcmp(a->item[i].field, b->item[i].field) == 0 &&
		       strcmp(a->item[i].message, b->item[i].message) == 0;
	return same;
}

static bool
stricter(struct security_policy now, struct security_policy was)
{
	if (now.level == SECURITY_PRIVILEGED)
		return false;
	return now.version != was.version || now.level > was.level;
}

/* Labels that cannot be read are refused, but for those that were there before. */
static int
check_namespace(struct admission *a)
{
	struct causes now = CAUSES_INIT, was = CAUSES_INIT;
	struct security_policies policies, before;
	bool refused;

	security_of_labels(meta_labels(a->obj), &policies, &now);
	security_of_labels(meta_labels(a->old), &before, &was);
	refused = now.n && (a->op == OP_CREATE || !same_causes(&now, &was));
	if (refused)
		reply_invalid(a->c, &now, meta_name(a->obj));
	else if (a->op == OP_UPDATE && stricter(policies.enforce, before.enforce))
		warn_pods(a, policies.enforce);
	causes_release(&now);
	causes_release(&was);
	return refused ? -1 : 0;
}

/* --- Pods --- */

static const char *
seccomp_annotation(const json_t *pod, const json_t *container)
{
	autofree char *key =
	    xasprintf("container.seccomp.security.alpha.kubernetes.io/%s", text(container, "name"));
	const char *value = meta_annotation(pod, key);

	return value ? value : "";
}

/* Nothing of what can be changed in a Pod matters but its images, and who is added. */
static bool
changed(const json_t *pod, const json_t *old)
{
	static const char *const lists[] = { "containers", "initContainers",
		"ephemeralContainers" };
	json_t *c;
	size_t i;

	for (size_t l = 0; l < COUNT(lists); l++) {
		const json_t *was = get(old, "spec", lists[l]);

		if (json_array_size(get(pod, "spec", lists[l])) != json_array_size(was))
			return true;
		json_array_foreach (get(pod, "spec", lists[l]), i, c)
			if (strcmp(text(c, "image"), text(json_array_get(was, i), "image")) != 0 ||
			    strcmp(seccomp_annotation(pod, c), seccomp_annotation(old, c)) != 0)
				return true;
	}
	return false;
}

/* The template of a workload; the Pod itself. */
static const json_t *
pod_of(const struct admission *a)
{
	if (kind_is(a->kind, "", "Pod"))
		return a->obj;
	if (kind_is(a->kind, "", "PodTemplate"))
		return get(a->obj, "template");
	if (kind_is(a->kind, "batch", "CronJob"))
		return get(a->obj, "spec", "jobTemplate", "spec", "template");
	return get(a->obj, "spec", "template");
}

static int
check_pod(struct admission *a, const struct security_policies *p, bool enforce)
{
	autobuf struct buf detail = BUF_INIT;
	const json_t *pod = pod_of(a);
	autofree char *level = NULL, *text = NULL;

	if (enforce && !security_check(pod, p->enforce, NULL, &detail)) {
		level = security_print(p->enforce);
		return admission_forbid(a, "violates PodSecurity \"%s\": %s", level, detail.data);
	}
	if (security_check(pod, p->warn, NULL, &detail))
		return 0;
	level = security_print(p->warn);
	text = xasprintf("would violate PodSecurity \"%s\": %s", level, detail.data);
	call_warn(a->c, text);
	return 0;
}

static bool
is_workload(const struct kind *k)
{
	static const struct {
		const char *group, *kind;
	} kinds[] = { { "", "PodTemplate" }, { "", "ReplicationController" },
		{ "apps", "ReplicaSet" }, { "apps", "Deployment" }, { "apps", "StatefulSet" },
		{ "apps", "DaemonSet" }, { "batch", "Job" }, { "batch", "CronJob" } };

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (kind_is(k, kinds[i].group, kinds[i].kind))
			return true;
	return false;
}

/* Does this write concern Pods at all? */
static bool
matters(const struct admission *a, bool pod)
{
	static const char *const ignored[] = { "exec", "attach", "binding", "eviction", "log",
		"portforward", "proxy", "status", NULL };

	if (!pod)
		return !*a->sub && is_workload(a->kind) && pod_of(a);
	return !text_in(a->sub, ignored) && (a->op == OP_CREATE || changed(a->obj, a->old));
}

int
pod_security(struct admission *a)
{
	bool pod = kind_is(a->kind, "", "Pod");
	struct causes ignored = CAUSES_INIT;
	struct security_policies policies;
	json_auto_t *ns = NULL;

	if (kind_is(a->kind, "", "Namespace"))
		return *a->sub ? 0 : check_namespace(a);
	if (!matters(a, pod))
		return 0;
	ns = admission_get(a, "", "Namespace", "", a->c->target.namespace);
	security_of_labels(meta_labels(ns), &policies, &ignored);
	causes_release(&ignored);
	return check_pod(a, &policies, pod);
}
