/* What the status of each kind must keep to: the table, and the kinds with few rules. */
#include "api/rules_status.h"

#include <string.h>

#include "api/quantity.h"
#include "base/mem.h"
#include "base/text.h"

static const struct path *const top = NULL;

/* --- conditions (apimachinery: meta/v1 validation) ------------------------------------------- */

/* [A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])? */
static bool
is_reason(const char *s)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	static const char rest[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_,:";
	size_t n = strlen(s);

	return n > 0 && strchr(letters, *s) && strspn(s, rest) == n && !strchr(",:", s[n - 1]);
}

static void
check_reason(struct causes *out, const struct path *at, const char *reason)
{
	enum { MOST = 1024 };

	if (!*reason) {
		refuse_required(out, at, "must be set");
		return;
	}
	if (!is_reason(reason))
		refuse_text(out, at, reason,
		    "a condition reason must start with alphabetic character, optionally followed "
		    "by a string of alphanumeric characters or '_,:', and must end with an "
		    "alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  "
		    "or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is "
		    "'[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')");
	if (strlen(reason) > MOST)
		refuse_too_long(out, at, MOST);
}

void
check_conditions(struct causes *out, const struct path *at, const json_t *conditions)
{
	static const char *const statuses[] = { "False", "True", "Unknown", NULL };
	enum { MESSAGE = 32 << 10 };
	json_auto_t *types = json_object();
	size_t i;
	json_t *c;

	json_array_foreach (conditions, i, c) {
		const struct path *here = ITEM(at, i);
		const char *status = text(c, "status");

		if (repeats(types, text(c, "type")))
			refuse_duplicate(out, AT(here, "type"), text(c, "type"));
		check_qualified_name(out, AT(here, "type"), text(c, "type"));
		if (strcmp(status, "True") && strcmp(status, "False") && strcmp(status, "Unknown"))
			refuse_unsupported(out, AT(here, "status"), status, statuses);
		if (num(json_object_get(c, "observedGeneration"), 0) < 0)
			refuse_value(out, AT(here, "observedGeneration"),
			    json_object_get(c, "observedGeneration"),
			    "must be greater than or equal to zero");
		if (!*text(c, "lastTransitionTime"))
			refuse_required(out, AT(here, "lastTransitionTime"), "must be set");
		check_reason(out, AT(here, "reason"), text(c, "reason"));
		if (strlen(text(c, "message")) > MESSAGE)
			refuse_too_long(out, AT(here, "message"), MESSAGE);
	}
}

/* Conditions that only need a type, each once (flow control). */
static void
simple_conditions(struct causes *out, const json_t *obj, const json_t *old)
{
	const struct path *at = AT(AT(top, "status"), "conditions");
	json_auto_t *types = json_object();
	size_t i;
	json_t *c;

	(void)old;
	json_array_foreach (get(obj, "status", "conditions"), i, c) {
		const struct path *here = AT(ITEM(at, i), "type");

		check_unique(out, here, types, text(c, "type"));
		if (!*text(c, "type"))
			refuse_required(out, here, "must not be empty");
	}
}

/* Conditions that only have one of three states (aggregation of APIs). */
static void
three_states(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const states[] = { "True", "False", "Unknown", NULL };
	const struct path *at = AT(AT(top, "status"), "conditions");
	size_t i;
	json_t *c;

	(void)old;
	json_array_foreach (get(obj, "status", "conditions"), i, c)
		if (!text_in(text(c, "status"), states))
			refuse_unsupported(
			    out, AT(ITEM(at, i), "status"), text(c, "status"), states);
}

/* What the expressions of a policy were found to be when their types were checked. */
static void
policy_status(struct causes *out, const json_t *obj, const json_t *old)
{
	const struct path *at = AT(top, "status");
	const struct path *list = AT(AT(at, "typeChecking"), "expressionWarnings");
	size_t i;
	json_t *w;

	(void)old;
	json_array_foreach (get(obj, "status", "typeChecking", "expressionWarnings"), i, w) {
		check_required(out, ITEM(list, i), w, "fieldRef");
		check_required(out, ITEM(list, i), w, "warning");
	}
	check_conditions(out, AT(at, "conditions"), get(obj, "status", "conditions"));
}

/* --- load balancers ------------------------------------------------------------------------ */

void
check_new_ip(struct causes *out, const struct path *at, const char *ip, const json_t *known)
{
	if (!json_object_get(known, ip))
		check_ip(out, at, ip);
}

static void
check_ingress_host(struct causes *out, const struct path *at, const char *host)
{
	if (!*host)
		return;
	check_dns_subdomain(out, at, host);
	if (ip_valid(host))
		refuse_text(out, at, host, "must be a DNS name, not an IP address");
}

static void
ingress_status(struct causes *out, const json_t *obj, const json_t *old)
{
	const struct path *at = AT(AT(AT(top, "status"), "loadBalancer"), "ingress");
	json_auto_t *known = set_of(get(old, "status", "loadBalancer", "ingress"), "ip");
	size_t i;
	json_t *ingress;

	json_array_foreach (get(obj, "status", "loadBalancer", "ingress"), i, ingress) {
		if (*text(ingress, "ip"))
			check_new_ip(out, AT(ITEM(at, i), "ip"), text(ingress, "ip"), known);
		check_ingress_host(out, AT(ITEM(at, i), "hostname"), text(ingress, "hostname"));
	}
}

/* --- storage and namespaces -------------------------------------------------------- */

static void
check_amounts(struct causes *out, const struct path *at, const json_t *amounts)
{
	const char *name;
	json_t *v;

	json_object_foreach ((json_t *)amounts, name, v)
		if (quantity_milli(v) < 0)
			refuse_number(out, KEY(at, name), quantity_value(v),
			    "must be a valid resource quantity");
}

/* Of Kubernetes' own resources only storage; others have a domain. */
static void
check_storage_name(struct causes *out, const struct path *at, const char *name)
{
	static const char *const own[] = { "storage", NULL };
	const char *slash = strchr(name, '/');
	size_t before = out->n;

	check_qualified_name(out, at, name);
	if (out->n == before && (!slash || text_starts(name, "kubernetes.io/")) &&
	    strcmp(name, "storage"))
		refuse_unsupported(out, at, name, own);
}

static void
volume_claim_status(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const states[] = { "ControllerResizeInProgress",
		"ControllerResizeInfeasible", "NodeResizePending", "NodeResizeInProgress",
		"NodeResizeInfeasible", NULL };
	const struct path *at = AT(top, "status");
	const char *name;
	json_t *v;

	(void)old;
	if (!json_array_size(get(obj, "spec", "accessModes")))
		refuse_required(out, AT(AT(top, "spec"), "accessModes"), "");
	check_amounts(out, AT(at, "capacity"), get(obj, "status", "capacity"));
	json_object_foreach (get(obj, "status", "allocatedResourceStatuses"), name, v) {
		bool known = false;

		check_storage_name(out, AT(at, "allocatedResourceStatus"), name);
		for (const char *const *s = states; *s && !known; s++)
			known = !strcmp(*s, str(v, ""));
		if (!known)
			refuse_text(out, KEY(AT(at, "allocatedResourceStatus"), name), name,
			    "invalid resize status");
	}
	json_object_foreach (get(obj, "status", "allocatedResources"), name, v)
		check_storage_name(out, AT(at, "allocatedResources"), name);
	check_amounts(out, AT(at, "allocatedResources"), get(obj, "status", "allocatedResources"));
}

static void
namespace_status(struct causes *out, const json_t *obj, const json_t *old)
{
	const char *phase = text(obj, "status", "phase");
	const struct path *at = AT(AT(top, "status"), "Phase");

	(void)old;
	if (!meta_deleting(obj) && strcmp(phase, "Active"))
		refuse_text(out, at, phase, "may only be 'Active' if `deletionTimestamp` is empty");
	else if (meta_deleting(obj) && strcmp(phase, "Terminating"))
		refuse_text(out, at, phase,
		    "may only be 'Terminating' if `deletionTimestamp` is not empty");
}

/* --- which ---------------------------------------------------------------------------------- */

static const struct status_rules table[] = {
	{ "admissionregistration.v1.ValidatingAdmissionPolicy", "status", policy_status, "S" },
	{ "apiextensions.v1.CustomResourceDefinition", "status", crd_status, NULL },
	{ "apiregistration.v1.APIService", "status", three_states, NULL },
	{ "apps.v1.DaemonSet", "status", daemon_set_status, NULL },
	{ "apps.v1.Deployment", "status", deployment_status, NULL },
	{ "apps.v1.ReplicaSet", "status", replica_set_status, NULL },
	{ "apps.v1.StatefulSet", "status", stateful_set_status, "SM" },
	{ "autoscaling.v1.HorizontalPodAutoscaler", "status", autoscaler_status, NULL },
	{ "autoscaling.v2.HorizontalPodAutoscaler", "status", autoscaler_status, NULL },
	{ "batch.v1.CronJob", "status", NULL, "" },
	{ "batch.v1.Job", "status", job_status, NULL },
	{ "certificates.v1.CertificateSigningRequest", "approval", signing_request_approval,
	    "CSM" },
	{ "certificates.v1.CertificateSigningRequest", "status", signing_request_status, "CSM" },
	{ "core.v1.Namespace", "status", namespace_status, NULL },
	{ "core.v1.Node", "status", NULL, "MU" },
	{ "core.v1.PersistentVolumeClaim", "status", volume_claim_status, NULL },
	{ "core.v1.Pod", "ephemeralcontainers", pod_ephemeral, "MVcS" },
	{ "core.v1.Pod", "resize", pod_resize, "VcS" },
	{ "core.v1.Pod", "status", pod_status_rules, NULL },
	{ "core.v1.ReplicationController", "status", replica_set_status, NULL },
	{ "core.v1.ResourceQuota", "status", resource_quota_status, NULL },
	{ "core.v1.Service", "status", service_status, NULL },
	{ "flowcontrol.v1.FlowSchema", "status", simple_conditions, "CS" },
	{ "flowcontrol.v1.PriorityLevelConfiguration", "status", simple_conditions, "CS" },
	{ "networking.v1.Ingress", "status", ingress_status, NULL },
	{ "policy.v1.PodDisruptionBudget", "status", disruption_budget_status, "S" },
	{ "resource.v1.ResourceClaim", "status", resource_claim_status, NULL },
	{ "storage.v1.VolumeAttachment", "status", NULL, "CMU" },
};

const struct status_rules *
status_rules_of(const struct kind *k, const char *sub)
{
	for (size_t i = 0; i < COUNT(table); i++)
		if (!strcmp(table[i].type, k->type->name) && !strcmp(table[i].sub, sub))
			return &table[i];
	return NULL;
}
