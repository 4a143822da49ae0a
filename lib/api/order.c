#include "api/order.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

/*
 * The order helm installs in, with two kinds of gaps: custom resources after
 * everything that may serve them, and webhooks last of all, for they stand in the
 * way of what is created after them.
 */
static const char *const order[] = {
	"PriorityClass",
	"Namespace",
	"CustomResourceDefinition",
	"NetworkPolicy",
	"ResourceQuota",
	"LimitRange",
	"PodDisruptionBudget",
	"ServiceAccount",
	"Secret",
	"ConfigMap",
	"StorageClass",
	"PersistentVolume",
	"PersistentVolumeClaim",
	"RuntimeClass",
	"ClusterRole",
	"ClusterRoleBinding",
	"Role",
	"RoleBinding",
	"Service",
	"DaemonSet",
	"Pod",
	"ReplicationController",
	"ReplicaSet",
	"Deployment",
	"HorizontalPodAutoscaler",
	"StatefulSet",
	"Job",
	"CronJob",
	"IngressClass",
	"Ingress",
	"APIService",
	NULL, /* every other kind */
	"MutatingAdmissionPolicy",
	"MutatingAdmissionPolicyBinding",
	"ValidatingAdmissionPolicy",
	"ValidatingAdmissionPolicyBinding",
	"MutatingWebhookConfiguration",
	"ValidatingWebhookConfiguration",
};

/* "v1", "apps/v1", "storage.k8s.io/v1". */
static bool
own_group(const char *api_version)
{
	const char *slash = strchr(api_version, '/');
	size_t len = slash ? (size_t)(slash - api_version) : 0, end = strlen(".k8s.io");

	return !memchr(api_version, '.', len) ||
	       (len > end && strncmp(api_version + len - end, ".k8s.io", end) == 0);
}

int
install_rank(const char *api_version, const char *kind)
{
	bool own = own_group(api_version);
	int other = 0;

	for (size_t i = 0; i < COUNT(order); i++)
		if (!order[i])
			other = (int)i;
		else if (own && strcmp(order[i], kind) == 0)
			return (int)i;
	return other;
}
