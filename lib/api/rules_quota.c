/* LimitRange and ResourceQuota (Kubernetes: pkg/apis/core/validation). */
#include <string.h>

#include "api/quantity.h"
#include "api/rules_pod.h"
#include "api/rules_status.h"
#include "api/shown.h"
#include "base/mem.h"
#include "base/text.h"

static const struct path *const top = NULL;

/* --- LimitRange ----------------------------------------------------------------------------- */

static void
check_limit_type(struct causes *out, const struct path *at, const char *type)
{
	static const char *const types[] = { "Container", "PersistentVolumeClaim", "Pod", NULL };
	size_t before = out->n;

	check_qualified_name(out, at, type);
	if (out->n == before && !strchr(type, '/') && !text_in(type, types))
		refuse_text(out, at, type, "must be a standard limit type or fully qualified");
}

static void
check_limited(
    struct causes *out, const struct path *at, const json_t *limit, const char *list, json_t *names)
{
	const char *type = text(limit, "type"), *name;
	bool containers = !strcmp(type, "Pod") || !strcmp(type, "Container");
	json_t *v;

	json_object_foreach (json_object_get(limit, list), name, v) {
		const struct path *here = KEY(AT(at, list), name);

		if (containers)
			check_container_resource_name(out, here, name);
		else
			check_resource_name(out, here, name);
		json_object_set_new(names, name, json_true());
	}
}

/* What is said of two amounts when the first is greater. */
static const struct {
	const char *small, *great, *at, *shown, *small_words, *great_words;
} bounds[] = {
	{ "min", "max", "min", "min", "min", "max" },
	{ "min", "defaultRequest", "defaultRequest", "defaultRequest", "min", "default request" },
	{ "defaultRequest", "max", "defaultRequest", "defaultRequest", "default request", "max" },
	{ "defaultRequest", "default", "defaultRequest", "defaultRequest", "default request",
	    "default limit" },
	{ "min", "default", "default", "min", "min", "default" },
	{ "default", "max", "default", "max", "default", "max" },
};

static const json_t *
amount_of(const json_t *limit, const char *list, const char *name)
{
	bool pod = !strcmp(text(limit, "type"), "Pod");

	if (pod && (!strcmp(list, "default") || !strcmp(list, "defaultRequest")))
		return NULL;
	return json_object_get(json_object_get(limit, list), name);
}

static void
check_bounds(struct causes *out, const struct path *at, const json_t *limit, const char *name)
{
	for (size_t i = 0; i < COUNT(bounds); i++) {
		const json_t *small = amount_of(limit, bounds[i].small, name);
		const json_t *great = amount_of(limit, bounds[i].great, name);

		if (small && great && quantity_milli(small) > quantity_milli(great))
			refuse_value(out, KEY(AT(at, bounds[i].at), name),
			    amount_of(limit, bounds[i].shown, name),
			    "%s value %s is greater than %s value %s", bounds[i].small_words,
			    str(small, "?"), bounds[i].great_words, str(great, "?"));
	}
}

static void
check_ratio(struct causes *out, const struct path *at, const json_t *limit, const char *name)
{
	const json_t *ratio = amount_of(limit, "maxLimitRequestRatio", name);
	const json_t *min = amount_of(limit, "min", name), *max = amount_of(limit, "max", name);
	double most;

	at = KEY(AT(at, "maxLimitRequestRatio"), name);
	if (!ratio)
		return;
	if (quantity_milli(ratio) < 1000)
		refuse_value(out, at, ratio, "ratio %s is less than 1", str(ratio, "?"));
	if (!min || !max)
		return;
	most = (double)quantity_milli(max) / (double)quantity_milli(min);
	if ((double)quantity_milli(ratio) / 1000 > most)
		refuse_value(
		    out, at, ratio, "ratio %s is greater than max/min = %f", str(ratio, "?"), most);
}

static void
check_one_amount(struct causes *out, const struct path *at, const json_t *limit, const char *name)
{
	const json_t *most = amount_of(limit, "default", name);
	const json_t *request = amount_of(limit, "defaultRequest", name);

	check_bounds(out, at, limit, name);
	check_ratio(out, at, limit, name);
	if (!resource_may_overcommit(name) && most && request &&
	    quantity_milli(most) != quantity_milli(request))
		refuse_value(out, KEY(AT(at, "defaultRequest"), name), request,
		    "default value %s must equal to defaultRequest value %s in %s", str(most, "?"),
		    str(request, "?"), name);
}

static void
check_limit(struct causes *out, const struct path *at, const json_t *limit)
{
	static const char *const defaults[] = { "default", "defaultRequest" };
	json_auto_t *names = json_object();
	const char *type = text(limit, "type"), *name;
	json_t *v;

	check_limited(out, at, limit, "max", names);
	check_limited(out, at, limit, "min", names);
	for (size_t i = 0; i < COUNT(defaults); i++)
		if (strcmp(type, "Pod") != 0)
			check_limited(out, at, limit, defaults[i], names);
		else if (json_object_size(json_object_get(limit, defaults[i])))
			refuse_forbidden(
			    out, AT(at, defaults[i]), "may not be specified when `type` is 'Pod'");
	if (!strcmp(type, "PersistentVolumeClaim") && !get(limit, "min", "storage") &&
	    !get(limit, "max", "storage"))
		refuse_required(out, AT(at, "limits"),
		    "either minimum or maximum storage value is required, but neither was "
		    "provided");
	check_limited(out, at, limit, "maxLimitRequestRatio", names);
	json_object_foreach (names, name, v)
		check_one_amount(out, at, limit, name);
}

void
limit_range_create(struct causes *out, const json_t *obj)
{
	json_auto_t *types = json_object();
	size_t i;
	json_t *limit;

	json_array_foreach (get(obj, "spec", "limits"), i, limit) {
		const struct path *at = ITEM(AT(AT(top, "spec"), "limits"), i);

		check_limit_type(out, AT(at, "type"), text(limit, "type"));
		check_unique(out, AT(at, "type"), types, text(limit, "type"));
		check_limit(out, at, limit);
	}
}

/* --- ResourceQuota -------------------------------------------------------------------------- */

/* What can be counted or summed in a quota. */
static bool
of_quota(const char *name)
{
	static const char *const names[] = { "configmaps", "cpu", "ephemeral-storage", "limits.cpu",
		"limits.ephemeral-storage", "limits.memory", "memory", "persistentvolumeclaims",
		"pods", "replicationcontrollers", "requests.cpu", "requests.ephemeral-storage",
		"requests.memory", "requests.storage", "resourcequotas", "secrets", "services",
		"services.loadbalancers", "services.nodeports", NULL };

	return text_in(name, names) || !strncmp(name, "hugepages-", 10) ||
	       !strncmp(name, "requests.hugepages-", 19);
}

static bool
known_scope(const char *scope)
{
	static const char *const scopes[] = { "BestEffort", "CrossNamespacePodAffinity",
		"NotBestEffort", "NotTerminating", "PriorityClass", "Terminating",
		"VolumeAttributesClass", NULL };

	return text_in(scope, scopes);
}

/* Does a scope narrow what is counted of this? */
static bool
scope_fits(const char *scope, const char *name)
{
	static const char *const sums[] = { "cpu", "limits.cpu", "limits.memory", "memory", "pods",
		"requests.cpu", "requests.memory", NULL };
	static const char *const claims[] = { "persistentvolumeclaims", "requests.storage", NULL };

	if (!strcmp(scope, "BestEffort"))
		return !strcmp(name, "pods");
	if (!strcmp(scope, "VolumeAttributesClass"))
		return text_in(name, claims);
	return !known_scope(scope) || text_in(name, sums);
}

static void
check_hard(struct causes *out, const struct path *at, const json_t *hard)
{
	const char *name;
	json_t *v;

	json_object_foreach ((json_t *)hard, name, v) {
		check_resource_name(out, KEY(at, name), name);
		if (!strchr(name, '/') && !of_quota(name))
			refuse_text(
			    out, KEY(at, name), name, "must be a standard resource for quota");
		check_amount(out, KEY(at, name), name, v);
	}
}

/* How many of the resources of the quota a scope does not fit. */
static size_t
misfits(const char *scope, const json_t *hard)
{
	const char *name;
	json_t *v;
	size_t n = 0;

	json_object_foreach ((json_t *)hard, name, v)
		n += of_quota(name) && !scope_fits(scope, name);
	return n;
}

static void
check_conflicts(struct causes *out, const struct path *at, const json_t *set, const json_t *scopes)
{
	static const char *const pairs[][2] = { { "BestEffort", "NotBestEffort" },
		{ "Terminating", "NotTerminating" } };

	for (size_t i = 0; i < COUNT(pairs); i++)
		if (json_object_get(set, pairs[i][0]) && json_object_get(set, pairs[i][1]))
			refuse_value(out, at, scopes, "conflicting scopes");
}

static void
check_scopes(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *scopes = json_object_get(spec, "scopes");
	json_auto_t *set = set_of(scopes, NULL);
	size_t i;
	json_t *scope;

	json_array_foreach (scopes, i, scope) {
		size_t n = misfits(str(scope, ""), json_object_get(spec, "hard"));

		if (!known_scope(str(scope, "")))
			refuse_value(out, at, scopes, "unsupported scope");
		while (n--)
			refuse_value(out, at, scopes, "unsupported scope applied to resource");
	}
	check_conflicts(out, at, set, scopes);
}

static void
check_scope_values(struct causes *out, const struct path *at, const json_t *e)
{
	static const char *const lists[] = { "In", "NotIn", NULL };
	static const char *const plain[] = { "Exists", "DoesNotExist", NULL };
	const json_t *values = json_object_get(e, "values");
	const char *operator= text(e, "operator");

	if (text_in(operator, lists) && !json_array_size(values))
		refuse_required(out, AT(at, "values"),
		    "must be at least one value when `operator` is 'In' or 'NotIn' for scope "
		    "selector");
	else if (text_in(operator, plain) && json_array_size(values))
		refuse_value(out, AT(at, "values"), values,
		    "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope "
		    "selector");
	else if (!text_in(operator, lists) && !text_in(operator, plain))
		refuse_text(out, AT(at, "operator"), operator, "not a valid selector operator");
}

static void
check_scope_selector(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const valued[] = { "PriorityClass", "VolumeAttributesClass", NULL };
	const json_t *selector = json_object_get(spec, "scopeSelector");
	const json_t *expressions = json_object_get(selector, "matchExpressions");
	json_auto_t *set = set_of(expressions, "scopeName");
	size_t i;
	json_t *e;

	json_array_foreach (expressions, i, e) {
		const char *scope = text(e, "scopeName");
		size_t n = misfits(scope, json_object_get(spec, "hard"));

		if (!known_scope(scope))
			refuse_text(out, AT(at, "scopeName"), scope, "unsupported scope");
		while (n--)
			refuse_shown(out, at, "core.v1.ScopeSelector", selector,
			    "unsupported scope applied to resource");
		if (known_scope(scope) && !text_in(scope, valued) &&
		    strcmp(text(e, "operator"), "Exists"))
			refuse_text(out, AT(at, "operator"), text(e, "operator"),
			    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
			    "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
			    "ResourceQuotaScopeNotBestEffort or "
			    "ResourceQuotaScopeCrossNamespacePodAffinity");
		check_scope_values(out, at, e);
	}
	check_conflicts(out, at, set, json_object_get(spec, "scopes"));
}

void
resource_quota_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(top, "spec");

	check_hard(out, AT(at, "hard"), json_object_get(spec, "hard"));
	if (json_object_get(spec, "scopes"))
		check_scopes(out, AT(at, "scopes"), spec);
	if (json_object_get(spec, "scopeSelector"))
		check_scope_selector(out, AT(AT(at, "scopeSelector"), "matchExpressions"), spec);
}

void
resource_quota_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *scopes = get(obj, "spec", "scopes");
	json_auto_t *has = set_of(scopes, NULL), *had = set_of(get(old, "spec", "scopes"), NULL);

	if (!json_equal(has, had))
		refuse_value(out, AT(AT(top, "spec"), "scopes"), scopes, "field is immutable");
}

void
resource_quota_status(struct causes *out, const json_t *obj, const json_t *old)
{
	const struct path *at = AT(top, "status");

	(void)old;
	check_hard(out, AT(at, "hard"), get(obj, "status", "hard"));
	check_hard(out, AT(at, "used"), get(obj, "status", "used"));
}
