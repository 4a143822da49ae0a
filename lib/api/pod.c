#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "api/quantity.h"
#include "base/mem.h"
#include "base/time.h"

bool
pod_finished(const json_t *pod)
{
	const char *phase = text(pod, "status", "phase");

	return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

bool
pod_active(const json_t *pod)
{
	return !pod_finished(pod) && !meta_deleting(pod);
}

bool
pod_ready(const json_t *pod)
{
	return condition_true(pod, "Ready");
}

bool
pod_available(const json_t *pod, int64_t min_ready, int64_t now, int64_t *wait)
{
	int64_t since;

	if (!pod_ready(pod))
		return false;
	if (min_ready <= 0)
		return true;
	if (!time_parse(text(condition_find(pod, "Ready"), "lastTransitionTime"), &since))
		return false;
	if (since + min_ready <= now)
		return true;
	*wait = since + min_ready - now;
	return false;
}

json_t *
pod_from_template(const json_t *pod_template, const json_t *owner)
{
	static const char *const kept[] = { "labels", "annotations", "finalizers" };
	json_t *meta = json_object();
	json_t *spec = get(pod_template, "spec");
	char *prefix = xasprintf("%s-", meta_name(owner));

	json_object_set_new(meta, "generateName", json_string(prefix));
	free(prefix);
	json_object_set_new(meta, "namespace", json_string(meta_namespace(owner)));
	for (size_t i = 0; i < COUNT(kept); i++) {
		json_t *v = get(pod_template, "metadata", kept[i]);

		if (v)
			json_object_set_new(meta, kept[i], json_deep_copy(v));
	}
	json_object_set_new(meta, "ownerReferences", json_pack("[o]", meta_owner_ref(owner)));
	return json_pack("{s:s, s:s, s:o, s:o}", "apiVersion", "v1", "kind", "Pod", "metadata",
	    meta, "spec", spec ? json_deep_copy(spec) : json_object());
}

static int64_t
amount(const json_t *v, const char *resource)
{
	return strcmp(resource, "cpu") == 0 ? quantity_milli(v) : quantity_value(v);
}

/* What one container asks for; a limit alone is a request too (Kubernetes defaults it so). */
static int64_t
request_of(const json_t *container, const char *resource)
{
	const json_t *v = get(container, "resources", "requests", resource);

	return amount(v ? v : get(container, "resources", "limits", resource), resource);
}

static int64_t
limit_of(const json_t *container, const char *resource)
{
	return amount(get(container, "resources", "limits", resource), resource);
}

static int64_t
plus(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/*
 * Init containers run one after the other, so their largest counts; but a restartable one (a
 * sidecar) stays, so it counts with the containers and beside every init container after it.
 */
static int64_t
of_containers(const json_t *pod, const char *resource,
    int64_t (*of)(const json_t *container, const char *resource))
{
	int64_t all = 0, sidecars = 0, init_peak = 0;
	size_t i;
	json_t *c;

	json_array_foreach (get(pod, "spec", "containers"), i, c)
		all = plus(all, of(c, resource));
	json_array_foreach (get(pod, "spec", "initContainers"), i, c) {
		int64_t own = of(c, resource);

		if (strcmp(text(c, "restartPolicy"), "Always") == 0)
			own = sidecars = plus(sidecars, own);
		else
			own = plus(sidecars, own);
		if (own > init_peak)
			init_peak = own;
	}
	all = plus(all, sidecars);
	return all > init_peak ? all : init_peak;
}

/* Only these can be asked for by a pod as a whole (KEP-2837). */
static bool
pod_level(const char *resource)
{
	return strcmp(resource, "cpu") == 0 || strcmp(resource, "memory") == 0 ||
	       strncmp(resource, "hugepages-", 10) == 0;
}

int64_t
pod_request(const json_t *pod, const char *resource)
{
	const json_t *whole = get(pod, "spec", "resources", "requests", resource);
	int64_t asked;

	if (whole && pod_level(resource))
		asked = amount(whole, resource);
	else
		asked = of_containers(pod, resource, request_of);
	return plus(asked, amount(get(pod, "spec", "overhead", resource), resource));
}

int64_t
pod_limit(const json_t *pod, const char *resource)
{
	const json_t *whole = get(pod, "spec", "resources", "limits", resource);
	int64_t most;

	if (whole && pod_level(resource))
		most = amount(whole, resource);
	else
		most = of_containers(pod, resource, limit_of);
	/* overhead raises a limit, it does not make one */
	return most > 0 ? plus(most, amount(get(pod, "spec", "overhead", resource), resource)) : 0;
}

bool
node_ready(const json_t *node)
{
	return condition_true(node, "Ready");
}
