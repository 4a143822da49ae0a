#ifndef ORCH_API_RULES_STATUS_H
#define ORCH_API_RULES_STATUS_H

#include "api/rules.h"

/*
 * What a write through a subresource is asked: /status of most kinds, and the few others that
 * change an object in a way of their own.  One line a kind and subresource in rules_status.c.
 */
typedef void status_rule(struct causes *out, const json_t *obj, const json_t *old);

struct status_rules {
	const char *type, *sub; /* "core.v1.Pod", "status" */
	status_rule *check;	/* NULL: nothing of its own */
	/* As of struct rules, and S for this check; NULL is "MS". */
	const char *order;
};
const struct status_rules *status_rules_of(const struct kind *k, const char *sub); /* or NULL */

/* rules_status_workload.c */
status_rule deployment_status, replica_set_status, stateful_set_status, daemon_set_status;
status_rule autoscaler_status, disruption_budget_status;
/* rules_status_job.c */
status_rule job_status;
/* rules_status_claim.c */
status_rule resource_claim_status;
/* rules_status_pod.c */
status_rule pod_status_rules;
/* rules_quota.c */
status_rule resource_quota_status;
/* rules_pod_sub.c */
status_rule pod_ephemeral, pod_resize;
/* rules_signing.c */
status_rule signing_request_status, signing_request_approval;

/* rules_crd.c */
status_rule crd_status;

/* Parts, for each other. */
void check_conditions(
    struct causes *out, const struct path *at, const json_t *conditions); /* meta.v1.Condition */
/* An address; one that stood there already may stay. */
void check_new_ip(struct causes *out, const struct path *at, const char *ip, const json_t *known);

#endif
