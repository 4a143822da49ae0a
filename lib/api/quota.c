/* What objects use of a namespace's quotas, by kind. */
#include "api/quota.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "api/resources.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

#define BY_CLASS ".storageclass.storage.k8s.io/"

static const char *const compute[] = { "cpu", "memory", "ephemeral-storage" };

static bool
is(const struct kind *k, const char *kind)
{
	return !*k->group && strcmp(k->kind, kind) == 0;
}

/* "count/pods", "count/deployments.apps" */
static char *
count_name(const struct kind *k)
{
	return xasprintf("count/%s%s%s", k->plural, *k->group ? "." : "", k->group);
}

/* Kinds that have a name of their own besides count/. */
static const char *const plain[] = { "configmaps", "persistentvolumeclaims", "pods",
	"replicationcontrollers", "resourcequotas", "secrets", "services", NULL };

/* --- which names are whose --- */

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

/* cpu, requests.cpu, limits.memory, hugepages-2Mi, requests.example.com/gpu */
static bool
of_pods(const char *name)
{
	const char *request = text_starts(name, "requests.") ? name + 9 : NULL;
	const char *rest = request ? request : text_starts(name, "limits.") ? name + 7 : name;

	for (size_t i = 0; i < COUNT(compute); i++)
		if (strcmp(rest, compute[i]) == 0)
			return true;
	if (text_starts(name, "hugepages-") || (request && text_starts(request, "hugepages-")))
		return true;
	return request && strchr(request, '/') && !strstr(request, "kubernetes.io/");
}

static bool
of_claims(const char *name)
{
	return strcmp(name, "requests.storage") == 0 ||
	       ends_with(name, BY_CLASS "requests.storage") ||
	       ends_with(name, BY_CLASS "persistentvolumeclaims");
}

static bool
of_services(const char *name)
{
	return strcmp(name, "services.nodeports") == 0 ||
	       strcmp(name, "services.loadbalancers") == 0;
}

static bool
belongs(const struct kind *k, const char *name)
{
	autofree char *count = count_name(k);

	if (strcmp(name, count) == 0)
		return true;
	if (!*k->group && strcmp(name, k->plural) == 0 && text_in(name, plain))
		return true;
	return (is(k, "Pod") && of_pods(name)) ||
	       (is(k, "PersistentVolumeClaim") && of_claims(name)) ||
	       (is(k, "Service") && of_services(name));
}

json_t *
quota_part(const struct kind *k, const json_t *hard)
{
	json_t *part = json_object(), *v;
	const char *name;

	json_object_foreach ((json_t *)hard, name, v)
		if (belongs(k, name))
			json_object_set(part, name, v);
	return part;
}

const struct kind *
quota_kind(const char *name)
{
	size_t n;
	const struct kind *const *kinds = schema_kinds(&n);

	for (size_t i = 0; i < n; i++)
		if (kinds[i]->namespaced && (kinds[i]->verbs & VERB_LIST) &&
		    belongs(kinds[i], name))
			return kinds[i];
	return NULL;
}

/* --- usage --- */

/* Has a Pod ended, or its node been silent for longer than it has to end? */
static bool
ended(const json_t *pod, int64_t now)
{
	const char *phase = text(pod, "status", "phase");
	const json_t *grace = get(pod, "metadata", "deletionGracePeriodSeconds");
	int64_t when;

	if (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0)
		return true;
	return meta_deleting(pod) && json_is_integer(grace) &&
	       time_parse(text(pod, "metadata", "deletionTimestamp"), &when) &&
	       now > when + json_integer_value(grace);
}

static void
set(json_t *used, const char *prefix, const char *name, json_t *v)
{
	autofree char *full = xasprintf("%s%s", prefix, name);

	json_object_set(used, full, v);
}

static bool
computed(const char *name)
{
	for (size_t i = 0; i < COUNT(compute); i++)
		if (strcmp(name, compute[i]) == 0)
			return true;
	return false;
}

/* Resources of somebody's own; Kubernetes' have no domain, or its own. */
static bool
extended(const char *name)
{
	return strchr(name, '/') && !strstr(name, "kubernetes.io/");
}

/* requests and limits under the names of quotas. */
static void
add_compute(json_t *used, const json_t *requests, const json_t *limits)
{
	const char *name;
	json_t *v;

	json_object_foreach ((json_t *)requests, name, v) {
		if (computed(name) || text_starts(name, "hugepages-")) {
			set(used, "", name, v);
			set(used, "requests.", name, v);
		} else if (extended(name)) {
			set(used, "requests.", name, v);
		}
	}
	json_object_foreach ((json_t *)limits, name, v)
		if (computed(name))
			set(used, "limits.", name, v);
}

static void
pod_usage(json_t *used, const json_t *pod, int64_t now)
{
	json_auto_t *requests = NULL, *limits = NULL, *held = NULL;

	if (ended(pod, now))
		return;
	held = pod_held(pod);
	requests = pod_resources(held, "requests", true);
	limits = pod_resources(held, "limits", true);
	resources_count(used, "pods", 1);
	add_compute(used, requests, limits);
}

static void
service_usage(json_t *used, const json_t *service)
{
	const char *type = text(service, "spec", "type");
	const json_t *ports = get(service, "spec", "ports");
	bool balanced = strcmp(type, "LoadBalancer") == 0;
	int64_t open = 0;
	json_t *p;
	size_t i;

	if (balanced && json_is_false(get(service, "spec", "allocateLoadBalancerNodePorts")))
		json_array_foreach (ports, i, p)
			open += num(get(p, "nodePort"), 0) != 0;
	else if (balanced || strcmp(type, "NodePort") == 0)
		open = (int64_t)json_array_size(ports);
	resources_count(used, "services", 1);
	resources_count(used, "services.nodeports", open);
	resources_count(used, "services.loadbalancers", balanced);
}

static void
claim_usage(json_t *used, const json_t *claim)
{
	const char *old = meta_annotation(claim, "volume.beta.kubernetes.io/storage-class");
	const char *class = old ? old : text(claim, "spec", "storageClassName");
	json_t *size = get(claim, "spec", "resources", "requests", "storage");
	json_t *given = get(claim, "status", "allocatedResources", "storage");
	autofree char *prefix = xasprintf("%s" BY_CLASS, class);

	resources_count(used, "persistentvolumeclaims", 1);
	if (size && given && quantity_milli(given) > quantity_milli(size))
		size = given;
	if (size)
		json_object_set(used, "requests.storage", size);
	if (!*class)
		return;
	set(used, prefix, "persistentvolumeclaims",
	    json_object_get(used, "persistentvolumeclaims"));
	if (size)
		set(used, prefix, "requests.storage", size);
}

json_t *
quota_usage(const struct kind *k, const json_t *obj, int64_t now)
{
	json_t *used = json_object();
	autofree char *count = count_name(k);

	resources_count(used, count, 1);
	if (is(k, "Pod"))
		pod_usage(used, obj, now);
	else if (is(k, "Service"))
		service_usage(used, obj);
	else if (is(k, "PersistentVolumeClaim"))
		claim_usage(used, obj);
	else if (!*k->group && text_in(k->plural, plain))
		resources_count(used, k->plural, 1);
	return used;
}

/* --- scopes --- */

static bool
in_values(const json_t *values, const char *name)
{
	json_t *v;
	size_t i;

	json_array_foreach (values, i, v)
		if (strcmp(str(v, ""), name) == 0)
			return true;
	return false;
}

/* One expression over the name of a class, "" for none. */
static bool
class_matches(const json_t *scope, const char *class)
{
	const char *op = text(scope, "operator");

	if (strcmp(op, "Exists") == 0)
		return *class;
	if (strcmp(op, "DoesNotExist") == 0)
		return !*class;
	if (strcmp(op, "In") == 0)
		return *class && in_values(get(scope, "values"), class);
	return !*class || !in_values(get(scope, "values"), class);
}

static bool
asks_for_anything(const json_t *pod)
{
	static const char *const lists[] = { "containers", "initContainers" };
	static const char *const which[] = { "requests", "limits" };
	json_t *c;
	size_t i;

	for (size_t w = 0; w < COUNT(which); w++) {
		if (quantity_milli(get(pod, "spec", "resources", which[w], "cpu")) > 0 ||
		    quantity_milli(get(pod, "spec", "resources", which[w], "memory")) > 0)
			return true;
		for (size_t l = 0; l < COUNT(lists); l++)
			json_array_foreach (get(pod, "spec", lists[l]), i, c)
				if (quantity_milli(get(c, "resources", which[w], "cpu")) > 0 ||
				    quantity_milli(get(c, "resources", which[w], "memory")) > 0)
					return true;
	}
	return false;
}

static bool
term_crosses(const json_t *term)
{
	return json_array_size(get(term, "namespaces")) > 0 || get(term, "namespaceSelector");
}

static bool
crosses_namespaces(const json_t *pod)
{
	static const char *const kinds[] = { "podAffinity", "podAntiAffinity" };
	json_t *term;
	size_t i;

	for (size_t k = 0; k < COUNT(kinds); k++) {
		const json_t *affinity = get(pod, "spec", "affinity", kinds[k]);

		json_array_foreach (
		    get(affinity, "requiredDuringSchedulingIgnoredDuringExecution"), i, term)
			if (term_crosses(term))
				return true;
		json_array_foreach (
		    get(affinity, "preferredDuringSchedulingIgnoredDuringExecution"), i, term)
			if (term_crosses(get(term, "podAffinityTerm")))
				return true;
	}
	return false;
}

static bool
pod_matches(const json_t *scope, const json_t *pod)
{
	const char *name = text(scope, "scopeName");
	const json_t *deadline = get(pod, "spec", "activeDeadlineSeconds");
	bool ends = json_is_integer(deadline) && json_integer_value(deadline) >= 0;

	if (strcmp(name, "Terminating") == 0)
		return ends;
	if (strcmp(name, "NotTerminating") == 0)
		return !ends;
	if (strcmp(name, "BestEffort") == 0)
		return !asks_for_anything(pod);
	if (strcmp(name, "NotBestEffort") == 0)
		return asks_for_anything(pod);
	if (strcmp(name, "PriorityClass") == 0)
		return class_matches(scope, text(pod, "spec", "priorityClassName"));
	return strcmp(name, "CrossNamespacePodAffinity") == 0 && crosses_namespaces(pod);
}

static bool
claim_matches(const json_t *scope, const json_t *claim)
{
	const char *names[] = { text(claim, "spec", "volumeAttributesClassName"),
		text(claim, "status", "currentVolumeAttributesClassName"),
		text(claim, "status", "modifyVolumeStatus", "targetVolumeAttributesClassName") };
	bool any = false;

	if (strcmp(text(scope, "scopeName"), "VolumeAttributesClass") != 0)
		return false;
	for (size_t i = 0; i < COUNT(names); i++) {
		any = any || *names[i];
		if (*names[i] && class_matches(scope, names[i]))
			return true;
	}
	return !any && class_matches(scope, "");
}

static bool
matches(const json_t *scope, const struct kind *k, const json_t *obj)
{
	if (is(k, "Pod"))
		return pod_matches(scope, obj);
	return is(k, "PersistentVolumeClaim") && claim_matches(scope, obj);
}

bool
quota_covers(const json_t *quota, const struct kind *k, const json_t *obj)
{
	json_t *v;
	size_t i;

	json_array_foreach (get(quota, "spec", "scopes"), i, v) {
		json_auto_t *scope =
		    json_pack("{s:s, s:s}", "scopeName", str(v, ""), "operator", "Exists");

		if (!matches(scope, k, obj))
			return false;
	}
	json_array_foreach (get(quota, "spec", "scopeSelector", "matchExpressions"), i, v)
		if (!matches(v, k, obj))
			return false;
	return true;
}

/* --- what must be said --- */

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The containers that do not say `name`, sorted: "a,b"; new, NULL for none. */
static char *
silent(const json_t *pod, const char *name)
{
	static const char *const lists[] = { "containers", "initContainers" };
	autobuf struct buf out = BUF_INIT;
	autofree const char **who = NULL;
	size_t i, n = 0, cap = 0;
	json_t *c;

	for (size_t l = 0; l < COUNT(lists); l++)
		json_array_foreach (get(pod, "spec", lists[l]), i, c) {
			json_auto_t *said = json_object();

			add_compute(
			    said, get(c, "resources", "requests"), get(c, "resources", "limits"));
			if (json_object_get(said, name))
				continue;
			GROW(who, n, cap);
			who[n++] = text(c, "name");
		}
	if (n)
		qsort(who, n, sizeof *who, by_text);
	for (i = 0; i < n; i++)
		if (!i || strcmp(who[i], who[i - 1]) != 0)
			buf_printf(&out, "%s%s", i ? "," : "", who[i]);
	return n ? buf_detach(&out) : NULL;
}

char *
quota_missing(const struct kind *k, const json_t *part, const json_t *obj)
{
	static const char *const asked[] = { "cpu", "limits.cpu", "limits.memory", "memory",
		"requests.cpu", "requests.memory" };
	autobuf struct buf out = BUF_INIT;

	if (!is(k, "Pod"))
		return NULL;
	for (size_t i = 0; i < COUNT(asked); i++) {
		autofree char *who = json_object_get(part, asked[i]) ? silent(obj, asked[i]) : NULL;

		if (who)
			buf_printf(
			    &out, "%s%s for: %s", out.len ? "; " : "must specify ", asked[i], who);
	}
	return out.len ? buf_detach(&out) : NULL;
}
