/* Service: what may be asked of it.  What the store gives out (addresses, node ports) need not be
 * there: a manifest is checked without a store as well. */
#include <string.h>

#include "api/rules.h"
#include "base/mem.h"

static const struct path *const top = NULL;

bool
service_is(const json_t *obj, const char *type)
{
	const char *is = text(obj, "spec", "type");

	return !strcmp(*is ? is : "ClusterIP", type);
}

bool
service_headless(const json_t *obj)
{
	const json_t *ips = get(obj, "spec", "clusterIPs");

	if (!json_array_size(ips))
		return !strcmp(text(obj, "spec", "clusterIP"), "None");
	return json_array_size(ips) == 1 && !strcmp(str(json_array_get(ips, 0), ""), "None");
}

/* --- ports -------------------------------------------------------------------------------- */

static void
check_service_port(
    struct causes *out, const struct path *at, const json_t *p, bool several, json_t *names)
{
	static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };

	if (*text(p, "name")) {
		check_dns_label(out, AT(at, "name"), text(p, "name"));
		check_unique(out, AT(at, "name"), names, text(p, "name"));
	} else if (several) {
		refuse_required(out, AT(at, "name"), "");
	}
	check_port(out, AT(at, "port"), num(json_object_get(p, "port"), 0));
	check_one_of(out, at, p, "protocol", protocols);
	check_port_or_name(out, AT(at, "targetPort"), json_object_get(p, "targetPort"));
	if (json_object_get(p, "appProtocol"))
		check_qualified_name(out, AT(at, "appProtocol"), text(p, "appProtocol"));
}

static void
check_node_ports(struct causes *out, const struct path *at, const json_t *obj)
{
	json_auto_t *seen = json_object();
	size_t i;
	json_t *p;

	json_array_foreach (get(obj, "spec", "ports"), i, p)
		if (num(json_object_get(p, "nodePort"), 0) && service_is(obj, "ClusterIP"))
			refuse_forbidden(out, AT(ITEM(at, i), "nodePort"),
			    "may not be used when `type` is 'ClusterIP'");
	json_array_foreach (get(obj, "spec", "ports"), i, p) {
		const json_t *port = json_object_get(p, "nodePort");
		autofree char *word =
		    xasprintf("%s/%" JSON_INTEGER_FORMAT, text(p, "protocol"), num(port, 0));

		if (num(port, 0) && repeats(seen, word))
			refuse_duplicate_value(out, AT(ITEM(at, i), "nodePort"), port);
	}
}

static void
check_ports(struct causes *out, const struct path *at, const json_t *obj)
{
	const json_t *ports = get(obj, "spec", "ports");
	json_auto_t *seen = json_object();
	size_t i;
	json_t *p;

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

/* --- what a type asks for --------------------------------------------------------------------- */

static void
check_external_name(struct causes *out, const struct path *at, const json_t *spec)
{
	autofree char *name = xstrdup(text(spec, "externalName"));
	size_t n = strlen(name);

	if (*text(spec, "clusterIP") || json_array_size(json_object_get(spec, "clusterIPs")))
		refuse_forbidden(
		    out, AT(at, "clusterIPs"), "may not be set for ExternalName services");
	if (json_array_size(json_object_get(spec, "ipFamilies")))
		refuse_forbidden(
		    out, AT(at, "ipFamilies"), "may not be set for ExternalName services");
	if (json_object_get(spec, "ipFamilyPolicy"))
		refuse_forbidden(
		    out, AT(at, "ipFamilyPolicy"), "may not be set for ExternalName services");
	if (n && name[n - 1] == '.')
		name[n - 1] = '\0';
	if (*name)
		check_dns_subdomain(out, AT(at, "externalName"), name);
	else
		refuse_required(out, AT(at, "externalName"), "");
}

static void
check_type(struct causes *out, const struct path *at, const json_t *obj)
{
	enum { KUBELET_PORT = 10250 };
	const char *type = text(obj, "spec", "type");
	bool balanced = service_is(obj, "LoadBalancer");
	size_t i;
	json_t *p;

	if (balanced)
		json_array_foreach (get(obj, "spec", "ports"), i, p)
			if (num(json_object_get(p, "port"), 0) == KUBELET_PORT)
				refuse_number(out, ITEM(AT(at, "ports"), i), KUBELET_PORT,
				    "may not expose port %d externally since it is used by kubelet",
				    KUBELET_PORT);
	if ((balanced || service_is(obj, "NodePort")) && service_headless(obj))
		refuse_text(out, ITEM(AT(at, "clusterIPs"), 0), "None",
		    "may not be set to 'None' for %s services", type);
	if (service_is(obj, "ExternalName"))
		check_external_name(out, at, json_object_get(obj, "spec"));
}

/* --- addresses -------------------------------------------------------------------------------- */

static bool
is_v6(const char *ip)
{
	uint8_t byte[16];

	return ip_bytes(ip, byte) == 128;
}

static void
check_families(struct causes *out, const struct path *at, const json_t *families)
{
	static const char *const known[] = { "IPv4", "IPv6", NULL };
	json_auto_t *seen = json_object();
	size_t i;
	json_t *family;

	json_array_foreach (families, i, family) {
		const char *name = str(family, "");

		if (strcmp(name, "IPv4") && strcmp(name, "IPv6"))
			refuse_unsupported(out, ITEM(at, i), name, known);
		check_unique(out, ITEM(at, i), seen, name);
	}
}

/* Each alone; false when what follows would only repeat it. */
static bool
check_each_address(struct causes *out, const struct path *at, const json_t *ips)
{
	size_t n = json_array_size(ips), i;
	bool good = true;
	json_t *v;

	json_array_foreach (ips, i, v) {
		const char *ip = str(v, "");

		if (i == 0 && !strcmp(ip, "None")) {
			if (n > 1)
				refuse_value(
				    out, at, ips, "'None' must be the first and only value");
			good = good && n == 1;
			continue;
		}
		check_ip(out, ITEM(at, i), ip);
		good = good && ip_valid(ip);
	}
	if (n > 2)
		refuse_value(out, at, ips, "may only hold up to 2 values");
	return good;
}

static void
check_pairs(struct causes *out, const struct path *at, const json_t *ips, const json_t *families)
{
	size_t n = json_array_size(ips), v6 = 0, i;
	json_t *v;

	json_array_foreach (ips, i, v)
		v6 += is_v6(str(v, ""));
	if (n > 1 && (v6 > 1 || n - v6 > 1))
		refuse_value(out, at, ips, "may specify no more than one IP for each IP family");
	if (n == 1 && !strcmp(str(json_array_get(ips, 0), ""), "None"))
		return;
	json_array_foreach (ips, i, v) {
		const char *want = str(json_array_get(families, i), "");

		if (!strcmp(want, is_v6(str(v, "")) ? "IPv4" : "IPv6"))
			refuse_value(out, ITEM(at, i), v,
			    "expected an %s value as indicated by `ipFamilies[%zu]`", want, i);
	}
}

void
check_service_addresses(struct causes *out, const json_t *obj)
{
	static const char *const policies[] = { "PreferDualStack", "RequireDualStack",
		"SingleStack", NULL };
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *ips = json_object_get(spec, "clusterIPs");
	const json_t *families = json_object_get(spec, "ipFamilies");
	const struct path *up = AT(top, "spec"), *at = AT(up, "clusterIPs");
	const char *ip = text(spec, "clusterIP");
	json_auto_t *alone = json_pack("[s]", ip);

	if (service_is(obj, "ExternalName"))
		return;
	if (*ip && json_array_size(ips) && strcmp(str(json_array_get(ips, 0), ""), ip))
		refuse_value(out, at, ips, "first value must match `clusterIP`");
	else if (!*ip && json_array_size(ips))
		refuse_value(out, at, ips, "must be empty when `clusterIP` is not specified");
	check_families(out, AT(up, "ipFamilies"), families);
	check_one_of(out, up, spec, "ipFamilyPolicy", policies);
	if (*ip && !json_array_size(ips))
		ips = alone;
	if (check_each_address(out, at, ips))
		check_pairs(out, at, ips, families);
}

static void
check_external_ips(struct causes *out, const struct path *at, const json_t *ips)
{
	size_t i;
	json_t *ip;

	json_array_foreach (ips, i, ip) {
		check_ip(out, ITEM(at, i), str(ip, ""));
		check_reachable(out, ITEM(at, i), str(ip, ""));
	}
}

/* --- traffic ---------------------------------------------------------------------------------- */

static void
check_affinity(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const kinds[] = { "ClientIP", "None", NULL };
	const json_t *seconds = get(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds");
	json_int_t n = num(seconds, 1);
	const char *kind = text(spec, "sessionAffinity");

	check_required(out, at, spec, "sessionAffinity");
	check_one_of(out, at, spec, "sessionAffinity", kinds);
	if (!strcmp(kind, "None") && json_object_get(spec, "sessionAffinityConfig"))
		refuse_forbidden(out, AT(at, "sessionAffinityConfig"),
		    "must not be set when session affinity is None");
	if (strcmp(kind, "ClientIP"))
		return;
	if (n <= 0 || n > 86400)
		refuse_value(out,
		    AT(AT(AT(at, "sessionAffinityConfig"), "clientIP"), "timeoutSeconds"), seconds,
		    "must be greater than 0 and less than 86400");
}

static const char only_balanced[] = "may only be used when `type` is 'LoadBalancer'";

static void
check_class(struct causes *out, const json_t *obj)
{
	const json_t *class = get(obj, "spec", "loadBalancerClass");
	const struct path *at = AT(AT(top, "spec"), "loadBalancerClass");

	if (class && service_is(obj, "LoadBalancer"))
		check_qualified_name(out, at, str(class, ""));
	else if (class)
		refuse_forbidden(out, at, "%s", only_balanced);
}

/* The range stands in an annotation where nobody has moved it yet. */
static void
check_source_ranges(struct causes *out, const struct path *at, const json_t *obj)
{
	static const char key[] = "service.beta.kubernetes.io/load-balancer-source-ranges";
	const json_t *ranges = get(obj, "spec", "loadBalancerSourceRanges");
	const char *old = meta_annotation(obj, key);
	const struct path *where = json_array_size(ranges)
				       ? AT(at, "LoadBalancerSourceRanges")
				       : KEY(AT(AT(top, "metadata"), "annotations"), key);
	bool own = json_array_size(ranges) > 0;
	size_t i;
	json_t *v;

	if (!own && !old)
		return;
	if (!service_is(obj, "LoadBalancer"))
		refuse_forbidden(out, where, "%s", only_balanced);
	json_array_foreach (ranges, i, v) {
		const char *s = str(v, "") + strspn(str(v, ""), " \t");
		autofree char *one = xstrndup(s, strcspn(s, " \t"));

		check_cidr(out, ITEM(where, i), one);
	}
	for (const char *s = own ? "" : old; s[strspn(s, " ")]; s += *s == ',') {
		size_t n = strcspn(s, ",");
		const char *from = s + strspn(s, " ");
		autofree char *one = xstrndup(from, strcspn(from, ", "));

		check_cidr(out, where, one);
		s += n;
	}
}

/* What only a load balancer has. */
static void
check_balancer(struct causes *out, const struct path *at, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");

	check_source_ranges(out, at, obj);
	if (!service_is(obj, "LoadBalancer") &&
	    json_object_get(spec, "allocateLoadBalancerNodePorts"))
		refuse_forbidden(out, AT(at, "allocateLoadBalancerNodePorts"), "%s", only_balanced);
	check_class(out, obj);
}

static void
check_traffic(struct causes *out, const struct path *at, const json_t *obj)
{
	static const char *const policies[] = { "Cluster", "Local", NULL };
	static const char *const nearness[] = { "PreferClose", "PreferSameNode", "PreferSameZone",
		NULL };
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *health = json_object_get(spec, "healthCheckNodePort");
	const char *policy = text(spec, "externalTrafficPolicy");
	bool balanced = service_is(obj, "LoadBalancer");
	bool outside =
	    balanced || service_is(obj, "NodePort") ||
	    (service_is(obj, "ClusterIP") && json_array_size(json_object_get(spec, "externalIPs")));

	if (*policy && !outside)
		refuse_text(out, AT(at, "externalTrafficPolicy"), policy,
		    "may only be set for externally-accessible services");
	else if (outside && check_required(out, at, spec, "externalTrafficPolicy"))
		check_one_of(out, at, spec, "externalTrafficPolicy", policies);
	if (num(health, 0) && !(balanced && !strcmp(policy, "Local")))
		refuse_value(out, AT(at, "healthCheckNodePort"), health,
		    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is "
		    "'Local'");
	else if (num(health, 0))
		check_port(out, AT(at, "healthCheckNodePort"), num(health, 0));
	if (!service_is(obj, "ExternalName"))
		check_required(out, at, spec, "internalTrafficPolicy");
	check_one_of(out, at, spec, "internalTrafficPolicy", policies);
	check_one_of(out, at, spec, "trafficDistribution", nearness);
}

/* The older and the newer name of one annotation. */
static void
check_topology(struct causes *out, const json_t *obj)
{
	static const char older[] = "service.kubernetes.io/topology-aware-hints";
	static const char newer[] = "service.kubernetes.io/topology-mode";
	const char *was = meta_annotation(obj, older), *is = meta_annotation(obj, newer);

	if (was && is && strcmp(was, is))
		refuse_text(out, KEY(AT(AT(top, "metadata"), "annotations"), newer), is,
		    "must match annotations[%s] when both are specified", older);
}

void
service_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec"), *ports = json_object_get(spec, "ports");
	static const char *const types[] = { "ClusterIP", "ExternalName", "LoadBalancer",
		"NodePort", NULL };
	const struct path *at = AT(top, "spec");
	json_auto_t *names = json_object();
	size_t i;
	json_t *p;

	check_topology(out, obj);
	if (!json_array_size(ports) && !service_is(obj, "ExternalName") && !service_headless(obj))
		refuse_required(out, AT(at, "ports"), "");
	check_type(out, at, obj);
	json_array_foreach (ports, i, p)
		check_service_port(
		    out, ITEM(AT(at, "ports"), i), p, json_array_size(ports) > 1, names);
	check_labels(out, AT(at, "selector"), json_object_get(spec, "selector"));
	check_affinity(out, at, spec);
	check_service_addresses(out, obj);
	check_external_ips(out, AT(at, "externalIPs"), json_object_get(spec, "externalIPs"));
	check_one_of(out, at, spec, "type", types);
	check_node_ports(out, AT(at, "ports"), obj);
	check_ports(out, AT(at, "ports"), obj);
	check_balancer(out, at, obj);
	check_traffic(out, at, obj);
}

/* --- changes ---------------------------------------------------------------------------------- */

/*
 * The second address or family may come and go, the first stays: of clusterIPs ("clusterIP") and
 * of ipFamilies ("ipFamily").
 */
static void
check_lists(
    struct causes *out, const json_t *obj, const json_t *old, const char *field, const char *what)
{
	const json_t *now = get(obj, "spec", field), *was = get(old, "spec", field);
	size_t n = json_array_size(now), before = json_array_size(was);
	const struct path *at = AT(AT(top, "spec"), field);
	bool addresses = !strcmp(field, "clusterIPs");
	const json_t *shown = addresses || n == before ? now : get(obj, "spec", "clusterIPs");

	if (n < before && !json_array_size(get(obj, "spec", "clusterIPs")))
		refuse_value(out, ITEM(at, 0), now, "primary %s can not be unset", what);
	for (size_t i = 0; i < before && i < n && (i == 0 || n == before); i++)
		if (!json_equal(json_array_get(now, i), json_array_get(was, i)))
			refuse_value(
			    out, ITEM(at, addresses ? i : 0), shown, "may not change once set");
	if (before > n && n == 1 && strcmp(text(obj, "spec", "ipFamilyPolicy"), "SingleStack"))
		refuse_value(out, AT(AT(top, "spec"), "ipFamilyPolicy"),
		    get(obj, "spec", "ipFamilyPolicy"),
		    "must be set to 'SingleStack' when releasing the secondary %s", what);
}

static void
check_address_changes(struct causes *out, const json_t *obj, const json_t *old)
{
	bool headless = service_headless(obj);

	if (service_is(obj, "ExternalName") || service_is(old, "ExternalName"))
		return;
	if (!headless || !service_headless(old))
		check_lists(out, obj, old, "clusterIPs", "clusterIP");
	if (!headless && !service_headless(old))
		check_lists(out, obj, old, "ipFamilies", "ipFamily");
}

void
service_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *class = get(obj, "spec", "loadBalancerClass");

	check_address_changes(out, obj, old);
	if (service_is(obj, "LoadBalancer") && service_is(old, "LoadBalancer") &&
	    !same_value(class, get(old, "spec", "loadBalancerClass")))
		refuse_value(out, AT(AT(top, "spec"), "loadBalancerClass"), class,
		    "may not change once set");
	check_class(out, obj);
}

/* --- status ------------------------------------------------------------------------------------
 */

/* Where a load balancer says it can be reached. */
static void
check_ingress(struct causes *out, const struct path *at, const json_t *point)
{
	static const char *const modes[] = { "Proxy", "VIP", NULL };
	const char *ip = text(point, "ip"), *host = text(point, "hostname");

	if (*ip)
		check_ip(out, AT(at, "ip"), ip);
	if (*ip && !json_object_get(point, "ipMode"))
		refuse_required(out, AT(at, "ipMode"), "must be specified when `ip` is set");
	else if (!*ip && json_object_get(point, "ipMode"))
		refuse_forbidden(
		    out, AT(at, "ipMode"), "may not be specified when `ip` is not set");
	else
		check_one_of(out, at, point, "ipMode", modes);
	if (!*host)
		return;
	check_dns_subdomain(out, AT(at, "hostname"), host);
	if (ip_valid(host))
		refuse_text(out, AT(at, "hostname"), host, "must be a DNS name, not an IP address");
}

void
service_status(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *points = get(obj, "status", "loadBalancer", "ingress");
	const struct path *at = AT(AT(AT(top, "status"), "loadBalancer"), "ingress");
	size_t i;
	json_t *point;

	if (same_value(points, get(old, "status", "loadBalancer", "ingress")))
		return;
	if (json_array_size(points) && !service_is(obj, "LoadBalancer")) {
		refuse_forbidden(out, at, "may only be used when `spec.type` is 'LoadBalancer'");
		return;
	}
	json_array_foreach (points, i, point)
		check_ingress(out, ITEM(at, i), point);
}
