/* What makes Pods: Deployment, ReplicaSet, StatefulSet, DaemonSet, ReplicationController, Job,
 * CronJob. */
#include <stdlib.h>
#include <string.h>

#include "api/rules.h"
#include "api/selector.h"
#include "base/mem.h"

static const struct path *const top = NULL;

/* The selector must match what the template makes, or the controller would create for ever. */
static void
check_selected(struct causes *out, const struct path *at, const json_t *labels, bool matches)
{
	json_auto_t *shown = matches ? NULL : sorted_copy(labels);

	if (!matches)
		refuse_value(out, AT(AT(at, "metadata"), "labels"), shown,
		    "`selector` does not match template `labels`");
}

static void
check_restart(struct causes *out, const struct path *at, const json_t *spec, const char *kind)
{
	static const char *const always[] = { "Always", NULL };
	const char *policy = text(spec, "restartPolicy");

	if (*policy && strcmp(policy, "Always"))
		refuse_unsupported(out, AT(at, "restartPolicy"), policy, always);
	if (json_object_get(spec, "activeDeadlineSeconds"))
		refuse_forbidden(out, AT(at, "activeDeadlineSeconds"),
		    "activeDeadlineSeconds in %s is not Supported", kind);
}

/* spec.selector and spec.template, which all of them share. */
static void
check_selector_and_template(struct causes *out, const struct path *at, const json_t *spec,
    const char *kind, const char *word)
{
	const json_t *selector = json_object_get(spec, "selector");
	const json_t *pods = json_object_get(spec, "template");
	const json_t *labels = get(pods, "metadata", "labels");
	struct selector *s = NULL;
	struct err err;
	bool matches = false;

	if (!json_is_object(selector)) {
		refuse_required(out, AT(at, "selector"), "");
	} else {
		check_label_selector(out, AT(at, "selector"), selector);
		if (selector_from_json(&s, selector, &err) < 0)
			refuse_value(out, AT(at, "selector"), selector, "invalid label selector");
		else if (selector_empty(s))
			refuse_value(out, AT(at, "selector"), selector,
			    "empty selector is invalid for %s", word);
	}
	if (s && !selector_empty(s))
		matches = selector_match(s, labels);
	if (!json_is_object(selector) || (s && !selector_empty(s)))
		check_selected(out, AT(at, "template"), labels, matches);
	selector_free(s);
	/* The Pods of a StatefulSet have volumes that the template does not know: Kubernetes looks
	 * at them only when they are made. */
	if (!strcmp(kind, "StatefulSet"))
		check_template_metadata(out, AT(at, "template"), pods);
	else
		check_pod_template(out, AT(at, "template"), pods);
	check_restart(out, AT(AT(at, "template"), "spec"), json_object_get(pods, "spec"), kind);
}

/* --- Deployment ------------------------------------------------------------------- */

static bool
is_zero(const json_t *v)
{
	return json_is_integer(v) ? !json_integer_value(v)
				  : json_is_string(v) && !strtol(json_string_value(v), NULL, 10);
}

static void
check_rolling(struct causes *out, const struct path *at, const json_t *rolling)
{
	const json_t *surge = json_object_get(rolling, "maxSurge");
	const json_t *unavailable = json_object_get(rolling, "maxUnavailable");
	size_t before = out->n;

	check_count_or_percent(out, AT(at, "maxSurge"), surge);
	check_count_or_percent(out, AT(at, "maxUnavailable"), unavailable);
	if (out->n == before && is_zero(surge) && is_zero(unavailable))
		refuse_value(out, AT(at, "maxUnavailable"), unavailable,
		    "may not be 0 when `maxSurge` is 0");
}

/* Kubernetes shows the whole strategy here. */
static void
refuse_strategy(
    struct causes *out, const struct path *at, const char *type, const char *const *types)
{
	json_auto_t *whole = json_pack("{s:s, s:n}", "Type", type, "RollingUpdate");

	refuse_unsupported_value(out, at, whole, types);
}

static void
check_strategy(struct causes *out, const struct path *at, const json_t *strategy)
{
	static const char *const types[] = { "Recreate", "RollingUpdate", NULL };
	const char *type = text(strategy, "type");
	const json_t *rolling = json_object_get(strategy, "rollingUpdate");

	if (!json_is_object(strategy))
		return;
	if (!strcmp(type, "Recreate")) {
		if (json_is_object(rolling))
			refuse_forbidden(out, AT(at, "rollingUpdate"),
			    "may not be specified when strategy `type` is 'Recreate'");
	} else if (!strcmp(type, "RollingUpdate")) {
		if (!json_is_object(rolling))
			refuse_required(out, AT(at, "rollingUpdate"),
			    "this should be defaulted and never be nil");
		else
			check_rolling(out, AT(at, "rollingUpdate"), rolling);
	} else if (*type) {
		refuse_strategy(out, at, type, types);
	}
}

void
deployment_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(top, "spec");
	json_int_t ready = num(json_object_get(spec, "minReadySeconds"), 0);
	json_int_t deadline = num(json_object_get(spec, "progressDeadlineSeconds"), 0);

	check_not_negative(out, at, spec, "replicas");
	check_selector_and_template(out, at, spec, "ReplicaSet", "deployment");
	check_strategy(out, AT(at, "strategy"), json_object_get(spec, "strategy"));
	check_not_negative(out, at, spec, "minReadySeconds");
	check_not_negative(out, at, spec, "revisionHistoryLimit");
	check_not_negative(out, at, spec, "progressDeadlineSeconds");
	if (json_object_get(spec, "progressDeadlineSeconds") && deadline >= 0 && deadline <= ready)
		refuse_number(out, AT(at, "progressDeadlineSeconds"), deadline,
		    "must be greater than minReadySeconds");
}

static void
selector_update(struct causes *out, const json_t *obj, const json_t *old)
{
	check_immutable(out, AT(AT(top, "spec"), "selector"), get(obj, "spec", "selector"),
	    get(old, "spec", "selector"));
}

void
deployment_update(struct causes *out, const json_t *obj, const json_t *old)
{
	selector_update(out, obj, old);
}

void
replica_set_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(top, "spec");

	check_not_negative(out, at, spec, "replicas");
	check_not_negative(out, at, spec, "minReadySeconds");
	check_selector_and_template(out, at, spec, "ReplicaSet", "replicaset");
}

void
replica_set_update(struct causes *out, const json_t *obj, const json_t *old)
{
	selector_update(out, obj, old);
}

/* --- StatefulSet and DaemonSet -------------------------------------------------------- */

void
stateful_set_create(struct causes *out, const json_t *obj)
{
	json_auto_t *whole = json_pack("{s:O?, s:O?}", "Partition",
	    get(obj, "spec", "updateStrategy", "rollingUpdate", "partition"), "MaxUnavailable",
	    get(obj, "spec", "updateStrategy", "rollingUpdate", "maxUnavailable"));
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *rolling = get(spec, "updateStrategy", "rollingUpdate");
	const struct path *at = AT(top, "spec"), *strategy = AT(at, "updateStrategy");

	if (*text(spec, "serviceName"))
		check_dns_label(out, AT(at, "serviceName"), text(spec, "serviceName"));
	if (!strcmp(text(spec, "updateStrategy", "type"), "OnDelete") && json_is_object(rolling))
		refuse_value(out, AT(strategy, "rollingUpdate"), whole,
		    "only allowed for updateStrategy 'RollingUpdate'");
	check_not_negative(out, AT(strategy, "rollingUpdate"), rolling, "partition");
	check_not_negative(out, at, spec, "replicas");
	check_not_negative(out, at, spec, "minReadySeconds");
	check_not_negative(out, AT(at, "ordinals"), json_object_get(spec, "ordinals"), "start");
	check_selector_and_template(out, at, spec, "StatefulSet", "statefulset");
}

void
stateful_set_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const free_fields[] = { "replicas", "ordinals", "template",
		"updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy",
		"minReadySeconds" };
	json_auto_t *now = json_copy(json_object_get(obj, "spec"));
	json_auto_t *before = json_copy(json_object_get(old, "spec"));

	for (size_t i = 0; i < COUNT(free_fields); i++) {
		json_object_del(now, free_fields[i]);
		json_object_del(before, free_fields[i]);
	}
	if (!same_value(now, before))
		refuse_forbidden(out, AT(top, "spec"),
		    "updates to statefulset spec for fields other than 'replicas', 'ordinals', "
		    "'template', "
		    "'updateStrategy', 'revisionHistoryLimit', "
		    "'persistentVolumeClaimRetentionPolicy' and "
		    "'minReadySeconds' are forbidden");
}

void
daemon_set_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *rolling = get(spec, "updateStrategy", "rollingUpdate");
	const json_t *surge = json_object_get(rolling, "maxSurge");
	const json_t *unavailable = json_object_get(rolling, "maxUnavailable");
	const struct path *at = AT(top, "spec"),
			  *here = AT(AT(at, "updateStrategy"), "rollingUpdate");
	static const char *const types[] = { "RollingUpdate", "OnDelete", NULL };
	const char *type = text(spec, "updateStrategy", "type");

	check_selector_and_template(out, at, spec, "DaemonSet", "daemonset");
	check_not_negative(out, at, spec, "minReadySeconds");
	check_not_negative(out, at, spec, "revisionHistoryLimit");
	if (*type && strcmp(type, "RollingUpdate") && strcmp(type, "OnDelete"))
		refuse_strategy(out, AT(at, "updateStrategy"), type, types);
	if (!json_is_object(rolling))
		return;
	check_count_or_percent(out, AT(here, "maxUnavailable"), unavailable);
	check_count_or_percent(out, AT(here, "maxSurge"), surge);
	if (surge && unavailable && !is_zero(surge) && !is_zero(unavailable))
		refuse_value(out, AT(here, "maxSurge"), surge,
		    "may not be set when maxUnavailable is non-zero");
	else if (is_zero(unavailable) && (!surge || is_zero(surge)))
		refuse_required(out, AT(here, "maxUnavailable"), "cannot be 0 when maxSurge is 0");
}

void
daemon_set_update(struct causes *out, const json_t *obj, const json_t *old)
{
	selector_update(out, obj, old);
}

/* --- the older and the simpler ---------------------------------------------------------- */

void
replication_controller_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec"),
		     *pods = json_object_get(spec, "template");
	const json_t *map = json_object_get(spec, "selector");
	const json_t *labels = get(pods, "metadata", "labels");
	const struct path *at = AT(top, "spec");
	struct selector *s;

	check_not_negative(out, at, spec, "minReadySeconds");
	if (!json_object_size(map))
		refuse_required(out, AT(at, "selector"), "");
	check_not_negative(out, at, spec, "replicas");
	if (!json_is_object(pods)) {
		refuse_required(out, AT(at, "template"), "");
		return;
	}
	s = selector_from_map(map);
	check_selected(out, AT(at, "template"), labels, selector_match(s, labels));
	selector_free(s);
	check_pod_template(out, AT(at, "template"), pods);
	check_restart(out, AT(AT(at, "template"), "spec"), json_object_get(pods, "spec"),
	    "ReplicationController");
}

void
pod_template_create(struct causes *out, const json_t *obj)
{
	check_pod_template(out, AT(top, "template"), json_object_get(obj, "template"));
}

void
controller_revision_create(struct causes *out, const json_t *obj)
{
	if (!json_object_get(obj, "data"))
		refuse_required(out, AT(top, "data"), "data is mandatory");
	check_not_negative(out, top, obj, "revision");
}

void
controller_revision_update(struct causes *out, const json_t *obj, const json_t *old)
{
	check_immutable(
	    out, AT(top, "data"), json_object_get(obj, "data"), json_object_get(old, "data"));
}
