#include "api/order.h"

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

int
install_rank(const char *kind)
{
	int other = 0;

	for (size_t i = 0; i < COUNT(order); i++)
		if (!order[i])
			other = (int)i;
		else if (strcmp(order[i], kind) == 0)
			return (int)i;
	return other;
}
