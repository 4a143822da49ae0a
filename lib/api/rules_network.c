/* Endpoints, EndpointSlice, Ingress, IngressClass, NetworkPolicy, ServiceCIDR. */
#include <stdlib.h>
#include <string.h>

#include "api/rules.h"
#include "base/mem.h"

static const struct path *const top = NULL;

static void
check_address(struct causes *out, const struct path *at, const char *ip)
{
	check_ip(out, at, ip);
	if (!ip_valid(ip)) /* Kubernetes asks twice */
		refuse_text(out, at, ip, "must be a valid IP address");
	check_reachable(out, at, ip);
}

/* --- Endpoints and EndpointSlice ------------------------------------------------------ */

static void
check_endpoint_ports(struct causes *out, const struct path *at, const json_t *ports)
{
	size_t i;
	json_t *p;

	json_array_foreach (ports, i, p) {
		if (json_array_size(ports) > 1 && !*text(p, "name"))
			refuse_required(out, AT(ITEM(at, i), "name"), "");
		else if (*text(p, "name"))
			check_dns_label(out, AT(ITEM(at, i), "name"), text(p, "name"));
		check_port(out, AT(ITEM(at, i), "port"), num(json_object_get(p, "port"), 0));
	}
}

void
endpoints_create(struct causes *out, const json_t *obj)
{
	static const char *const lists[] = { "addresses", "notReadyAddresses" };
	size_t i, j;
	json_t *subset, *address;

	json_array_foreach (json_object_get(obj, "subsets"), i, subset) {
		const struct path *at = ITEM(AT(top, "subsets"), i);

		for (size_t l = 0; l < COUNT(lists); l++)
			json_array_foreach (json_object_get(subset, lists[l]), j, address)
				check_address(
				    out, AT(ITEM(AT(at, lists[l]), j), "ip"), text(address, "ip"));
		check_endpoint_ports(out, AT(at, "ports"), json_object_get(subset, "ports"));
	}
}

static void
check_endpoint(struct causes *out, const struct path *at, const json_t *endpoint, const char *type)
{
	const json_t *addresses = json_object_get(endpoint, "addresses");
	bool v4 = !strcmp(type, "IPv4"), v6 = !strcmp(type, "IPv6");
	size_t i;
	json_t *a;

	if (!json_array_size(addresses))
		refuse_required(out, AT(at, "addresses"), "must contain at least 1 endpoint");
	if (json_array_size(addresses) > 100)
		refuse_too_many(out, AT(at, "addresses"), json_array_size(addresses), 100);
	json_array_foreach (addresses, i, a) {
		const char *ip = str(a, "");
		bool colon = strchr(ip, ':');

		if (!v4 && !v6)
			check_dns_subdomain(out, ITEM(AT(at, "addresses"), i), ip);
		else if (!ip_valid(ip) || colon == v4)
			refuse_text(out, AT(at, "addresses"), ip, "must be an %s address",
			    v4 ? "IPv4" : "IPv6");
		if (v4 || v6)
			check_reachable(out, ITEM(AT(at, "addresses"), i), ip);
	}
}

void
endpoint_slice_create(struct causes *out, const json_t *obj)
{
	const json_t *endpoints = json_object_get(obj, "endpoints"),
		     *ports = json_object_get(obj, "ports");
	json_auto_t *names = json_object();
	size_t i;
	json_t *item;

	if (json_array_size(endpoints) > 1000)
		refuse_too_many(out, AT(top, "endpoints"), json_array_size(endpoints), 1000);
	json_array_foreach (endpoints, i, item)
		check_endpoint(out, ITEM(AT(top, "endpoints"), i), item, text(obj, "addressType"));
	json_array_foreach (ports, i, item) {
		const struct path *at = AT(ITEM(AT(top, "ports"), i), "name");

		if (*text(item, "name"))
			check_dns_label(out, at, text(item, "name"));
		check_unique(out, at, names, text(item, "name"));
	}
}

void
endpoint_slice_update(struct causes *out, const json_t *obj, const json_t *old)
{
	check_immutable(out, AT(top, "addressType"), json_object_get(obj, "addressType"),
	    json_object_get(old, "addressType"));
}

/* --- Ingress ----------------------------------------------------------------------------- */

static void
check_backend(struct causes *out, const struct path *at, const json_t *backend)
{
	const json_t *service = json_object_get(backend, "service");
	const json_t *resource = json_object_get(backend, "resource");
	const json_t *port = json_object_get(service, "port");
	json_int_t number = num(json_object_get(port, "number"), 0);

	if (service && resource) {
		refuse_text(out, at, "", "cannot set both resource and service backends");
	} else if (service) {
		if (check_required(out, AT(at, "service"), service, "name"))
			check_dns_1035(out, AT(AT(at, "service"), "name"), text(service, "name"));
		if (number && *text(port, "name"))
			refuse_text(out, at, "", "cannot set both port name & port number");
		else if (number)
			check_port(out, AT(AT(AT(at, "service"), "port"), "number"), number);
		else if (*text(port, "name"))
			check_port_name(
			    out, AT(AT(AT(at, "service"), "port"), "name"), text(port, "name"));
		else
			refuse_required(out, at, "port name or number is required");
	} else if (!resource) {
		refuse_required(out, at, "resource or service backend is required");
	}
}

static void
check_http_path(struct causes *out, const struct path *up, const json_t *p)
{
	static const char *const odd[] = { "//", "/./", "/../", "%2f", "%2F" };
	static const char *const ends[] = { "/..", "/." };
	const char *path = text(p, "path"), *type = text(p, "pathType");
	const struct path *at = AT(up, "path");
	size_t n = strlen(path);

	if (!strcmp(type, "Exact") || !strcmp(type, "Prefix")) {
		if (*path != '/')
			refuse_text(out, at, path, "must be an absolute path");
		for (size_t i = 0; i < COUNT(odd); i++)
			if (strstr(path, odd[i]))
				refuse_text(out, at, path, "must not contain '%s'", odd[i]);
		for (size_t i = 0; i < COUNT(ends); i++)
			if (n >= strlen(ends[i]) && !strcmp(path + n - strlen(ends[i]), ends[i]))
				refuse_text(out, at, path, "cannot end with '%s'", ends[i]);
	} else if (!*type) {
		refuse_required(out, AT(up, "pathType"), "pathType must be specified");
	} else if (*path && *path != '/') {
		refuse_text(out, at, path, "must be an absolute path");
	}
	check_backend(out, AT(up, "backend"), json_object_get(p, "backend"));
}

static void
check_ingress_rule(struct causes *out, const struct path *at, const json_t *rule)
{
	const char *host = text(rule, "host");
	const json_t *http = json_object_get(rule, "http"), *paths = json_object_get(http, "paths");
	size_t i;
	json_t *p;

	if (ip_valid(host))
		refuse_text(out, AT(at, "host"), host, "must be a DNS name, not an IP address");
	else if (strchr(host, '*'))
		check_wildcard(out, AT(at, "host"), host);
	else if (*host)
		check_dns_subdomain(out, AT(at, "host"), host);
	if (http && !json_array_size(paths))
		refuse_required(out, AT(AT(at, "http"), "paths"), "");
	json_array_foreach (paths, i, p)
		check_http_path(out, ITEM(AT(AT(at, "http"), "paths"), i), p);
}

static void
check_tls(struct causes *out, const struct path *at, const json_t *tls)
{
	size_t i;
	json_t *host;

	json_array_foreach (json_object_get(tls, "hosts"), i, host) {
		if (strchr(str(host, ""), '*'))
			check_wildcard(out, ITEM(AT(at, "hosts"), i), str(host, ""));
		else
			check_dns_subdomain(out, ITEM(AT(at, "hosts"), i), str(host, ""));
	}
	if (*text(tls, "secretName"))
		check_dns_subdomain(out, AT(at, "secretName"), text(tls, "secretName"));
}

void
ingress_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec"), *rules = json_object_get(spec, "rules");
	const json_t *backend = json_object_get(spec, "defaultBackend");
	const struct path *at = AT(top, "spec");
	json_auto_t *none = json_array();
	size_t i;
	json_t *item;

	if (!json_array_size(rules) && !backend)
		refuse_value(out, at, none, "either `defaultBackend` or `rules` must be specified");
	if (backend)
		check_backend(out, AT(at, "defaultBackend"), backend);
	json_array_foreach (rules, i, item)
		check_ingress_rule(out, ITEM(AT(at, "rules"), i), item);
	json_array_foreach (json_object_get(spec, "tls"), i, item)
		check_tls(out, ITEM(AT(at, "tls"), i), item);
	if (*text(spec, "ingressClassName"))
		check_dns_subdomain(
		    out, AT(at, "ingressClassName"), text(spec, "ingressClassName"));
}

void
ingress_class_create(struct causes *out, const json_t *obj)
{
	const json_t *p = get(obj, "spec", "parameters");
	const struct path *at = AT(AT(top, "spec"), "parameters");
	bool in_namespace = !strcmp(text(p, "scope"), "Namespace");

	if (!json_is_object(p))
		return;
	check_required(out, at, p, "kind");
	check_required(out, at, p, "name");
	if (in_namespace && !*text(p, "namespace"))
		refuse_required(
		    out, AT(at, "namespace"), "`parameters.scope` is set to 'Namespace'");
	else if (!in_namespace && *text(p, "namespace"))
		refuse_forbidden(
		    out, AT(at, "namespace"), "`parameters.scope` is set to 'Cluster'");
}

/* --- NetworkPolicy ------------------------------------------------------------------------- */

static void
check_ip_block(struct causes *out, const struct path *at, const json_t *block)
{
	const char *cidr = text(block, "cidr");
	size_t i;
	json_t *e;

	if (!*cidr) {
		refuse_required(out, AT(at, "cidr"), "");
		return;
	}
	check_cidr(out, AT(at, "cidr"), cidr);
	json_array_foreach (json_object_get(block, "except"), i, e) {
		const char *part = str(e, "");
		size_t before = out->n;

		check_cidr(out, ITEM(AT(at, "except"), i), part);
		if (out->n == before && cidr_valid(cidr) && !cidr_inside(part, cidr))
			refuse_text(out, ITEM(AT(at, "except"), i), part,
			    "must be a strict subset of `cidr`");
	}
}

static void
check_peer(struct causes *out, const struct path *at, const json_t *peer)
{
	static const char *const selectors[] = { "podSelector", "namespaceSelector" };
	const json_t *block = json_object_get(peer, "ipBlock");
	size_t n = 0;

	for (size_t i = 0; i < COUNT(selectors); i++) {
		const json_t *s = json_object_get(peer, selectors[i]);

		n += !!s;
		check_label_selector(out, AT(at, selectors[i]), s);
	}
	if (block)
		check_ip_block(out, AT(at, "ipBlock"), block);
	if (block && n)
		refuse_forbidden(out, at, "may not specify both ipBlock and another peer");
	else if (!block && !n)
		refuse_required(out, at, "must specify a peer");
}

static void
check_policy_port(struct causes *out, const struct path *at, const json_t *p)
{
	const json_t *port = json_object_get(p, "port"), *end = json_object_get(p, "endPort");

	check_port_or_name(out, AT(at, "port"), port);
	if (!json_is_integer(end))
		return;
	if (!port)
		refuse_value(out, AT(at, "endPort"), end,
		    "may not be specified when `port` is not specified");
	else if (!json_is_integer(port))
		refuse_value(
		    out, AT(at, "endPort"), end, "may not be specified when `port` is non-numeric");
	else if (json_integer_value(end) < json_integer_value(port))
		refuse_value(
		    out, AT(at, "endPort"), port, "must be greater than or equal to `port`");
}

static void
check_policy_rules(
    struct causes *out, const struct path *at, const json_t *rules, const char *peers)
{
	size_t i, j;
	json_t *rule, *item;

	json_array_foreach (rules, i, rule) {
		json_array_foreach (json_object_get(rule, "ports"), j, item)
			check_policy_port(out, ITEM(AT(ITEM(at, i), "ports"), j), item);
		json_array_foreach (json_object_get(rule, peers), j, item)
			check_peer(out, ITEM(AT(ITEM(at, i), peers), j), item);
	}
}

void
network_policy_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(top, "spec");

	check_label_selector(out, AT(at, "podSelector"), json_object_get(spec, "podSelector"));
	check_policy_rules(out, AT(at, "ingress"), json_object_get(spec, "ingress"), "from");
	check_policy_rules(out, AT(at, "egress"), json_object_get(spec, "egress"), "to");
}

/* --- ServiceCIDR, IPAddress ------------------------------------------------------------------ */

void
service_cidr_create(struct causes *out, const json_t *obj)
{
	const json_t *cidrs = get(obj, "spec", "cidrs");
	const struct path *at = AT(AT(top, "spec"), "cidrs");
	size_t n = json_array_size(cidrs), i, v6 = 0;
	json_t *c;

	if (!n)
		refuse_required(out, at, "at least one CIDR required");
	json_array_foreach (cidrs, i, c)
		v6 += !!strchr(str(c, ""), ':');
	if (n > 2 || v6 > 1 || n - v6 > 1)
		refuse_value(out, at, cidrs,
		    "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and "
		    "2001:db8::/64");
	json_array_foreach (cidrs, i, c)
		check_network(out, ITEM(at, i), str(c, ""));
}

/* Nothing changes but that a second family may come. */
void
service_cidr_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *now = get(obj, "spec", "cidrs"), *before = get(old, "spec", "cidrs");
	size_t n = json_array_size(now), had = json_array_size(before);
	const struct path *at = AT(AT(top, "spec"), "cidrs");

	if (n != had && !(had == 1 && n == 2)) {
		refuse_value(out, at, now, "field is immutable");
		return;
	}
	for (size_t i = 0; i < had; i++)
		check_immutable(
		    out, ITEM(at, i), json_array_get(now, i), json_array_get(before, i));
}

void
ip_address_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *ref = get(obj, "spec", "parentRef");
	json_auto_t *whole = json_pack("{s:s, s:s, s:s, s:s}", "Group", text(ref, "group"),
	    "Resource", text(ref, "resource"), "Namespace", text(ref, "namespace"), "Name",
	    text(ref, "name"));

	if (!same_value(ref, get(old, "spec", "parentRef")))
		refuse_value(out, AT(AT(top, "spec"), "parentRef"), whole, "field is immutable");
}
