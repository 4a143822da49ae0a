/* Fields of features that are off. */
#include "api/features.h"

#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"

/* Paths: fields with dots between, "[]" behind a list that is gone through. */
static const struct {
	const char *type, *path;
} off[] = {
	/* CoordinatedLeaderElection */
	{ "coordination.v1.Lease", "spec.strategy" },
	{ "coordination.v1.Lease", "spec.preferredHolder" },
	/* DRAExtendedResource */
	{ "resource.v1.DeviceClass", "spec.extendedResourceName" },
	/* DRADeviceTaints */
	{ "resource.v1.ResourceClaim", "spec.devices.requests[].exactly.tolerations" },
	{ "resource.v1.ResourceClaim", "spec.devices.requests[].firstAvailable[].tolerations" },
	{ "resource.v1.ResourceClaimTemplate", "spec.spec.devices.requests[].exactly.tolerations" },
	{ "resource.v1.ResourceClaimTemplate",
	    "spec.spec.devices.requests[].firstAvailable[].tolerations" },
	{ "resource.v1.ResourceSlice", "spec.devices[].taints" },
	/* DRAConsumableCapacity */
	{ "resource.v1.ResourceClaim", "spec.devices.requests[].exactly.capacity" },
	{ "resource.v1.ResourceClaim", "spec.devices.requests[].firstAvailable[].capacity" },
	{ "resource.v1.ResourceClaim", "spec.devices.constraints[].distinctAttribute" },
	{ "resource.v1.ResourceClaimTemplate", "spec.spec.devices.requests[].exactly.capacity" },
	{ "resource.v1.ResourceClaimTemplate",
	    "spec.spec.devices.requests[].firstAvailable[].capacity" },
	{ "resource.v1.ResourceClaimTemplate",
	    "spec.spec.devices.constraints[].distinctAttribute" },
	{ "resource.v1.ResourceSlice", "spec.devices[].allowMultipleAllocations" },
	{ "resource.v1.ResourceSlice", "spec.devices[].capacity{}.requestPolicy" },
	/* DRAPartitionableDevices */
	{ "resource.v1.ResourceSlice", "spec.sharedCounters" },
	{ "resource.v1.ResourceSlice", "spec.perDeviceNodeSelection" },
	{ "resource.v1.ResourceSlice", "spec.devices[].consumesCounters" },
	{ "resource.v1.ResourceSlice", "spec.devices[].nodeName" },
	{ "resource.v1.ResourceSlice", "spec.devices[].nodeSelector" },
	{ "resource.v1.ResourceSlice", "spec.devices[].allNodes" },
	/* DRADeviceBindingConditions */
	{ "resource.v1.ResourceSlice", "spec.devices[].bindsToNode" },
	{ "resource.v1.ResourceSlice", "spec.devices[].bindingConditions" },
	{ "resource.v1.ResourceSlice", "spec.devices[].bindingFailureConditions" },
};

/* The same below every Pod spec, wherever it stands. */
static const char *const off_in_pods[] = {
	"containers[].lifecycle.stopSignal", /* ContainerStopSignals */
	"initContainers[].lifecycle.stopSignal", "ephemeralContainers[].lifecycle.stopSignal",
	"volumes[].projected.sources[].clusterTrustBundle", /* ClusterTrustBundleProjection */
	"volumes[].projected.sources[].podCertificate",	    /* PodCertificateRequest */
	"schedulingGroup",				    /* GenericWorkload */
};

/* Is there a value at path?  With drop it goes. */
static bool
at_path(json_t *obj, const char *path, bool drop)
{
	size_t n = strcspn(path, ".[{");
	char name[64];
	bool found = false;
	const char *key;
	size_t i;
	json_t *v, *item;

	snprintf(name, sizeof name, "%.*s", (int)n, path);
	if (!(v = json_object_get(obj, name)))
		return false;
	if (!path[n]) {
		if (drop)
			json_object_del(obj, name);
		return true;
	}
	if (path[n] == '.')
		return at_path(v, path + n + 1, drop);
	if (path[n] == '[')
		json_array_foreach (v, i, item)
			found |= at_path(item, path + n + 3, drop);
	else
		json_object_foreach (v, key, item)
			found |= at_path(item, path + n + 3, drop);
	return found;
}

static void
drop_unused(const json_t *old, json_t *obj, const char *path)
{
	if (at_path(obj, path, false) && !at_path((json_t *)old, path, false))
		at_path(obj, path, true);
}

json_t *
pod_spec_of(const struct kind *k, const json_t *obj)
{
	static const char *const with_template[] = { "apps.v1.DaemonSet", "apps.v1.Deployment",
		"apps.v1.ReplicaSet", "apps.v1.StatefulSet", "batch.v1.Job",
		"core.v1.ReplicationController" };
	const char *type = k->type->name;

	if (!strcmp(type, "core.v1.Pod"))
		return get(obj, "spec");
	if (!strcmp(type, "core.v1.PodTemplate"))
		return get(obj, "template", "spec");
	if (!strcmp(type, "batch.v1.CronJob"))
		return get(obj, "spec", "jobTemplate", "spec", "template", "spec");
	for (size_t i = 0; i < COUNT(with_template); i++)
		if (!strcmp(type, with_template[i]))
			return get(obj, "spec", "template", "spec");
	return NULL;
}

void
features_drop(const struct kind *k, const json_t *old, json_t *obj)
{
	json_t *pod = pod_spec_of(k, obj);

	for (size_t i = 0; pod && i < COUNT(off_in_pods); i++)
		drop_unused(old ? pod_spec_of(k, old) : NULL, pod, off_in_pods[i]);
	for (size_t i = 0; !pod && i < COUNT(off); i++)
		if (!strcmp(off[i].type, k->type->name))
			drop_unused(old, obj, off[i].path);
}
