/* Service, Namespace, Node, ConfigMap, Secret, Lease. */
#include <string.h>

#include "api/quantity.h"
#include "api/rules.h"
#include "api/rules_pod.h"
#include "base/mem.h"

static const struct path *const top = NULL;

/* --- Service -------------------------------------------------------------------------- */

static void
check_service_port(struct causes *out, const struct path *at, const json_t *p, bool several,
    json_t *names, bool may_have_node_port)
{
	if (*text(p, "name")) {
		check_dns_label(out, AT(at, "name"), text(p, "name"));
		check_unique(out, AT(at, "name"), names, text(p, "name"));
	} else if (several) {
		refuse_required(out, AT(at, "name"), "");
	}
	check_port(out, AT(at, "port"), num(json_object_get(p, "port"), 0));
	check_port_or_name(out, AT(at, "targetPort"), json_object_get(p, "targetPort"));
	if (num(json_object_get(p, "nodePort"), 0) && !may_have_node_port)
		refuse_forbidden(
		    out, AT(at, "nodePort"), "may not be used when `type` is 'ClusterIP'");
	if (*text(p, "appProtocol"))
		check_qualified_name(out, AT(at, "appProtocol"), text(p, "appProtocol"));
}

static void
check_service_ports(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };
	const json_t *ports = json_object_get(spec, "ports");
	const char *type = text(spec, "type");
	bool inside = !*type || !strcmp(type, "ClusterIP");
	json_auto_t *seen = json_object(), *names = json_object();
	size_t i;
	json_t *p;

	json_array_foreach (ports, i, p) {
		check_service_port(out, ITEM(at, i), p, json_array_size(ports) > 1, names, !inside);
		check_one_of(out, ITEM(at, i), p, "protocol", protocols);
	}
	json_array_foreach (ports, i, p) {
		autofree char *word = xasprintf("%s/%" JSON_INTEGER_FORMAT, text(p, "protocol"),
		    num(json_object_get(p, "port"), 0));
		/* What Kubernetes compares, and so what it shows. */
		json_auto_t *key = json_pack("{s:s, s:s, s:n, s:O?, s:i, s:i}", "Name", "",
		    "Protocol", text(p, "protocol"), "AppProtocol", "Port",
		    json_object_get(p, "port"), "TargetPort", 0, "NodePort", 0);

		if (repeats(seen, word))
			refuse_duplicate_value(out, ITEM(at, i), key);
	}
}

static void
check_external_ips(struct causes *out, const struct path *at, const json_t *ips)
{
	size_t i;
	json_t *ip;

	json_array_foreach (ips, i, ip) {
		const char *text = str(ip, "");

		check_ip(out, ITEM(at, i), text);
		check_reachable(out, ITEM(at, i), text);
	}
}

static void
check_cluster_ips(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *ips = json_object_get(spec, "clusterIPs"), *first = json_array_get(ips, 0);
	const char *ip = text(spec, "clusterIP"), *type = text(spec, "type");
	bool headless = !strcmp(ip, "None");

	if (!strcmp(type, "ExternalName")) {
		if (*ip || json_array_size(ips))
			refuse_forbidden(
			    out, AT(at, "clusterIPs"), "may not be set for ExternalName services");
		return;
	}
	if (headless && (!strcmp(type, "LoadBalancer") || !strcmp(type, "NodePort")))
		refuse_text(out, ITEM(AT(at, "clusterIPs"), 0), ip,
		    "may not be set to 'None' for %s services", type);
	else if (first && *ip && strcmp(str(first, ""), ip))
		refuse_value(out, AT(at, "clusterIPs"), ips, "first value must match `clusterIP`");
	else if (*ip && !headless)
		check_ip(out, ITEM(AT(at, "clusterIPs"), 0), ip);
}

static void
check_external_name(struct causes *out, const struct path *at, const json_t *spec)
{
	autofree char *name = xstrdup(text(spec, "externalName"));
	size_t n = strlen(name);

	if (strcmp(text(spec, "type"), "ExternalName"))
		return;
	if (n && name[n - 1] == '.')
		name[n - 1] = '\0';
	if (*name)
		check_dns_subdomain(out, AT(at, "externalName"), name);
	else
		refuse_required(out, AT(at, "externalName"), "");
}

static void
check_outside(struct causes *out, const struct path *at, const json_t *spec)
{
	const char *type = text(spec, "type"), *policy = text(spec, "externalTrafficPolicy");
	bool balanced = !strcmp(type, "LoadBalancer");
	bool outside = balanced || !strcmp(type, "NodePort") ||
		       json_array_size(json_object_get(spec, "externalIPs"));

	if (*policy && !outside)
		refuse_text(out, AT(at, "externalTrafficPolicy"), policy,
		    "may only be set for externally-accessible services");
	if (num(json_object_get(spec, "healthCheckNodePort"), 0) &&
	    !(balanced && !strcmp(policy, "Local")))
		refuse_value(out, AT(at, "healthCheckNodePort"),
		    json_object_get(spec, "healthCheckNodePort"),
		    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is "
		    "'Local'");
}

void
service_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *timeout = get(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds");
	const struct path *at = AT(top, "spec");
	json_int_t seconds = num(timeout, 1);
	bool named = !strcmp(text(spec, "type"), "ExternalName");

	if (!json_array_size(json_object_get(spec, "ports")) && !named &&
	    strcmp(text(spec, "clusterIP"), "None"))
		refuse_required(out, AT(at, "ports"), "");
	check_external_name(out, at, spec);
	check_service_ports(out, AT(at, "ports"), spec);
	check_labels(out, AT(at, "selector"), json_object_get(spec, "selector"));
	if (seconds <= 0 || seconds > 86400)
		refuse_value(out,
		    AT(AT(AT(at, "sessionAffinityConfig"), "clientIP"), "timeoutSeconds"), timeout,
		    "must be greater than 0 and less than 86400");
	check_cluster_ips(out, at, spec);
	check_external_ips(out, AT(at, "externalIPs"), json_object_get(spec, "externalIPs"));
	check_outside(out, at, spec);
}

void
service_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *ips = get(obj, "spec", "clusterIPs");
	const char *now = text(obj, "spec", "clusterIP"), *before = text(old, "spec", "clusterIP");
	bool named = !strcmp(text(obj, "spec", "type"), "ExternalName") ||
		     !strcmp(text(old, "spec", "type"), "ExternalName");

	if (*before && strcmp(now, before) && !named)
		refuse_value(out, ITEM(AT(AT(top, "spec"), "clusterIPs"), 0), ips,
		    "may not change once set");
}

/* --- Namespace and Node ------------------------------------------------------------------ */

void
namespace_create(struct causes *out, const json_t *obj)
{
	size_t i;
	json_t *f;

	json_array_foreach (get(obj, "spec", "finalizers"), i, f)
		if (!strchr(str(f, ""), '/') && strcmp(str(f, ""), "kubernetes"))
			refuse_value(out, AT(AT(top, "spec"), "finalizers"), f,
			    "name is neither a standard finalizer name nor is it fully qualified");
}

static void
check_amounts(struct causes *out, const struct path *at, const json_t *amounts)
{
	const char *name;
	json_t *v;

	json_object_foreach ((json_t *)amounts, name, v)
		if (quantity_milli(v) < 0)
			refuse_value(out, AT(at, name), v, "must be greater than or equal to 0");
}

void
node_create(struct causes *out, const json_t *obj)
{
	static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute",
		NULL };
	const json_t *taints = get(obj, "spec", "taints");
	const struct path *at = AT(AT(top, "spec"), "taints");
	json_auto_t *seen = json_object();
	size_t i;
	json_t *taint, *cidr;

	json_array_foreach (get(obj, "spec", "podCIDRs"), i, cidr)
		check_cidr(out, ITEM(AT(AT(top, "spec"), "podCIDRs"), i), str(cidr, ""));
	check_amounts(out, AT(AT(top, "status"), "capacity"), get(obj, "status", "capacity"));
	check_amounts(out, AT(AT(top, "status"), "allocatable"), get(obj, "status", "allocatable"));
	json_array_foreach (taints, i, taint) {
		const struct path *here = ITEM(at, i);
		autofree char *word = xasprintf("%s:%s", text(taint, "key"), text(taint, "effect"));

		check_qualified_name(out, AT(here, "key"), text(taint, "key"));
		check_label_value(out, AT(here, "value"), text(taint, "value"));
		if (!*text(taint, "effect"))
			refuse_required(out, AT(here, "effect"), "");
		else
			check_one_of(out, here, taint, "effect", effects);
		if (repeats(seen, word))
			refuse_duplicate(out, here, text(taint, "key"));
	}
}

/* --- ConfigMap and Secret -------------------------------------------------------------------- */

enum { MAX_DATA = 1024 * 1024 };

static size_t
check_data(struct causes *out, const struct path *at, const json_t *data, bool coded)
{
	size_t total = 0;
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)data, key, value) {
		check_config_key(out, KEY(at, key), key);
		total += coded ? json_string_length(value) / 4 * 3 : json_string_length(value);
	}
	return total;
}

/* Once immutable is set, neither it nor the data can change. */
static void
check_sealed(struct causes *out, const json_t *obj, const json_t *old, const char *const *keys)
{
	if (!truth(json_object_get(old, "immutable")))
		return;
	if (!truth(json_object_get(obj, "immutable")))
		refuse_forbidden(
		    out, AT(top, "immutable"), "field is immutable when `immutable` is set");
	for (; *keys; keys++)
		if (!same_value(json_object_get(obj, *keys), json_object_get(old, *keys)))
			refuse_forbidden(
			    out, AT(top, *keys), "field is immutable when `immutable` is set");
}

void
config_map_create(struct causes *out, const json_t *obj)
{
	const json_t *data = json_object_get(obj, "data"),
		     *binary = json_object_get(obj, "binaryData");
	size_t total = check_data(out, AT(top, "data"), data, false);
	const char *key;
	json_t *value;

	total += check_data(out, AT(top, "binaryData"), binary, true);
	json_object_foreach ((json_t *)binary, key, value)
		if (json_object_get(data, key))
			refuse_text(out, KEY(AT(top, "data"), key), key,
			    "duplicate of key present in binaryData");
	if (total > MAX_DATA)
		cause_add(out, "FieldValueTooLong", "[]", "Too long: may not be more than %d bytes",
		    MAX_DATA);
}

void
config_map_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const keys[] = { "data", "binaryData", NULL };

	check_sealed(out, obj, old, keys);
}

void
secret_create(struct causes *out, const json_t *obj)
{
	/* What each type of Secret must hold. */
	static const struct {
		const char *type, *key;
	} needs[] = {
		{ "kubernetes.io/tls", "tls.crt" },
		{ "kubernetes.io/tls", "tls.key" },
		{ "kubernetes.io/dockerconfigjson", ".dockerconfigjson" },
		{ "kubernetes.io/dockercfg", ".dockercfg" },
		{ "kubernetes.io/ssh-auth", "ssh-privatekey" },
	};
	static const char account[] = "kubernetes.io/service-account.name";
	const json_t *data = json_object_get(obj, "data");
	const char *type = text(obj, "type");

	if (check_data(out, AT(top, "data"), data, true) > MAX_DATA)
		refuse_too_long(out, AT(top, "data"), MAX_DATA);
	for (size_t i = 0; i < COUNT(needs); i++)
		if (!strcmp(type, needs[i].type) && !json_object_get(data, needs[i].key))
			refuse_required(out, KEY(AT(top, "data"), needs[i].key), "");
	if (!strcmp(type, "kubernetes.io/service-account-token") && !meta_annotation(obj, account))
		refuse_required(out, KEY(AT(AT(top, "metadata"), "annotations"), account), "");
	if (!strcmp(type, "kubernetes.io/basic-auth") && !json_object_get(data, "username") &&
	    !json_object_get(data, "password")) {
		refuse_required(out, KEY(AT(top, "data"), "username"), "");
		refuse_required(out, KEY(AT(top, "data"), "password"), "");
	}
}

void
secret_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const keys[] = { "data", NULL };

	check_immutable(
	    out, AT(top, "type"), json_object_get(obj, "type"), json_object_get(old, "type"));
	check_sealed(out, obj, old, keys);
}

/* --- Lease ---------------------------------------------------------------------------------- */

void
lease_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(top, "spec");

	check_positive(out, at, spec, "leaseDurationSeconds");
	check_not_negative(out, at, spec, "leaseTransitions");
}
