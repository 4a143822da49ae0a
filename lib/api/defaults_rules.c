/* The defaults that depend on other fields, by type (Kubernetes: pkg/apis/.../defaults.go names
 * them all). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "api/defaults.h"
#include "api/meta.h"
#include "base/bytes.h"
#include "base/mem.h"

/* --- core ------------------------------------------------------------------------ */

static bool
no_port(const json_t *v)
{
	return !v || json_is_null(v) || (json_is_integer(v) && !json_integer_value(v)) ||
	       (json_is_string(v) && !json_string_length(v));
}

static void
service_ports(json_t *v)
{
	size_t i;
	json_t *port;

	json_array_foreach (json_object_get(v, "ports"), i, port)
		if (json_is_object(port) && no_port(json_object_get(port, "targetPort")))
			json_object_set_new(port, "targetPort",
			    json_integer(num(json_object_get(port, "port"), 0)));
}

static void
service_spec(json_t *v)
{
	bool named = field_is(v, "type", "ExternalName"),
	     balanced = field_is(v, "type", "LoadBalancer");
	bool outside = balanced || field_is(v, "type", "NodePort") ||
		       (!named && !field_empty(v, "externalIPs"));

	if (field_unset(v, "sessionAffinity") || field_is(v, "sessionAffinity", "None"))
		json_object_del(v, "sessionAffinityConfig");
	if (field_is(v, "sessionAffinity", "ClientIP")) {
		json_t *config = default_object(v, "sessionAffinityConfig");
		json_t *client = config ? default_object(config, "clientIP") : NULL;

		default_to(client, "timeoutSeconds", json_integer(10800));
	}
	service_ports(v);
	if (outside)
		default_to(v, "externalTrafficPolicy", json_string("Cluster"));
	if (!named)
		default_to(v, "internalTrafficPolicy", json_string("Cluster"));
	if (balanced)
		default_to(v, "allocateLoadBalancerNodePorts", json_true());
}

/* An address of a load balancer is one that Nodes may keep for themselves, if nobody says
 * otherwise. */
static void
service(json_t *v)
{
	size_t i;
	json_t *point;

	if (!field_is(json_object_get(v, "spec"), "type", "LoadBalancer"))
		return;
	json_array_foreach (
	    json_object_get(
		json_object_get(json_object_get(v, "status"), "loadBalancer"), "ingress"),
	    i, point)
		if (json_is_object(point) && !field_unset(point, "ip"))
			default_to(point, "ipMode", json_string("VIP"));
}

/* stringData is for people: it ends up in data. */
static void
secret(json_t *v)
{
	json_t *plain = json_object_get(v, "stringData"), *data = NULL, *value;
	const char *key;

	if (json_is_object(plain))
		data = default_object(v, "data");
	json_object_foreach (plain, key, value) {
		autofree char *coded =
		    bytes_encode(json_string_value(value), json_string_length(value));

		json_object_set_new(data, key, json_string(coded));
	}
	json_object_del(v, "stringData");
}

static void
persistent_volume(json_t *v)
{
	json_t *spec = default_object(v, "spec");

	default_to(spec, "persistentVolumeReclaimPolicy", json_string("Retain"));
	default_to(spec, "volumeMode", json_string("Filesystem"));
}

static void
replication_controller(json_t *v)
{
	json_t *labels = get(v, "spec", "template", "metadata", "labels");

	if (!labels || !json_object_size(labels))
		return;
	default_copy(default_object(v, "spec"), "selector", labels);
	default_copy(default_object(v, "metadata"), "labels", labels);
}

/* So that a selector can name a namespace. */
static void namespace(json_t *v)
{
	const char *name = meta_name(v);
	json_t *labels = *name ? default_object(default_object(v, "metadata"), "labels") : NULL;

	if (labels)
		json_object_set_new(labels, "kubernetes.io/metadata.name", json_string(name));
}

/* In a LimitRange for containers each bound follows from the next: max, default, defaultRequest,
 * min. */
static void
limit_range_item(json_t *v)
{
	json_t *limits, *requests, *value;
	const char *key;

	if (!field_is(v, "type", "Container"))
		return;
	limits = default_object(v, "default");
	requests = default_object(v, "defaultRequest");
	json_object_foreach (json_object_get(v, "max"), key, value)
		default_to(limits, key, json_deep_copy(value));
	json_object_foreach (limits, key, value)
		default_to(requests, key, json_deep_copy(value));
	json_object_foreach (json_object_get(v, "min"), key, value)
		default_to(requests, key, json_deep_copy(value));
	if (field_empty(v, "default"))
		json_object_del(v, "default");
	if (field_empty(v, "defaultRequest"))
		json_object_del(v, "defaultRequest");
}

static void
node_status(json_t *v)
{
	if (!field_unset(v, "capacity"))
		default_copy(v, "allocatable", json_object_get(v, "capacity"));
}

/* --- workloads --------------------------------------------------------------------- */

static void
deployment_strategy(json_t *v)
{
	json_t *rolling;

	if (!field_unset(v, "type") && !field_is(v, "type", "RollingUpdate"))
		return;
	rolling = default_object(v, "rollingUpdate");
	default_to(rolling, "maxUnavailable", json_string("25%"));
	default_to(rolling, "maxSurge", json_string("25%"));
}

static void
daemon_set_strategy(json_t *v)
{
	json_t *rolling;

	if (!field_unset(v, "type") && !field_is(v, "type", "RollingUpdate"))
		return;
	rolling = default_object(v, "rollingUpdate");
	default_to(rolling, "maxUnavailable", json_integer(1));
	default_to(rolling, "maxSurge", json_integer(0));
}

static void
stateful_set_strategy(json_t *v)
{
	if (field_unset(v, "type") ||
	    (field_is(v, "type", "RollingUpdate") && !field_unset(v, "rollingUpdate")))
		default_to(default_object(v, "rollingUpdate"), "partition", json_integer(0));
}

static void
job(json_t *v)
{
	json_t *spec = default_object(v, "spec");
	bool per_index = !field_unset(spec, "backoffLimitPerIndex"),
	     alone = field_unset(spec, "parallelism");

	if (alone)
		default_to(spec, "completions", json_integer(1));
	default_to(spec, "parallelism", json_integer(1));
	default_to(spec, "backoffLimit", json_integer(per_index ? 2147483647 : 6));
	default_to(spec, "completionMode", json_string("NonIndexed"));
	default_to(spec, "suspend", json_false());
	default_to(spec, "manualSelector", json_false());
	default_to(spec, "podReplacementPolicy",
	    json_string(field_unset(spec, "podFailurePolicy") ? "TerminatingOrFailed" : "Failed"));
	default_copy(
	    default_object(v, "metadata"), "labels", get(spec, "template", "metadata", "labels"));
}

/* --- scaling ------------------------------------------------------------------------- */

static void
hpa_spec(json_t *v)
{
	if (field_empty(v, "metrics"))
		json_object_set_new(v, "metrics",
		    json_pack("[{s:s, s:{s:s, s:{s:s, s:i}}}]", "type", "Resource", "resource",
			"name", "cpu", "target", "type", "Utilization", "averageUtilization", 80));
}

static json_t *
policy(const char *type, int value, int period)
{
	return json_pack("{s:s, s:i, s:i}", "type", type, "value", value, "periodSeconds", period);
}

static void
hpa_behavior(json_t *v)
{
	json_t *up = default_object(v, "scaleUp"), *down = default_object(v, "scaleDown");

	default_to(up, "stabilizationWindowSeconds", json_integer(0));
	default_to(up, "selectPolicy", json_string("Max"));
	if (field_empty(up, "policies"))
		json_object_set_new(up, "policies",
		    json_pack("[o, o]", policy("Pods", 4, 15), policy("Percent", 100, 15)));
	default_to(down, "selectPolicy", json_string("Max"));
	if (field_empty(down, "policies"))
		json_object_set_new(down, "policies", json_pack("[o]", policy("Percent", 100, 15)));
}

/* --- the rest -------------------------------------------------------------------------- */

static void
network_policy_spec(json_t *v)
{
	if (!field_empty(v, "policyTypes"))
		return;
	json_object_set_new(v, "policyTypes", json_pack("[s]", "Ingress"));
	if (!field_empty(v, "egress"))
		json_array_append_new(json_object_get(v, "policyTypes"), json_string("Egress"));
}

static const char rbac[] = "rbac.authorization.k8s.io";

static void
role_ref(json_t *v)
{
	default_to(v, "apiGroup", json_string(rbac));
}

static void
subject(json_t *v)
{
	if (field_is(v, "kind", "User") || field_is(v, "kind", "Group"))
		default_to(v, "apiGroup", json_string(rbac));
}

static void
flow_schema_spec(json_t *v)
{
	if (!num(json_object_get(v, "matchingPrecedence"), 0))
		json_object_set_new(v, "matchingPrecedence", json_integer(1000));
}

static void
limited_priority_level(json_t *v)
{
	default_to(v, "nominalConcurrencyShares", json_integer(30));
	default_to(v, "lendablePercent", json_integer(0));
}

static void
exempt_priority_level(json_t *v)
{
	default_to(v, "nominalConcurrencyShares", json_integer(0));
	default_to(v, "lendablePercent", json_integer(0));
}

static void
queuing(json_t *v)
{
	static const struct {
		const char *name;
		int value;
	} fields[] = { { "queues", 64 }, { "handSize", 8 }, { "queueLengthLimit", 50 } };

	for (size_t i = 0; i < COUNT(fields); i++)
		if (!num(json_object_get(v, fields[i].name), 0))
			json_object_set_new(v, fields[i].name, json_integer(fields[i].value));
}

static void
device_request(json_t *v)
{
	if (field_unset(v, "allocationMode") || field_is(v, "allocationMode", "ExactCount"))
		if (!num(json_object_get(v, "count"), 0))
			json_object_set_new(v, "count", json_integer(1));
}

static void
definition_spec(json_t *v)
{
	json_t *names = default_object(v, "names");
	const char *kind = names ? str(json_object_get(names, "kind"), "") : "";
	autofree char *singular = xstrdup(kind), *list = xasprintf("%sList", kind);

	if (!*kind)
		return;
	for (char *p = singular; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	default_to(names, "singular", json_string(singular));
	default_to(names, "listKind", json_string(list));
}

/* In name order, for bsearch. */
static const struct rule {
	const char *type;
	default_rule *run;
} rules[] = {
	{ "apiextensions.v1.CustomResourceDefinitionSpec", definition_spec },
	{ "apps.v1.DaemonSetUpdateStrategy", daemon_set_strategy },
	{ "apps.v1.DeploymentStrategy", deployment_strategy },
	{ "apps.v1.StatefulSetUpdateStrategy", stateful_set_strategy },
	{ "autoscaling.v2.HorizontalPodAutoscalerBehavior", hpa_behavior },
	{ "autoscaling.v2.HorizontalPodAutoscalerSpec", hpa_spec },
	{ "batch.v1.Job", job },
	{ "core.v1.Container", defaults_of_container },
	{ "core.v1.EphemeralContainer", defaults_of_container },
	{ "core.v1.LimitRangeItem", limit_range_item },
	{ "core.v1.Namespace", namespace },
	{ "core.v1.NodeStatus", node_status },
	{ "core.v1.PersistentVolume", persistent_volume },
	{ "core.v1.Pod", defaults_of_pod },
	{ "core.v1.PodSpec", defaults_of_pod_spec },
	{ "core.v1.ReplicationController", replication_controller },
	{ "core.v1.Secret", secret },
	{ "core.v1.Service", service },
	{ "core.v1.ServiceSpec", service_spec },
	{ "core.v1.Volume", defaults_of_volume },
	{ "flowcontrol.v1.ExemptPriorityLevelConfiguration", exempt_priority_level },
	{ "flowcontrol.v1.FlowSchemaSpec", flow_schema_spec },
	{ "flowcontrol.v1.LimitedPriorityLevelConfiguration", limited_priority_level },
	{ "flowcontrol.v1.QueuingConfiguration", queuing },
	{ "networking.v1.NetworkPolicySpec", network_policy_spec },
	{ "rbac.v1.RoleRef", role_ref },
	{ "rbac.v1.Subject", subject },
	{ "resource.v1.DeviceSubRequest", device_request },
	{ "resource.v1.ExactDeviceRequest", device_request },
};

static int
by_name(const void *key, const void *rule)
{
	return strcmp(key, ((const struct rule *)rule)->type);
}

default_rule *
default_rule_of(const char *type)
{
	const struct rule *r = bsearch(type, rules, COUNT(rules), sizeof *rules, by_name);

	return r ? r->run : NULL;
}
