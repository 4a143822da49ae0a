/* Which rules each kind keeps to. */
#include "api/rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* In name order, for bsearch. */
static const struct rules table[] = {
	{ "admissionregistration.v1.MutatingWebhookConfiguration", webhooks_create, NULL, "C" },
	{ "admissionregistration.v1.ValidatingAdmissionPolicy", validating_policy_create, NULL,
	    "C" },
	{ "admissionregistration.v1.ValidatingWebhookConfiguration", webhooks_create, NULL, "C" },
	{ "apiregistration.v1.APIService", api_service_create, NULL, "MC" },
	{ "apps.v1.ControllerRevision", controller_revision_create, controller_revision_update,
	    "MCU" },
	{ "apps.v1.DaemonSet", daemon_set_create, daemon_set_update, "CMcU" },
	{ "apps.v1.Deployment", deployment_create, deployment_update, "McU" },
	{ "apps.v1.ReplicaSet", replica_set_create, replica_set_update, "CMcU" },
	{ "apps.v1.StatefulSet", stateful_set_create, stateful_set_update, "McU" },
	{ "autoscaling.v1.HorizontalPodAutoscaler", autoscaler_create, NULL, "Mc" },
	{ "autoscaling.v2.HorizontalPodAutoscaler", autoscaler_create, NULL, "Mc" },
	{ "batch.v1.CronJob", cron_job_create, NULL, "Mc" },
	{ "batch.v1.Job", job_create, job_update, "CMcU" },
	{ "certificates.v1.CertificateSigningRequest", signing_request_create, NULL, "CM" },
	{ "coordination.v1.Lease", lease_create, NULL, "Mc" },
	{ "core.v1.ConfigMap", config_map_create, config_map_update, "MUC" },
	{ "core.v1.Endpoints", endpoints_create, NULL, "MC" },
	{ "core.v1.Event", event_create, NULL },
	{ "core.v1.LimitRange", limit_range_create, NULL, "C" },
	{ "core.v1.Namespace", namespace_create, NULL, "M" },
	{ "core.v1.Node", node_create, NULL, "MU" },
	{ "core.v1.PersistentVolume", persistent_volume_create, persistent_volume_update, "CCU" },
	{ "core.v1.PersistentVolumeClaim", volume_claim_create, volume_claim_update, "CMCU" },
	{ "core.v1.Pod", pod_create, pod_update, "MVcU", pod_spec },
	{ "core.v1.PodTemplate", pod_template_create, NULL, "Mc" },
	{ "core.v1.ReplicationController", replication_controller_create, NULL, "CMc" },
	{ "core.v1.ResourceQuota", resource_quota_create, NULL, "McU" },
	{ "core.v1.Secret", secret_create, secret_update, "MUC" },
	{ "core.v1.Service", service_create, service_update, "MUC" },
	{ "discovery.v1.EndpointSlice", endpoint_slice_create, endpoint_slice_update, "CU" },
	{ "events.v1.Event", event_v1_create, NULL },
	{ "flowcontrol.v1.FlowSchema", flow_schema_create, NULL, "C" },
	{ "flowcontrol.v1.PriorityLevelConfiguration", priority_level_create, NULL, "C" },
	{ "networking.v1.IPAddress", NULL, ip_address_update },
	{ "networking.v1.Ingress", ingress_create, NULL, "MC" },
	{ "networking.v1.IngressClass", ingress_class_create, NULL },
	{ "networking.v1.NetworkPolicy", network_policy_create, NULL, "Mc" },
	{ "networking.v1.ServiceCIDR", service_cidr_create, service_cidr_update },
	{ "node.v1.RuntimeClass", runtime_class_create, runtime_class_update },
	{ "policy.v1.PodDisruptionBudget", disruption_budget_create, NULL, "C" },
	{ "rbac.v1.ClusterRole", cluster_role_create, NULL, "CM" },
	{ "rbac.v1.ClusterRoleBinding", cluster_role_binding_create, role_binding_update, "CMU" },
	{ "rbac.v1.Role", role_create, NULL, "CM" },
	{ "rbac.v1.RoleBinding", role_binding_create, role_binding_update, "CMU" },
	{ "resource.v1.ResourceClaim", resource_claim_create, resource_claim_update, "MUC" },
	{ "resource.v1.ResourceClaimTemplate", claim_template_create, NULL },
	{ "resource.v1.ResourceSlice", resource_slice_create, NULL },
	{ "scheduling.v1.PriorityClass", priority_class_create, priority_class_update, "MU" },
	{ "storage.v1.CSIDriver", csi_driver_create, csi_driver_update, "McU" },
	{ "storage.v1.CSINode", csi_node_create, csi_node_update, "CU" },
	{ "storage.v1.CSIStorageCapacity", storage_capacity_create, storage_capacity_update, "MU" },
	{ "storage.v1.StorageClass", storage_class_create, storage_class_update },
	{ "storage.v1.VolumeAttachment", volume_attachment_create, volume_attachment_update,
	    "CCU" },
	{ "storage.v1.VolumeAttributesClass", attributes_class_create, attributes_class_update,
	    "MUC" },
};

static int
by_type(const void *key, const void *rules)
{
	return strcmp(key, ((const struct rules *)rules)->type);
}

const struct rules *
rules_of(const struct kind *k)
{
	return bsearch(k->type->name, table, COUNT(table), sizeof *table, by_type);
}
