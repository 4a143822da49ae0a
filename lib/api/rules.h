#ifndef ORCH_API_RULES_H
#define ORCH_API_RULES_H

#include "api/check.h"

/*
 * What a kind's objects must keep to beyond their types: one entry a kind, in
 * lib/api/rules.c.  `create` sees the object alone; `update` sees what is stored too.  Any may
 * be NULL.  Adding a kind is a function and a line.
 *
 * An update asks in the order of the kind's registry in Kubernetes, behind what every kind is
 * asked (meta_common), and what is asked twice is answered twice:
 *	M	what a change of metadata may be
 *	C	everything that a create asks
 *	V	of that, metadata
 *	c	of that, the rest; of a kind with `spec` only that and what the schema says
 *	U	the kind's `update`
 */
struct rules {
	const char *type; /* "apps.v1.Deployment" */
	bool complete;	  /* what the schema says of values and required fields is not asked too */
	void (*create)(struct causes *out, const json_t *obj);
	void (*update)(struct causes *out, const json_t *obj, const json_t *old);
	const char *order; /* of an update; NULL is "CMU" */
	void (*spec)(struct causes *out, const json_t *obj);
};
const struct rules *rules_of(const struct kind *k); /* or NULL */

/* metadata (rules_meta.c) */
void meta_create(struct causes *out, const struct kind *k, const json_t *obj);
void meta_update(struct causes *out, const struct kind *k, const json_t *obj, const json_t *old);
/* metadata of an object that stands inside another one, at a path; it need not have a name. */
void meta_embedded(struct causes *out, const struct path *at, const json_t *meta);
/* What every update is asked first, whatever its kind; the name need only fit into a URL. */
void meta_common(struct causes *out, const struct kind *k, const json_t *obj, const json_t *old);

/* rules_pod.c, rules_workload.c, rules_core.c */
void pod_create(struct causes *out, const json_t *obj);
void pod_spec(struct causes *out, const json_t *obj); /* what an update asks again */
void pod_update(struct causes *out, const json_t *obj, const json_t *old);
void deployment_create(struct causes *out, const json_t *obj);
void deployment_update(struct causes *out, const json_t *obj, const json_t *old);
void replica_set_create(struct causes *out, const json_t *obj);
void replica_set_update(struct causes *out, const json_t *obj, const json_t *old);
void stateful_set_create(struct causes *out, const json_t *obj);
void stateful_set_update(struct causes *out, const json_t *obj, const json_t *old);
void daemon_set_create(struct causes *out, const json_t *obj);
void daemon_set_update(struct causes *out, const json_t *obj, const json_t *old);
void replication_controller_create(struct causes *out, const json_t *obj);
void job_create(struct causes *out, const json_t *obj);
void job_spec(struct causes *out, const json_t *obj);
void job_update(struct causes *out, const json_t *obj, const json_t *old);
void cron_job_create(struct causes *out, const json_t *obj);
void cron_job_update(struct causes *out, const json_t *obj, const json_t *old);
void namespace_create(struct causes *out, const json_t *obj);
void node_create(struct causes *out, const json_t *obj);
void node_update(struct causes *out, const json_t *obj, const json_t *old);
void config_map_create(struct causes *out, const json_t *obj);
void config_map_update(struct causes *out, const json_t *obj, const json_t *old);
void secret_create(struct causes *out, const json_t *obj);
void secret_update(struct causes *out, const json_t *obj, const json_t *old);
void lease_create(struct causes *out, const json_t *obj);
void pod_template_create(struct causes *out, const json_t *obj);
void controller_revision_create(struct causes *out, const json_t *obj);
void controller_revision_update(struct causes *out, const json_t *obj, const json_t *old);

/* rules_service.c */
void service_create(struct causes *out, const json_t *obj);
void service_update(struct causes *out, const json_t *obj, const json_t *old);
void service_status(struct causes *out, const json_t *obj, const json_t *old);
/* What is asked of spec.clusterIPs, ipFamilies and ipFamilyPolicy, before any are given out too. */
void check_service_addresses(struct causes *out, const json_t *obj);
bool service_is(const json_t *obj, const char *type); /* spec.type */
bool service_headless(const json_t *obj);

/* rules_network.c */
void endpoints_create(struct causes *out, const json_t *obj);
void endpoint_slice_create(struct causes *out, const json_t *obj);
void endpoint_slice_update(struct causes *out, const json_t *obj, const json_t *old);
void ingress_create(struct causes *out, const json_t *obj);
void ingress_spec(struct causes *out, const json_t *obj);
void ingress_class_update(struct causes *out, const json_t *obj, const json_t *old);
void ingress_class_create(struct causes *out, const json_t *obj);
void network_policy_create(struct causes *out, const json_t *obj);
void service_cidr_create(struct causes *out, const json_t *obj);
void service_cidr_update(struct causes *out, const json_t *obj, const json_t *old);
void ip_address_create(struct causes *out, const json_t *obj);
void ip_address_update(struct causes *out, const json_t *obj, const json_t *old);

/* rules_storage.c, rules_claim.c, rules_driver.c */
void check_access_modes(
    struct causes *out, const struct path *at, const json_t *modes, const char *none);
void check_claim_spec(struct causes *out, const struct path *at, const json_t *spec);
/* A volume that is told of in an attachment, without an object of its own. */
void check_inline_volume(struct causes *out, const struct path *at, const json_t *spec);
void persistent_volume_create(struct causes *out, const json_t *obj);
void persistent_volume_update(struct causes *out, const json_t *obj, const json_t *old);
void volume_claim_create(struct causes *out, const json_t *obj);
void volume_claim_update(struct causes *out, const json_t *obj, const json_t *old);
void storage_class_create(struct causes *out, const json_t *obj);
void storage_class_update(struct causes *out, const json_t *obj, const json_t *old);
void attributes_class_create(struct causes *out, const json_t *obj);
void attributes_class_update(struct causes *out, const json_t *obj, const json_t *old);
void csi_driver_create(struct causes *out, const json_t *obj);
void csi_driver_update(struct causes *out, const json_t *obj, const json_t *old);
void csi_node_create(struct causes *out, const json_t *obj);
void csi_node_update(struct causes *out, const json_t *obj, const json_t *old);
void storage_capacity_create(struct causes *out, const json_t *obj);
void storage_capacity_update(struct causes *out, const json_t *obj, const json_t *old);
void volume_attachment_create(struct causes *out, const json_t *obj);
void volume_attachment_spec(struct causes *out, const json_t *obj);
void volume_attachment_update(struct causes *out, const json_t *obj, const json_t *old);

/* rules_access.c */
void role_create(struct causes *out, const json_t *obj);
void cluster_role_create(struct causes *out, const json_t *obj);
void role_binding_create(struct causes *out, const json_t *obj);
void role_binding_update(struct causes *out, const json_t *obj, const json_t *old);
void cluster_role_binding_create(struct causes *out, const json_t *obj);

/* rules_policy.c */
void autoscaler_create(struct causes *out, const json_t *obj);
void autoscaler_update(struct causes *out, const json_t *obj, const json_t *old);
void disruption_budget_create(struct causes *out, const json_t *obj);
void priority_class_create(struct causes *out, const json_t *obj);
void priority_class_update(struct causes *out, const json_t *obj, const json_t *old);
void limit_range_create(struct causes *out, const json_t *obj);
void resource_quota_create(struct causes *out, const json_t *obj);
void resource_quota_update(struct causes *out, const json_t *obj, const json_t *old);
void runtime_class_create(struct causes *out, const json_t *obj);
void runtime_class_update(struct causes *out, const json_t *obj, const json_t *old);

/* rules_admission.c */
void webhooks_create(struct causes *out, const json_t *obj);
void check_webhook_client(struct causes *out, const struct path *at, const json_t *client);
void api_service_create(struct causes *out, const json_t *obj);
void flow_schema_create(struct causes *out, const json_t *obj);
void priority_level_create(struct causes *out, const json_t *obj);

/* rules_crd.c, rules_crd_version.c */
void crd_create(struct causes *out, const json_t *obj);
void crd_update(struct causes *out, const json_t *obj, const json_t *old);
/* Each is wrong where a function of check.h says so: one cause, with a prefix; commas between. */
void check_joined(struct causes *out, const struct path *at, const char *shown, const char *prefix,
    void (*check)(struct causes *, const struct path *, const char *), const char *text);
/* What one version (or, when they are the same in all, the definition) says of columns,
 * subresources, fields to select by and the schema; unchanged: the schema was accepted before. */
void check_conversion(
    struct causes *out, const struct path *at, const json_t *conversion, const json_t *old);
void check_columns(struct causes *out, const struct path *at, const json_t *columns);
void check_subresources(struct causes *out, const struct path *at, const json_t *subresources);
void check_selectable(
    struct causes *out, const struct path *at, const json_t *fields, const json_t *schema);
void check_custom_schema(struct causes *out, const struct path *at, const json_t *validation,
    bool status, bool unchanged);
void check_deprecation(
    struct causes *out, const struct path *at, const json_t *warning, bool deprecated);
/* What does not go together with objects that keep whatever is in them. */
void check_with_preserve(struct causes *out, const struct path *at, const json_t *spec);
/* rules_crd_shown.c: as messages show them; new. */
json_t *crd_shown_schema(const json_t *schema);
json_t *crd_shown_items(const json_t *items); /* of a schema */
/* A part of a version: schema, subresources, additionalPrinterColumns, selectableFields. */
json_t *crd_shown_part(const char *key, const json_t *v);
/* A kind may have capitals where a label has none. */
void check_kind_word(struct causes *out, const struct path *at, const char *kind);

/* rules_other.c */
void event_create(struct causes *out, const json_t *obj);
void event_v1_spec(struct causes *out, const json_t *obj);
void event_v1_update(struct causes *out, const json_t *obj, const json_t *old);
void event_v1_create(struct causes *out, const json_t *obj);
void signing_request_create(struct causes *out, const json_t *obj);
void resource_claim_create(struct causes *out, const json_t *obj);
void resource_claim_update(struct causes *out, const json_t *obj, const json_t *old);
void claim_template_update(struct causes *out, const json_t *obj, const json_t *old);
void device_class_create(struct causes *out, const json_t *obj);
void resource_slice_update(struct causes *out, const json_t *obj, const json_t *old);
void claim_template_create(struct causes *out, const json_t *obj);
void resource_slice_create(struct causes *out, const json_t *obj);
void validating_policy_create(struct causes *out, const json_t *obj);
void policy_binding_create(struct causes *out, const json_t *obj);

/* rules_mutating_policy.c */
void mutating_policy_create(struct causes *out, const json_t *obj);
void mutating_binding_create(struct causes *out, const json_t *obj);

#endif
