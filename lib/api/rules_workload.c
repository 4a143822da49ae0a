/* What makes Pods: Deployment, ReplicaSet, StatefulSet, DaemonSet, ReplicationController
 * (Kubernetes: pkg/apis/apps/validation). */
#include <stdlib.h>
#include <string.h>

#include "api/rules.h"
#include "api/selector.h"
#include "api/shown.h"
#include "base/mem.h"
#include "base/text.h"

static const struct path *const top = NULL;

/* --- selectors and templates ---------------------------------------------------------------- */

static void
refuse_selector(struct causes *out, const struct path *at, const json_t *selector, const char *why)
{
	refuse_shown(out, AT(at, "selector"), "meta.v1.LabelSelector", selector, "%s", why);
}

/* The selector must match what the template makes, or the controller would create for ever. */
static void
refuse_labels(struct causes *out, const struct path *at, const json_t *pods)
{
	json_auto_t *labels = sorted_copy(get(pods, "metadata", "labels"));

	refuse_value(out, AT(AT(at, "metadata"), "labels"), labels,
	    "`selector` does not match template `labels`");
}

static bool
is_empty(const json_t *selector)
{
	return !json_object_size(json_object_get(selector, "matchLabels")) &&
	       !json_array_size(json_object_get(selector, "matchExpressions"));
}

/* Does it match?  Only true when it can be read; `bad` says whether it can. */
static bool
selects(const json_t *selector, const json_t *labels, bool *bad)
{
	struct selector *s;
	struct err err;
	bool ret;

	*bad = selector_from_json(&s, selector, &err) < 0;
	if (*bad)
		return false;
	ret = selector_match(s, labels);
	selector_free(s);
	return ret;
}

static void
check_restart(struct causes *out, const struct path *at, const json_t *pods, const char *kind)
{
	static const char *const always[] = { "Always", NULL };
	const char *policy = text(pods, "spec", "restartPolicy");

	at = AT(at, "spec");
	if (strcmp(policy, "Always") != 0)
		refuse_unsupported(out, AT(at, "restartPolicy"), policy, always);
	if (get(pods, "spec", "activeDeadlineSeconds"))
		refuse_forbidden(out, AT(at, "activeDeadlineSeconds"),
		    "activeDeadlineSeconds in %s is not Supported", kind);
}

/* spec.selector; false when nothing can be said of what it matches. */
static bool
check_selector(struct causes *out, const struct path *at, const json_t *spec, const char *empty,
    const char *bad_text)
{
	const json_t *selector = json_object_get(spec, "selector");
	bool bad;

	if (!selector) {
		refuse_required(out, AT(at, "selector"), "");
	} else {
		check_label_selector(out, AT(at, "selector"), selector);
		if (is_empty(selector))
			refuse_selector(out, at, selector, empty);
	}
	selects(selector, NULL, &bad);
	if (bad)
		refuse_selector(out, at, selector, bad_text);
	return !bad;
}

static void
check_labels_selected(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *selector = json_object_get(spec, "selector");
	const json_t *pods = json_object_get(spec, "template");
	bool bad;

	if ((!selector || !is_empty(selector)) &&
	    !selects(selector, get(pods, "metadata", "labels"), &bad))
		refuse_labels(out, AT(at, "template"), pods);
}

/* --- Deployment and ReplicaSet -------------------------------------------------------------- */

static void
check_replicas_of(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char empty[] = "empty selector is invalid for deployment";
	const json_t *pods = json_object_get(spec, "template");

	if (!check_selector(out, at, spec, empty, "invalid label selector"))
		return;
	check_labels_selected(out, at, spec);
	check_pod_template(out, AT(at, "template"), pods);
	check_restart(out, AT(at, "template"), pods, "ReplicaSet");
}

/* What is no number counts as 0. */
static bool
is_zero(const json_t *v)
{
	return json_is_integer(v) ? !json_integer_value(v) : !strtol(str(v, ""), NULL, 10);
}

static void
check_rolling(struct causes *out, const struct path *at, const json_t *rolling)
{
	const json_t *surge = json_object_get(rolling, "maxSurge");
	const json_t *unavailable = json_object_get(rolling, "maxUnavailable");

	check_count_or_percent(out, AT(at, "maxUnavailable"), unavailable);
	check_count_or_percent(out, AT(at, "maxSurge"), surge);
	if (is_zero(surge) && is_zero(unavailable))
		refuse_value(out, AT(at, "maxUnavailable"), unavailable,
		    "may not be 0 when `maxSurge` is 0");
	check_not_over_all(out, AT(at, "maxUnavailable"), unavailable);
}

/* Kubernetes shows the whole strategy here. */
static void
refuse_strategy(struct causes *out, const struct path *at, const char *type, const json_t *strategy,
    const char *const *types)
{
	json_auto_t *whole = shown(type, strategy);

	refuse_unsupported_value(out, at, whole, types);
}

static void
check_strategy(struct causes *out, const struct path *at, const json_t *strategy)
{
	static const char *const types[] = { "Recreate", "RollingUpdate", NULL };
	const char *type = text(strategy, "type");
	const json_t *rolling = json_object_get(strategy, "rollingUpdate");

	if (!text_in(type, types))
		refuse_strategy(out, at, "apps.v1.DeploymentStrategy", strategy, types);
	else if (strcmp(type, "Recreate") != 0 && !rolling)
		refuse_required(
		    out, AT(at, "rollingUpdate"), "this should be defaulted and never be nil");
	else if (strcmp(type, "Recreate") != 0)
		check_rolling(out, AT(at, "rollingUpdate"), rolling);
	else if (rolling)
		refuse_forbidden(out, AT(at, "rollingUpdate"),
		    "may not be specified when strategy `type` is 'Recreate'");
}

void
deployment_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *deadline = json_object_get(spec, "progressDeadlineSeconds");
	const struct path *at = AT(top, "spec");

	check_not_negative(out, at, spec, "replicas");
	check_replicas_of(out, at, spec);
	check_strategy(out, AT(at, "strategy"), json_object_get(spec, "strategy"));
	check_not_negative(out, at, spec, "minReadySeconds");
	check_not_negative(out, at, spec, "revisionHistoryLimit");
	check_not_negative(out, at, spec, "progressDeadlineSeconds");
	if (deadline && num(deadline, 0) <= num(json_object_get(spec, "minReadySeconds"), 0))
		refuse_value(out, AT(at, "progressDeadlineSeconds"), deadline,
		    "must be greater than minReadySeconds");
}

void
deployment_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *selector = get(obj, "spec", "selector");

	if (!same_value(selector, get(old, "spec", "selector")))
		refuse_selector(out, AT(top, "spec"), selector, "field is immutable");
}

void
replica_set_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(top, "spec");

	check_not_negative(out, at, spec, "replicas");
	check_not_negative(out, at, spec, "minReadySeconds");
	check_replicas_of(out, at, spec);
}

void
replica_set_update(struct causes *out, const json_t *obj, const json_t *old)
{
	deployment_update(out, obj, old);
}

/* --- StatefulSet ---------------------------------------------------------------------------- */

static void
check_set_rolling(struct causes *out, const struct path *at, const json_t *rolling)
{
	const json_t *unavailable = json_object_get(rolling, "maxUnavailable");

	check_not_negative(out, at, rolling, "partition");
	if (!unavailable)
		return;
	check_count_or_percent(out, AT(at, "maxUnavailable"), unavailable);
	if (is_zero(unavailable))
		refuse_value(out, AT(at, "maxUnavailable"), unavailable, "cannot be 0");
	check_not_over_all(out, AT(at, "maxUnavailable"), unavailable);
}

static void
check_set_strategy(struct causes *out, const struct path *at, const json_t *strategy)
{
	const char *type = text(strategy, "type");
	const json_t *rolling = json_object_get(strategy, "rollingUpdate");

	if (!*type)
		refuse_required(out, at, "");
	else if (!strcmp(type, "OnDelete") && rolling)
		refuse_shown(out, AT(at, "rollingUpdate"),
		    "apps.v1.RollingUpdateStatefulSetStrategy", rolling,
		    "only allowed for updateStrategy 'RollingUpdate'");
	else if (!strcmp(type, "RollingUpdate") && rolling)
		check_set_rolling(out, AT(at, "rollingUpdate"), rolling);
	else if (strcmp(type, "OnDelete") != 0 && strcmp(type, "RollingUpdate") != 0)
		refuse_shown(out, at, "apps.v1.StatefulSetUpdateStrategy", strategy,
		    "must be 'RollingUpdate' or 'OnDelete'");
}

static void
check_pod_management(struct causes *out, const struct path *at, const json_t *spec)
{
	const char *policy = text(spec, "podManagementPolicy");

	if (check_required(out, at, spec, "podManagementPolicy") &&
	    strcmp(policy, "OrderedReady") != 0 && strcmp(policy, "Parallel") != 0)
		refuse_text(out, AT(at, "podManagementPolicy"), policy,
		    "must be 'OrderedReady' or 'Parallel'");
}

static void
check_retention(struct causes *out, const struct path *at, const json_t *policy)
{
	static const char *const policies[] = { "Retain", "Delete", NULL };
	static const char *const whens[] = { "whenDeleted", "whenScaled" };

	for (size_t i = 0; i < COUNT(whens) && policy; i++)
		if (!text_in(text(policy, whens[i]), policies))
			refuse_unsupported(out, AT(at, whens[i]), text(policy, whens[i]), policies);
}

/* The Pods of a StatefulSet have volumes that the template does not know: Kubernetes looks at
 * them only when they are made. */
void
stateful_set_create(struct causes *out, const json_t *obj)
{
	static const char empty[] = "empty selector is invalid for statefulset";
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(top, "spec");

	check_pod_management(out, at, spec);
	check_set_strategy(out, AT(at, "updateStrategy"), json_object_get(spec, "updateStrategy"));
	check_retention(out, AT(at, "persistentVolumeClaimRetentionPolicy"),
	    json_object_get(spec, "persistentVolumeClaimRetentionPolicy"));
	check_not_negative(out, at, spec, "replicas");
	check_not_negative(out, at, spec, "minReadySeconds");
	check_not_negative(out, AT(at, "ordinals"), json_object_get(spec, "ordinals"), "start");
	if (*text(spec, "serviceName"))
		check_dns_label(out, AT(at, "serviceName"), text(spec, "serviceName"));
	if (check_selector(out, at, spec, empty, "")) {
		check_labels_selected(out, at, spec);
		check_template_metadata(out, AT(at, "template"), json_object_get(spec, "template"));
	}
	check_restart(out, AT(at, "template"), json_object_get(spec, "template"), "StatefulSet");
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
		    "'template', 'updateStrategy', 'revisionHistoryLimit', "
		    "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

/* --- DaemonSet ------------------------------------------------------------------------------ */

static void
check_daemon_rolling(struct causes *out, const struct path *at, const json_t *rolling)
{
	const json_t *surge = json_object_get(rolling, "maxSurge");
	const json_t *unavailable = json_object_get(rolling, "maxUnavailable");

	check_count_or_percent(out, AT(at, "maxUnavailable"), unavailable);
	check_count_or_percent(out, AT(at, "maxSurge"), surge);
	check_not_over_all(out, AT(at, "maxUnavailable"), unavailable);
	check_not_over_all(out, AT(at, "maxSurge"), surge);
	if (!is_zero(surge) && !is_zero(unavailable))
		refuse_value(out, AT(at, "maxSurge"), surge,
		    "may not be set when maxUnavailable is non-zero");
	else if (is_zero(unavailable) && is_zero(surge))
		refuse_required(out, AT(at, "maxUnavailable"), "cannot be 0 when maxSurge is 0");
}

static void
check_daemon_strategy(struct causes *out, const struct path *at, const json_t *strategy)
{
	static const char *const types[] = { "RollingUpdate", "OnDelete", NULL };
	const char *type = text(strategy, "type");
	const json_t *rolling = json_object_get(strategy, "rollingUpdate");

	if (!text_in(type, types))
		refuse_strategy(out, at, "apps.v1.DaemonSetUpdateStrategy", strategy, types);
	else if (!strcmp(type, "RollingUpdate") && !rolling)
		refuse_required(out, AT(at, "rollingUpdate"), "");
	else if (!strcmp(type, "RollingUpdate"))
		check_daemon_rolling(out, AT(at, "rollingUpdate"), rolling);
}

void
daemon_set_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *selector = json_object_get(spec, "selector");
	const json_t *pods = json_object_get(spec, "template");
	const struct path *at = AT(top, "spec");
	bool bad;

	if (selector)
		check_label_selector(out, AT(at, "selector"), selector);
	if (!selects(selector, get(pods, "metadata", "labels"), &bad) && !bad)
		refuse_labels(out, AT(at, "template"), pods);
	if (selector && is_empty(selector))
		refuse_selector(out, at, selector, "empty selector is invalid for daemonset");
	check_pod_template(out, AT(at, "template"), pods);
	check_restart(out, AT(at, "template"), pods, "DaemonSet");
	check_not_negative(out, at, spec, "minReadySeconds");
	check_daemon_strategy(
	    out, AT(at, "updateStrategy"), json_object_get(spec, "updateStrategy"));
	check_not_negative(out, at, spec, "revisionHistoryLimit");
}

void
daemon_set_update(struct causes *out, const json_t *obj, const json_t *old)
{
	deployment_update(out, obj, old);
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
	if (!selector_match(s, labels))
		refuse_labels(out, AT(at, "template"), pods);
	selector_free(s);
	check_pod_template(out, AT(at, "template"), pods);
	check_restart(out, AT(at, "template"), pods, "ReplicationController");
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
