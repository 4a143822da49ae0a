/* Which rules each kind keeps to. */
#include "api/rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* In name order, for bsearch. */
static const struct rules table[] = {
	{ "admissionregistration.v1.MutatingAdmissionPolicy", true, mutating_policy_create, NULL,
	    "C" },
	{ "admissionregistration.v1.MutatingAdmissionPolicyBinding", true, mutating_binding_create,
	    NULL, "C" },
	{ "admissionregistration.v1.MutatingWebhookConfiguration", true, webhooks_create, NULL,
	    "C" },
	{ "admissionregistration.v1.ValidatingAdmissionPolicy", true, validating_policy_create,
	    NULL, "C" },
	{ "admissionregistration.v1.ValidatingAdmissionPolicyBinding", true, policy_binding_create,
	    NULL, "C" },
	{ "admissionregistration.v1.ValidatingWebhookConfiguration", true, webhooks_create, NULL,
	    "C" },
	{ "apiextensions.v1.CustomResourceDefinition", true, crd_create, crd_update, "MU" },
	{ "apiregistration.v1.APIService", true, api_service_create, NULL, "MC" },
	{ "apps.v1.ControllerRevision", true, controller_revision_create,
	    controller_revision_update, "MCU" },
	{ "apps.v1.DaemonSet", true, daemon_set_create, daemon_set_update, "CMcU" },
	{ "apps.v1.Deployment", true, deployment_create, deployment_update, "McU" },
	{ "apps.v1.ReplicaSet", true, replica_set_create, replica_set_update, "CMcU" },
	{ "apps.v1.StatefulSet", true, stateful_set_create, stateful_set_update, "McU" },
	{ "autoscaling.v1.HorizontalPodAutoscaler", true, autoscaler_create, autoscaler_update,
	    "MU" },
	{ "autoscaling.v2.HorizontalPodAutoscaler", true, autoscaler_create, autoscaler_update,
	    "MU" },
	{ "batch.v1.CronJob", true, cron_job_create, cron_job_update, "MU" },
	{ "batch.v1.Job", true, job_create, job_update, "CMcU", job_spec },
	{ "certificates.v1.CertificateSigningRequest", true, signing_request_create, NULL, "CM" },
	{ "coordination.v1.Lease", true, lease_create, NULL, "Mc" },
	{ "core.v1.ConfigMap", true, config_map_create, config_map_update, "MUC" },
	{ "core.v1.Endpoints", true, endpoints_create, NULL, "MC" },
	{ "core.v1.Event", true, event_create, NULL, "c" },
	{ "core.v1.LimitRange", true, limit_range_create, NULL, "C" },
	{ "core.v1.Namespace", true, namespace_create, NULL, "CM" },
	{ "core.v1.Node", true, node_create, node_update, "CMU" },
	{ "core.v1.PersistentVolume", true, persistent_volume_create, persistent_volume_update,
	    "CCU" },
	{ "core.v1.PersistentVolumeClaim", true, volume_claim_create, volume_claim_update, "CMCU" },
	{ "core.v1.Pod", true, pod_create, pod_update, "MVcU", pod_spec },
	{ "core.v1.PodTemplate", true, pod_template_create, NULL, "Mc" },
	{ "core.v1.ReplicationController", true, replication_controller_create, NULL, "CMc" },
	{ "core.v1.ResourceQuota", true, resource_quota_create, resource_quota_update, "McU" },
	{ "core.v1.Secret", true, secret_create, secret_update, "MUC" },
	{ "core.v1.Service", true, service_create, service_update, "MUC" },
	{ "core.v1.ServiceAccount", true, NULL, NULL, "MC" },
	{ "discovery.v1.EndpointSlice", true, endpoint_slice_create, endpoint_slice_update, "CU" },
	{ "events.v1.Event", true, event_v1_create, event_v1_update, "cMU", event_v1_spec },
	{ "flowcontrol.v1.FlowSchema", true, flow_schema_create, NULL, "C" },
	{ "flowcontrol.v1.PriorityLevelConfiguration", true, priority_level_create, NULL, "C" },
	{ "networking.v1.IPAddress", true, ip_address_create, ip_address_update, "CMU" },
	{ "networking.v1.Ingress", true, ingress_create, NULL, "MVc", ingress_spec },
	{ "networking.v1.IngressClass", true, ingress_class_create, ingress_class_update, "MUC" },
	{ "networking.v1.NetworkPolicy", true, network_policy_create, NULL, "Mc" },
	{ "networking.v1.ServiceCIDR", true, service_cidr_create, service_cidr_update, "CMU" },
	{ "node.v1.RuntimeClass", true, runtime_class_create, runtime_class_update },
	{ "policy.v1.PodDisruptionBudget", true, disruption_budget_create, NULL, "c" },
	{ "rbac.v1.ClusterRole", true, cluster_role_create, NULL, "CCM" },
	{ "rbac.v1.ClusterRoleBinding", true, cluster_role_binding_create, role_binding_update,
	    "CCMU" },
	{ "rbac.v1.Role", true, role_create, NULL, "CCM" },
	{ "rbac.v1.RoleBinding", true, role_binding_create, role_binding_update, "CCMU" },
	{ "resource.v1.DeviceClass", true, device_class_create, NULL, "CVMc" },
	{ "resource.v1.ResourceClaim", true, resource_claim_create, resource_claim_update, "MU" },
	{ "resource.v1.ResourceClaimTemplate", true, claim_template_create, claim_template_update,
	    "CMU" },
	{ "resource.v1.ResourceSlice", true, resource_slice_create, resource_slice_update, "McU" },
	{ "scheduling.v1.PriorityClass", true, priority_class_create, priority_class_update, "MU" },
	{ "storage.v1.CSIDriver", true, csi_driver_create, csi_driver_update, "McU" },
	{ "storage.v1.CSINode", true, csi_node_create, csi_node_update, "CCU" },
	{ "storage.v1.CSIStorageCapacity", true, storage_capacity_create, storage_capacity_update,
	    "MU" },
	{ "storage.v1.StorageClass", true, storage_class_create, storage_class_update },
	{ "storage.v1.VolumeAttachment", true, volume_attachment_create, volume_attachment_update,
	    "VcVcU", volume_attachment_spec },
	{ "storage.v1.VolumeAttributesClass", true, attributes_class_create,
	    attributes_class_update, "CMUC" },
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
