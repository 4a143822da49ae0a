/* Where the registries of Kubernetes' kinds differ, as tables. */
#include <string.h>
#include <sys/random.h>

#include "api/meta.h"
#include "base/mem.h"
#include "store/call.h"

static const struct {
	const char *group;
	const char *kind; /* NULL: every kind of the group */
	unsigned bits;
} strategies[] = {
	{ "admissionregistration.k8s.io", NULL, HAS_GENERATION },
	{ "apiextensions.k8s.io", NULL, HAS_GENERATION },
	{ "apps", "DaemonSet", HAS_GENERATION },
	{ "apps", "Deployment", HAS_GENERATION | STATUS_KEEPS_LABELS },
	{ "apps", "ReplicaSet", HAS_GENERATION },
	{ "apps", "StatefulSet", HAS_GENERATION },
	{ "batch", "CronJob", HAS_GENERATION },
	{ "batch", "Job", HAS_GENERATION | ORPHANS },
	{ "coordination.k8s.io", "Lease", CREATES_ON_UPDATE | NEEDS_VERSION },
	{ "discovery.k8s.io", "EndpointSlice", HAS_GENERATION },
	{ "flowcontrol.apiserver.k8s.io", NULL, HAS_GENERATION },
	{ "networking.k8s.io", "Ingress", HAS_GENERATION },
	{ "networking.k8s.io", "IngressClass", HAS_GENERATION },
	{ "networking.k8s.io", "NetworkPolicy", HAS_GENERATION },
	{ "policy", "PodDisruptionBudget", HAS_GENERATION },
	{ "resource.k8s.io", "DeviceClass", HAS_GENERATION },
	{ "resource.k8s.io", "ResourceSlice", HAS_GENERATION },
	{ "resource.k8s.io", NULL, RETURNS_DELETED },
	{ "scheduling.k8s.io", "PriorityClass", HAS_GENERATION },
	{ "storage.k8s.io", "CSIDriver", RETURNS_DELETED },
	{ "storage.k8s.io", "CSINode", RETURNS_DELETED },
	{ "storage.k8s.io", "StorageClass", RETURNS_DELETED },
	{ "storage.k8s.io", "VolumeAttachment", RETURNS_DELETED | NEEDS_VERSION },
	{ "", "PersistentVolume", RETURNS_DELETED },
	{ "", "PersistentVolumeClaim", RETURNS_DELETED },
	{ "", "Pod", HAS_GENERATION | RETURNS_DELETED },
	{ "", "PodTemplate", HAS_GENERATION | RETURNS_DELETED },
	{ "", "ReplicationController", HAS_GENERATION | ORPHANS },
	{ "", "ResourceQuota", RETURNS_DELETED },
	{ "", "Service", RETURNS_DELETED },
	{ "", "ServiceAccount", RETURNS_DELETED },
};

bool
kind_is(const struct kind *k, const char *group, const char *kind)
{
	return strcmp(k->kind, kind) == 0 && strcmp(k->group, group) == 0;
}

unsigned
kind_strategy(const struct kind *k)
{
	unsigned bits = 0;

	for (size_t i = 0; i < COUNT(strategies); i++)
		if (strcmp(k->group, strategies[i].group) == 0 &&
		    (!strategies[i].kind || strcmp(k->kind, strategies[i].kind) == 0))
			bits |= strategies[i].bits;
	return bits;
}

bool
kind_has_status(const struct kind *k)
{
	return kind_subresource(k, "status") != NULL;
}

/* guaranteed, burstable or best effort (Pod QoS: cpu and memory of every container) */
static const char *
qos_class(const json_t *pod)
{
	static const char *const names[] = { "cpu", "memory" };
	bool any = false, all = true;
	size_t i;
	json_t *container;

	json_array_foreach (get(pod, "spec", "containers"), i, container) {
		for (size_t r = 0; r < COUNT(names); r++) {
			json_t *limit = get(container, "resources", "limits", names[r]);
			json_t *request = get(container, "resources", "requests", names[r]);

			any = any || limit || request;
			all = all && limit && (!request || json_equal(limit, request));
		}
	}
	return !any ? "BestEffort" : all ? "Guaranteed" : "Burstable";
}

static void
create_namespace(const json_t *old, json_t *obj)
{
	(void)old;
	if (json_array_size(get(obj, "spec", "finalizers")) == 0)
		put(obj, json_pack("[s]", "kubernetes"), "spec", "finalizers");
	put(obj, json_string("Active"), "status", "phase");
}

static void
clear_namespace(const json_t *old, json_t *obj)
{
	(void)old;
	put(obj, json_string(meta_name(obj)), "metadata", "labels", "kubernetes.io/metadata.name");
}

static void
create_pod(const json_t *old, json_t *obj)
{
	(void)old;
	put(obj, json_string("Pending"), "status", "phase");
	put(obj, json_string(qos_class(obj)), "status", "qosClass");
}

static void
create_claim(const json_t *old, json_t *obj)
{
	(void)old;
	put(obj, json_string("Pending"), "status", "phase");
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

/* What a kind does to its objects besides defaults; old is NULL but on an update. */
typedef void step(const json_t *old, json_t *obj);

static const struct {
	const char *group, *kind;
	step *clear;  /* a create, before defaults: what the client says in vain */
	step *create; /* behind admission: what the server says instead */
	step *update; /* an update of the main resource, before defaults */
} steps[] = {
	{ "", "Namespace", clear_namespace, create_namespace, NULL },
	{ "", "PersistentVolume", NULL, create_volume, NULL },
	{ "", "PersistentVolumeClaim", NULL, create_claim, NULL },
	{ "", "Pod", NULL, create_pod, NULL },
	{ "", "Service", NULL, create_service, NULL },
};

static void
run(step *s, const json_t *old, json_t *obj)
{
	if (s)
		s(old, obj);
}

void
strategy_clear(const struct kind *k, json_t *obj)
{
	if (kind_has_status(k) && !kind_is(k, "", "Node"))
		json_object_set_new(obj, "status", json_object());
	for (size_t i = 0; i < COUNT(steps); i++)
		if (kind_is(k, steps[i].group, steps[i].kind))
			run(steps[i].clear, NULL, obj);
}

void
strategy_create(const struct kind *k, json_t *obj)
{
	for (size_t i = 0; i < COUNT(steps); i++)
		if (kind_is(k, steps[i].group, steps[i].kind))
			run(steps[i].create, NULL, obj);
}

void
strategy_update(const struct kind *k, const json_t *old, json_t *obj)
{
	for (size_t i = 0; i < COUNT(steps); i++)
		if (kind_is(k, steps[i].group, steps[i].kind))
			run(steps[i].update, old, obj);
}

/* A random (version 4) UUID, RFC 9562 section 5.4. */
void
new_uid(char buf[static 37])
{
	unsigned char r[16];

	if (getrandom(r, sizeof r, 0) != (ssize_t)sizeof r)
		abort();
	r[6] = (r[6] & 0x0f) | 0x40;
	r[8] = (r[8] & 0x3f) | 0x80;
	snprintf(buf, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
	    r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13],
	    r[14], r[15]);
}

/* Without vowels and look-alikes, so that no words come out; Kubernetes' alphabet and lengths. */
char *
name_generate(const char *base)
{
	static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
	enum { RANDOM = 5, BASE = 63 - RANDOM };
	unsigned char r[RANDOM];
	char tail[RANDOM + 1] = "";

	if (getrandom(r, sizeof r, 0) != (ssize_t)sizeof r)
		abort();
	for (int i = 0; i < RANDOM; i++)
		tail[i] = alphabet[r[i] % (sizeof alphabet - 1)];
	return xasprintf("%.*s%s", BASE, base, tail);
}
