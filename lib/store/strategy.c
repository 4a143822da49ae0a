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
	{ "apiextensions.k8s.io", NULL, HAS_GENERATION | NEEDS_VERSION },
	{ "apps", "DaemonSet", HAS_GENERATION },
	{ "apps", "Deployment", HAS_GENERATION | STATUS_KEEPS_LABELS | COUNTS_ANNOTATIONS },
	{ "apps", "ReplicaSet", HAS_GENERATION },
	{ "apps", "StatefulSet", HAS_GENERATION },
	{ "batch", "CronJob", HAS_GENERATION },
	{ "batch", "Job", HAS_GENERATION | ORPHANS },
	{ "certificates.k8s.io", "CertificateSigningRequest", SPEC_IS_OURS },
	{ "coordination.k8s.io", "Lease", CREATES_ON_UPDATE | NEEDS_VERSION },
	{ "discovery.k8s.io", "EndpointSlice", HAS_GENERATION | COUNTS_LABELS },
	{ "flowcontrol.apiserver.k8s.io", NULL, HAS_GENERATION },
	{ "networking.k8s.io", "Ingress", HAS_GENERATION },
	{ "networking.k8s.io", "IngressClass", HAS_GENERATION },
	{ "networking.k8s.io", "NetworkPolicy", HAS_GENERATION },
	{ "policy", "PodDisruptionBudget", HAS_GENERATION },
	{ "resource.k8s.io", "DeviceClass", HAS_GENERATION },
	{ "resource.k8s.io", "ResourceSlice", HAS_GENERATION },
	{ "resource.k8s.io", NULL, RETURNS_DELETED },
	{ "scheduling.k8s.io", "PriorityClass", HAS_GENERATION | COUNTS_NOTHING },
	{ "storage.k8s.io", "CSIDriver", RETURNS_DELETED },
	{ "storage.k8s.io", "CSINode", RETURNS_DELETED },
	{ "storage.k8s.io", "StorageClass", RETURNS_DELETED },
	{ "storage.k8s.io", "VolumeAttachment", RETURNS_DELETED | NEEDS_VERSION },
	{ "events.k8s.io", "Event", CREATES_ON_UPDATE },
	{ "node.k8s.io", "RuntimeClass", CREATES_ON_UPDATE },
	{ "rbac.authorization.k8s.io", NULL, CREATES_ON_UPDATE },
	{ "", "Endpoints", CREATES_ON_UPDATE },
	{ "", "Event", CREATES_ON_UPDATE },
	{ "", "LimitRange", CREATES_ON_UPDATE },
	{ "", "PersistentVolume", RETURNS_DELETED },
	{ "", "PersistentVolumeClaim", RETURNS_DELETED },
	{ "", "Pod", HAS_GENERATION | RETURNS_DELETED },
	{ "", "PodTemplate", HAS_GENERATION | RETURNS_DELETED },
	{ "", "ReplicationController", HAS_GENERATION | ORPHANS },
	{ "", "ResourceQuota", RETURNS_DELETED },
	{ "", "Service", RETURNS_DELETED | CREATES_ON_UPDATE },
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

	if (k->custom)
		return HAS_GENERATION | NEEDS_VERSION;
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
