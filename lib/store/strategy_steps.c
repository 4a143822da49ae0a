/* What the registry of a kind does to its objects besides defaults (Kubernetes: pkg/registry). */
#include <stdlib.h>
#include <string.h>

#include "api/custom.h"
#include "api/features.h"
#include "api/meta.h"
#include "api/pod.h"
#include "base/mem.h"
#include "store/call.h"
#include "store/definition_names.h"

/* obj[key] as it was. */
static void
keep(json_t *obj, const json_t *old, const char *key)
{
	json_t *v = json_object_get(old, key);

	if (v)
		json_object_set(obj, key, v);
	else
		json_object_del(obj, key);
}

/* --- Namespace --------------------------------------------------------------------------- */

/* Until it is emptied a Namespace is held by a finalizer of its own. */
static void
create_namespace(const json_t *old, json_t *obj)
{
	json_t *finalizers = get(obj, "spec", "finalizers"), *f;
	bool held = false;
	size_t i;

	(void)old;
	json_array_foreach (finalizers, i, f)
		held |= !strcmp(str(f, ""), "kubernetes");
	if (!held && json_array_size(finalizers))
		json_array_append_new(finalizers, json_string("kubernetes"));
	else if (!held)
		put(obj, json_pack("[s]", "kubernetes"), "spec", "finalizers");
	put(obj, json_string("Active"), "status", "phase");
}

static void
enter_namespace(const json_t *old, json_t *obj)
{
	(void)old;
	put(obj, json_string(meta_name(obj)), "metadata", "labels", "kubernetes.io/metadata.name");
}

/* Only the subresource takes finalizers away. */
static void
update_namespace(const json_t *old, json_t *obj)
{
	json_t *finalizers = get(old, "spec", "finalizers");

	if (finalizers)
		put(obj, json_incref(finalizers), "spec", "finalizers");
	else
		json_object_del(json_object_get(obj, "spec"), "finalizers");
}

/* --- Pod --------------------------------------------------------------------------------- */

/* Of the Pod's own labels, those that keys names become part of the selector. */
static void
select_own(const json_t *pod, json_t *selector, const json_t *keys, const char *operator)
{
	size_t i;
	json_t *key;

	json_array_foreach (keys, i, key) {
		const char *value = meta_label(pod, str(key, ""));
		json_t *expressions = json_object_get(selector, "matchExpressions");

		if (!value)
			continue;
		if (!expressions)
			json_object_set_new(
			    selector, "matchExpressions", expressions = json_array());
		json_array_append_new(expressions, json_pack("{s:O, s:s, s:[s]}", "key", key,
						       "operator", operator, "values", value));
	}
}

static void
select_in_term(const json_t *pod, json_t *term)
{
	json_t *selector = json_object_get(term, "labelSelector");

	if (!selector)
		return;
	select_own(pod, selector, json_object_get(term, "matchLabelKeys"), "In");
	select_own(pod, selector, json_object_get(term, "mismatchLabelKeys"), "NotIn");
}

/* matchLabelKeys: the labels that a rollout gives its Pods, written out when each is made. */
static void
select_labels(json_t *pod)
{
	static const char *const sides[] = { "podAffinity", "podAntiAffinity" };
	size_t i;
	json_t *term;

	for (size_t s = 0; s < COUNT(sides); s++) {
		const json_t *side = get(pod, "spec", "affinity", sides[s]);

		json_array_foreach (
		    json_object_get(side, "preferredDuringSchedulingIgnoredDuringExecution"), i,
		    term)
			select_in_term(pod, json_object_get(term, "podAffinityTerm"));
		json_array_foreach (
		    json_object_get(side, "requiredDuringSchedulingIgnoredDuringExecution"), i,
		    term)
			select_in_term(pod, term);
	}
	json_array_foreach (get(pod, "spec", "topologySpreadConstraints"), i, term)
		select_in_term(pod, term);
}

static void
create_pod(const json_t *old, json_t *obj)
{
	char now[40];

	(void)old;
	put(obj, json_string("Pending"), "status", "phase");
	put(obj, json_string(pod_qos(obj)), "status", "qosClass");
	select_labels(obj);
	if (json_array_size(get(obj, "spec", "schedulingGates")))
		put(obj,
		    json_pack("[{s:n, s:s, s:s, s:s, s:s, s:s}]", "lastProbeTime",
			"lastTransitionTime", call_now(now), "message",
			"Scheduling is blocked due to non-empty scheduling gates", "reason",
			"SchedulingGated", "status", "False", "type", "PodScheduled"),
		    "status", "conditions");
}

/* --- storage ----------------------------------------------------------------------------- */

/* The older way to say where data comes from knows claims and snapshots. */
static bool
is_claim_or_snapshot(const json_t *source)
{
	const char *group = text(source, "apiGroup"), *kind = text(source, "kind");

	return (!*group && !strcmp(kind, "PersistentVolumeClaim")) ||
	       (!strcmp(group, "snapshot.storage.k8s.io") && !strcmp(kind, "VolumeSnapshot"));
}

/* dataSource and dataSourceRef say the same: whichever is there becomes the other too. */
static void
create_claim(const json_t *old, json_t *obj)
{
	json_t *spec = json_object_get(obj, "spec"), *source, *ref;

	(void)old;
	put(obj, json_string("Pending"), "status", "phase");
	json_object_del(json_object_get(spec, "dataSourceRef"), "namespace");
	if (json_object_get(spec, "dataSource") &&
	    !is_claim_or_snapshot(json_object_get(spec, "dataSource")))
		json_object_del(spec, "dataSource");
	source = json_object_get(spec, "dataSource");
	ref = json_object_get(spec, "dataSourceRef");
	if (source && !ref)
		json_object_set_new(spec, "dataSourceRef", json_deep_copy(source));
	else if (ref && !source)
		json_object_set_new(spec, "dataSource", json_deep_copy(ref));
}

static void
create_volume(const json_t *old, json_t *obj)
{
	char now[40];

	(void)old;
	put(obj, json_string("Pending"), "status", "phase");
	put(obj, json_string(call_now(now)), "status", "lastPhaseTransitionTime");
}

static void
create_service(const json_t *old, json_t *obj)
{
	(void)old;
	put(obj, json_object(), "status", "loadBalancer");
}

/* A ServiceAccount names Secrets, nothing else of them. */
static void
name_secrets(const json_t *old, json_t *obj)
{
	size_t i;
	json_t *secret;

	(void)old;
	json_array_foreach (json_object_get(obj, "secrets"), i, secret)
		json_array_set_new(json_object_get(obj, "secrets"), i,
		    *text(secret, "name") ? json_pack("{s:s}", "name", text(secret, "name"))
					  : json_object());
}

/* --- workloads --------------------------------------------------------------------------- */

/* Labels that it does not have are those of its Pods, and stay so whatever these become: one map
 * in two places. */
static void
enter_job(const json_t *old, json_t *obj)
{
	json_t *labels = get(obj, "spec", "template", "metadata", "labels");

	(void)old;
	if (json_object_size(labels) && !json_object_size(get(obj, "metadata", "labels")))
		put(obj, json_incref(labels), "metadata", "labels");
}

/* What makes a Job's Pods its own, unless it says how. */
static void
create_job(const json_t *old, json_t *obj)
{
	static const char *const prefixes[] = { "", "batch.kubernetes.io/" };
	static const char *const words[] = { "job-name", "controller-uid" };
	json_t *labels, *match;

	(void)old;
	if (truth(get(obj, "spec", "manualSelector")))
		return;
	for (size_t i = 0; i < COUNT(prefixes) * COUNT(words); i++) {
		autofree char *key = xasprintf("%s%s", prefixes[i % 2], words[i / 2]);

		labels = get(obj, "spec", "template", "metadata", "labels");
		if (!json_object_get(labels, key))
			put(obj, json_string(i / 2 ? meta_uid(obj) : meta_name(obj)), "spec",
			    "template", "metadata", "labels", key);
	}
	match = get(obj, "spec", "selector", "matchLabels");
	if (!json_object_get(match, "batch.kubernetes.io/controller-uid"))
		put(obj, json_string(meta_uid(obj)), "spec", "selector", "matchLabels",
		    "batch.kubernetes.io/controller-uid");
}

#define TEMPLATE_GENERATION "deprecated.daemonset.template.generation"

/* A field of the version before this, which goes along as an annotation. */
static void
enter_daemon_set(const json_t *old, json_t *obj)
{
	(void)old;
	if (!meta_annotation(obj, TEMPLATE_GENERATION))
		put(obj, json_string("0"), "metadata", "annotations", TEMPLATE_GENERATION);
}

static void
set_template_generation(json_t *obj, long long n)
{
	char number[24];

	snprintf(number, sizeof number, "%lld", n);
	put(obj, json_string(number), "metadata", "annotations", TEMPLATE_GENERATION);
}

static long long
template_generation(const json_t *obj)
{
	const char *text = meta_annotation(obj, TEMPLATE_GENERATION);

	return text ? strtoll(text, NULL, 10) : 0;
}

static void
create_daemon_set(const json_t *old, json_t *obj)
{
	(void)old;
	if (template_generation(obj) < 1)
		set_template_generation(obj, 1);
}

static void
update_daemon_set(const json_t *old, json_t *obj)
{
	bool changed = !json_equal(get(old, "spec", "template"), get(obj, "spec", "template"));

	set_template_generation(obj, template_generation(old) + changed);
}

/* --- the rest ---------------------------------------------------------------------------- */

/* A request for a certificate is what it was. */
static void
update_request(const json_t *old, json_t *obj)
{
	keep(obj, old, "spec");
}

static void
add_extra(json_t *spec, const char *key, const char *value)
{
	json_t *list = get(spec, "extra", key);

	if (!list)
		put(spec, list = json_array(), "extra", key);
	json_array_append_new(list, json_string(value));
}

void
strategy_requester(struct call *c, json_t *obj)
{
	json_t *spec = json_object_get(obj, "spec"), *groups;

	if (!kind_is(c->kind, "certificates.k8s.io", "CertificateSigningRequest") || !spec)
		return;
	json_object_del(spec, "uid");
	json_object_del(spec, "extra");
	json_object_set_new(spec, "username", json_string(c->user.name));
	if (c->user.uid && *c->user.uid)
		json_object_set_new(spec, "uid", json_string(c->user.uid));
	for (const char *const *e = c->user.extra; e && *e; e += 2)
		add_extra(spec, e[0], e[1]);
	json_object_set_new(spec, "groups", groups = json_array());
	for (const char *const *g = c->user.groups; g && *g; g++)
		json_array_append_new(groups, json_string(*g));
}

static void
create_definition(const json_t *old, json_t *obj)
{
	(void)old;
	definition_create(obj);
}

/* --- the table --------------------------------------------------------------------------- */

typedef void step(const json_t *old, json_t *obj);

/* --- APIService --------------------------------------------------------------------------- */

/* What this server answers by itself is there at once. */
static void
create_api_service(const json_t *old, json_t *obj)
{
	char now[40];

	(void)old;
	if (!json_is_object(get(obj, "spec", "service")))
		condition_set(obj, "Available", "True", "Local",
		    "Local APIServices are always available", call_now(now));
}

static const struct {
	const char *group, *kind;
	step *enter;  /* before defaults */
	step *create; /* behind admission; old is NULL */
	step *update; /* behind admission, of an update of the main resource */
} steps[] = {
	{ "", "Namespace", enter_namespace, create_namespace, update_namespace },
	{ "", "PersistentVolume", NULL, create_volume, NULL },
	{ "", "PersistentVolumeClaim", NULL, create_claim, NULL },
	{ "", "Pod", NULL, create_pod, NULL },
	{ "", "Service", NULL, create_service, NULL },
	{ "", "ServiceAccount", NULL, name_secrets, name_secrets },
	{ "apiextensions.k8s.io", "CustomResourceDefinition", NULL, create_definition,
	    definition_update },
	{ "apiregistration.k8s.io", "APIService", NULL, create_api_service, NULL },
	{ "apps", "DaemonSet", enter_daemon_set, create_daemon_set, update_daemon_set },
	{ "batch", "Job", enter_job, create_job, NULL },
	{ "certificates.k8s.io", "CertificateSigningRequest", NULL, NULL, update_request },
};

static void
run(step *s, const json_t *old, json_t *obj)
{
	if (s)
		s(old, obj);
}

void
strategy_enter(const struct kind *k, json_t *obj)
{
	for (size_t i = 0; i < COUNT(steps); i++)
		if (kind_is(k, steps[i].group, steps[i].kind))
			run(steps[i].enter, NULL, obj);
}

void
strategy_clear(const struct kind *k, json_t *obj)
{
	if (k->custom && kind_has_status(k))
		json_object_del(obj, "status");
	else if (kind_has_status(k) && !kind_is(k, "", "Node"))
		json_object_set_new(obj, "status", json_object());
	strategy_enter(k, obj);
}

void
strategy_create(const struct kind *k, json_t *obj)
{
	features_drop(k, NULL, obj);
	for (size_t i = 0; i < COUNT(steps); i++)
		if (kind_is(k, steps[i].group, steps[i].kind))
			run(steps[i].create, NULL, obj);
}

/* Defaults, which Kubernetes finds when it reads what it has kept. */
void
strategy_kept(const struct kind *k, json_t *obj)
{
	json_t *labels = get(obj, "spec", "template", "metadata", "labels");

	if (kind_is(k, "batch", "Job") && json_object_size(labels) &&
	    !json_object_size(get(obj, "metadata", "labels")))
		put(obj, json_deep_copy(labels), "metadata", "labels");
}

void
strategy_update(const struct kind *k, const json_t *old, json_t *obj)
{
	features_drop(k, old, obj);
	for (size_t i = 0; i < COUNT(steps); i++)
		if (kind_is(k, steps[i].group, steps[i].kind))
			run(steps[i].update, old, obj);
}

/* --- generations ------------------------------------------------------------------------- */

/* Everything but metadata and status. */
static bool
spec_changed(const json_t *old, const json_t *obj)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)obj, key, v)
		if (strcmp(key, "metadata") != 0 && strcmp(key, "status") != 0 &&
		    !json_equal(v, json_object_get(old, key)))
			return true;
	json_object_foreach ((json_t *)old, key, v)
		if (strcmp(key, "status") != 0 && !json_object_get(obj, key))
			return true;
	return false;
}

static bool
changed(const json_t *old, const json_t *obj, const char *key)
{
	const json_t *before = get(old, "metadata", key), *now = get(obj, "metadata", key);

	return (json_object_size(before) || json_object_size(now)) && !json_equal(before, now);
}

bool
strategy_counts(const struct kind *k, const json_t *old, const json_t *obj)
{
	unsigned bits = kind_strategy(k);

	if (k->custom)
		return custom_counts(k, old, obj);
	if (!(bits & HAS_GENERATION) || (bits & COUNTS_NOTHING))
		return false;
	return spec_changed(old, obj) ||
	       ((bits & COUNTS_ANNOTATIONS) && changed(old, obj, "annotations")) ||
	       ((bits & COUNTS_LABELS) && changed(old, obj, "labels"));
}
