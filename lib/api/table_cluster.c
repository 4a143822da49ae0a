/* The cells of what belongs to the cluster: nodes, namespaces, events, configuration, rights. */
#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "api/table_cells.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

/* --- Node ------------------------------------------------------------------------ */

static json_t *
node_status(const json_t *node, int64_t now)
{
	const json_t *ready = condition_find(node, "Ready");

	(void)now;
	return json_sprintf("%s%s",
	    !ready			    ? "Unknown"
	    : condition_true(node, "Ready") ? "Ready"
					    : "NotReady",
	    truth(get(node, "spec", "unschedulable")) ? ",SchedulingDisabled" : "");
}

/* The roles that labels name: node-role.kubernetes.io/ROLE and kubernetes.io/role=ROLE. */
static json_t *
node_roles(const json_t *node, int64_t now)
{
	static const char prefix[] = "node-role.kubernetes.io/";
	json_auto_t *roles = json_object();
	struct buf b = BUF_INIT;
	const char *key;
	json_t *v;
	size_t n;

	(void)now;
	json_object_foreach (meta_labels(node), key, v) {
		if (text_starts(key, prefix) && key[strlen(prefix)])
			json_object_set_new(roles, key + strlen(prefix), json_true());
		else if (strcmp(key, "kubernetes.io/role") == 0 && *str(v, ""))
			json_object_set_new(roles, str(v, ""), json_true());
	}
	autofree const char **names = json_sorted_keys(roles, &n);
	for (size_t i = 0; i < n; i++)
		join(&b, ",", names[i]);
	if (b.len == 0)
		buf_puts(&b, "<none>");
	return cell_buf(&b);
}

static json_t *
node_address(const json_t *node, const char *type)
{
	size_t i;
	json_t *a;

	json_array_foreach (get(node, "status", "addresses"), i, a)
		if (strcmp(text(a, "type"), type) == 0)
			return json_string(text(a, "address"));
	return json_string("<none>");
}

static json_t *
node_internal(const json_t *node, int64_t now)
{
	(void)now;
	return node_address(node, "InternalIP");
}

static json_t *
node_external(const json_t *node, int64_t now)
{
	(void)now;
	return node_address(node, "ExternalIP");
}

static json_t *
component_status(const json_t *obj, int64_t now)
{
	size_t i;
	json_t *c;

	(void)now;
	json_array_foreach (get(obj, "conditions"), i, c)
		if (strcmp(text(c, "type"), "Healthy") == 0)
			return json_string(
			    strcmp(text(c, "status"), "True") == 0 ? "Healthy" : "Unhealthy");
	return json_string("Unknown");
}

/* --- Event: the old form (v1) and the new one (events.k8s.io/v1) ---------------------- */

static const char *
either(const json_t *obj, const char *a, const char *b)
{
	const char *s = str(value_at(obj, a), "");

	return *s ? s : str(value_at(obj, b), "");
}

static const char *
first_seen(const json_t *ev)
{
	const char *s = either(ev, "firstTimestamp", "deprecatedFirstTimestamp");

	return *s ? s : text(ev, "eventTime");
}

static json_t *
event_first(const json_t *ev, int64_t now)
{
	return cell_since(first_seen(ev), now);
}

static json_t *
event_last(const json_t *ev, int64_t now)
{
	const char *s = text(ev, "series", "lastObservedTime");

	s = *s ? s : either(ev, "lastTimestamp", "deprecatedLastTimestamp");
	return cell_since(*s ? s : first_seen(ev), now);
}

static json_t *
event_count(const json_t *ev, int64_t now)
{
	const json_t *series = get(ev, "series");
	json_int_t n = series ? num(get(series, "count"), 0) : num(get(ev, "count"), 0);

	(void)now;
	if (!series && n == 0)
		n = num(get(ev, "deprecatedCount"), 0);
	return json_integer(!series && n == 0 ? 1 : n);
}

static json_t *
event_object(const json_t *ev, int64_t now)
{
	const json_t *ref =
	    get(ev, "involvedObject") ? get(ev, "involvedObject") : get(ev, "regarding");
	const char *name = text(ref, "name");
	struct buf b = BUF_INIT;

	(void)now;
	for (const char *p = text(ref, "kind"); *p; p++)
		buf_putc(&b, *p >= 'A' && *p <= 'Z' ? (char)(*p + 'a' - 'A') : *p);
	if (*name)
		buf_printf(&b, "/%s", name);
	return cell_buf(&b);
}

static json_t *
event_field(const json_t *ev, int64_t now)
{
	(void)now;
	return json_string(either(ev, "involvedObject.fieldPath", "regarding.fieldPath"));
}

static json_t *
event_source(const json_t *ev, int64_t now)
{
	const char *who = either(ev, "source.component", "deprecatedSource.component");
	const char *where = either(ev, "source.host", "deprecatedSource.host");

	(void)now;
	who = *who ? who : either(ev, "reportingController", "reportingComponent");
	where = *where ? where : text(ev, "reportingInstance");
	return json_sprintf("%s%s%s", who, *where ? ", " : "", where);
}

static json_t *
event_message(const json_t *ev, int64_t now)
{
	const char *s = either(ev, "message", "note");
	size_t len;

	(void)now;
	s += strspn(s, " \t\r\n");
	len = strlen(s);
	while (len > 0 && strchr(" \t\r\n", s[len - 1]))
		len--;
	return json_stringn(s, len);
}

/* --- configuration and quotas ------------------------------------------------------------ */

static json_t *
data_count(const json_t *obj, int64_t now)
{
	(void)now;
	return json_integer((json_int_t)(json_object_size(get(obj, "data")) +
					 json_object_size(get(obj, "binaryData"))));
}

/* "pods: 1/10, requests.cpu: 1/2": those that are limits, or the others. */
static json_t *
quota(const json_t *obj, bool limits)
{
	const json_t *hard = get(obj, "status", "hard"), *used = get(obj, "status", "used");
	struct buf b = BUF_INIT;
	size_t n;
	autofree const char **names = json_sorted_keys(hard, &n);

	for (size_t i = 0; i < n; i++)
		if (text_starts(names[i], "limits.") == limits)
			buf_printf(&b, "%s%s: %s/%s", b.len > 0 ? ", " : "", names[i],
			    str(json_object_get(used, names[i]), "0"),
			    str(json_object_get(hard, names[i]), "0"));
	return cell_buf(&b);
}

static json_t *
quota_requests(const json_t *obj, int64_t now)
{
	(void)now;
	return quota(obj, false);
}

static json_t *
quota_limits(const json_t *obj, int64_t now)
{
	(void)now;
	return quota(obj, true);
}

/* --- rights --------------------------------------------------------------------------------- */

static json_t *
binding_role(const json_t *obj, int64_t now)
{
	(void)now;
	return json_sprintf("%s/%s", text(obj, "roleRef", "kind"), text(obj, "roleRef", "name"));
}

static json_t *
subjects(const json_t *obj, const char *kind, bool with_namespace)
{
	struct buf b = BUF_INIT;
	size_t i;
	json_t *s;

	json_array_foreach (get(obj, "subjects"), i, s)
		if (strcmp(text(s, "kind"), kind) == 0)
			buf_printf(&b, "%s%s%s%s", b.len > 0 ? ", " : "",
			    with_namespace ? text(s, "namespace") : "", with_namespace ? "/" : "",
			    text(s, "name"));
	return cell_buf(&b);
}

static json_t *
binding_users(const json_t *obj, int64_t now)
{
	(void)now;
	return subjects(obj, "User", false);
}

static json_t *
binding_groups(const json_t *obj, int64_t now)
{
	(void)now;
	return subjects(obj, "Group", false);
}

static json_t *
binding_accounts(const json_t *obj, int64_t now)
{
	(void)now;
	return subjects(obj, "ServiceAccount", true);
}

static json_t *
request_duration(const json_t *csr, int64_t now)
{
	const json_t *seconds = get(csr, "spec", "expirationSeconds");
	char buf[TIME_TEXT];

	(void)now;
	return json_string(
	    json_is_integer(seconds) ? duration_print(json_integer_value(seconds), buf) : "<none>");
}

static json_t *
request_condition(const json_t *csr, int64_t now)
{
	bool approved = false, denied = false, failed = false;
	size_t i;
	json_t *c;

	(void)now;
	json_array_foreach (get(csr, "status", "conditions"), i, c) {
		approved = approved || strcmp(text(c, "type"), "Approved") == 0;
		denied = denied || strcmp(text(c, "type"), "Denied") == 0;
		failed = failed || strcmp(text(c, "type"), "Failed") == 0;
	}
	return json_sprintf("%s%s%s",
	    denied     ? "Denied"
	    : approved ? "Approved"
		       : "Pending",
	    failed ? ",Failed" : "", *text(csr, "status", "certificate") ? ",Issued" : "");
}

/* --- the API itself --------------------------------------------------------------------------- */

static json_t *
service_of_api(const json_t *obj, int64_t now)
{
	const json_t *s = get(obj, "spec", "service");

	(void)now;
	return s ? json_sprintf("%s/%s", text(s, "namespace"), text(s, "name"))
		 : json_string("Local");
}

static json_t *
api_available(const json_t *obj, int64_t now)
{
	const json_t *c = condition_find(obj, "Available");
	const char *status = text(c, "status");

	(void)now;
	if (!c)
		return json_string("Unknown");
	return strcmp(status, "True") == 0 ? json_string("True")
					   : json_sprintf("%s (%s)", status, text(c, "reason"));
}

static json_t *
flow_dangling(const json_t *obj, int64_t now)
{
	const json_t *c = condition_find(obj, "Dangling");

	(void)now;
	return json_string(c ? text(c, "status") : "?");
}

/* A number of a limited priority level, "<none>" for the exempt one. */
static json_t *
level_number(const json_t *v)
{
	return json_is_integer(v) ? json_integer(json_integer_value(v)) : json_string("<none>");
}

static json_t *
level_shares(const json_t *obj, int64_t now)
{
	(void)now;
	return level_number(get(obj, "spec", "limited", "nominalConcurrencyShares"));
}

static json_t *
level_queues(const json_t *obj, int64_t now)
{
	(void)now;
	return level_number(get(obj, "spec", "limited", "limitResponse", "queuing", "queues"));
}

static json_t *
level_hand(const json_t *obj, int64_t now)
{
	(void)now;
	return level_number(get(obj, "spec", "limited", "limitResponse", "queuing", "handSize"));
}

static json_t *
level_length(const json_t *obj, int64_t now)
{
	(void)now;
	return level_number(
	    get(obj, "spec", "limited", "limitResponse", "queuing", "queueLengthLimit"));
}

/* clang-format off */
static const struct cell node[] = {
	CELL("Status", node_status), CELL("Roles", node_roles), TEXT("Version", "status.nodeInfo.kubeletVersion", ""),
	CELL("Internal-IP", node_internal), CELL("External-IP", node_external),
	TEXT("OS-Image", "status.nodeInfo.osImage", "<unknown>"),
	TEXT("Kernel-Version", "status.nodeInfo.kernelVersion", "<unknown>"),
	TEXT("Container-Runtime", "status.nodeInfo.containerRuntimeVersion", "<unknown>"), { 0 },
};
static const struct cell namespace[] = { TEXT("Status", "status.phase", ""), { 0 } };
static const struct cell component[] = {
	CELL("Status", component_status), TEXT("Message", "conditions.message", ""), TEXT("Error", "conditions.error", ""), { 0 },
};
static const struct cell event[] = {
	CELL("Last Seen", event_last), TEXT("Type", "type", ""), TEXT("Reason", "reason", ""), CELL("Object", event_object),
	CELL("Subobject", event_field), CELL("Source", event_source), CELL("Message", event_message),
	CELL("First Seen", event_first), CELL("Count", event_count), { 0 },
};
static const struct cell secret[] = { TEXT("Type", "type", "Opaque"), CELL("Data", data_count), { 0 } };
static const struct cell config_map[] = { CELL("Data", data_count), { 0 } };
static const struct cell resource_quota[] = { CELL("Request", quota_requests), CELL("Limit", quota_limits), { 0 } };
static const struct cell priority_class[] = {
	INT("Value", "value", 0), BOOL("Global-Default", "globalDefault", 0), TEXT("PreemptionPolicy", "preemptionPolicy", ""), { 0 },
};
static const struct cell runtime_class[] = { TEXT("Handler", "handler", ""), { 0 } };
static const struct cell lease[] = { TEXT("Holder", "spec.holderIdentity", ""), { 0 } };
static const struct cell binding[] = {
	CELL("Role", binding_role), CELL("Users", binding_users), CELL("Groups", binding_groups),
	CELL("ServiceAccounts", binding_accounts), { 0 },
};
static const struct cell request[] = {
	TEXT("SignerName", "spec.signerName", ""), TEXT("Requestor", "spec.username", ""),
	CELL("RequestedDuration", request_duration), CELL("Condition", request_condition), { 0 },
};
static const struct cell api_service[] = { CELL("Service", service_of_api), CELL("Available", api_available), { 0 } };
static const struct cell flow_schema[] = {
	TEXT("PriorityLevel", "spec.priorityLevelConfiguration.name", ""), INT("MatchingPrecedence", "spec.matchingPrecedence", 1000),
	TEXT("DistinguisherMethod", "spec.distinguisherMethod.type", "<none>"), CELL("MissingPL", flow_dangling), { 0 },
};
static const struct cell priority_level[] = {
	TEXT("Type", "spec.type", ""), CELL("NominalConcurrencyShares", level_shares), CELL("Queues", level_queues),
	CELL("HandSize", level_hand), CELL("QueueLengthLimit", level_length), { 0 },
};

const struct cells cluster_cells[] = {
	{ "", "Node", node },
	{ "", "Namespace", namespace },
	{ "", "ComponentStatus", component },
	{ "", "Event", event },
	{ "events.k8s.io", "Event", event },
	{ "", "Secret", secret },
	{ "", "ConfigMap", config_map },
	{ "", "ResourceQuota", resource_quota },
	{ "scheduling.k8s.io", "PriorityClass", priority_class },
	{ "node.k8s.io", "RuntimeClass", runtime_class },
	{ "coordination.k8s.io", "Lease", lease },
	{ "rbac.authorization.k8s.io", "RoleBinding", binding },
	{ "rbac.authorization.k8s.io", "ClusterRoleBinding", binding },
	{ "certificates.k8s.io", "CertificateSigningRequest", request },
	{ "apiregistration.k8s.io", "APIService", api_service },
	{ "flowcontrol.apiserver.k8s.io", "FlowSchema", flow_schema },
	{ "flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", priority_level },
	{ 0 },
};
/* clang-format on */
