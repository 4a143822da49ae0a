/* Ingress, IngressClass, NetworkPolicy, ServiceCIDR, IPAddress (Kubernetes:
 * pkg/apis/networking/validation). */
#include <stdlib.h>
#include <string.h>

#include "api/rules.h"
#include "api/shown.h"
#include "base/mem.h"
#include "base/text.h"

static const struct path *const top = NULL;

/* --- Ingress ----------------------------------------------------------------------------- */

/* An object of any kind, near by. */
static void
check_object(struct causes *out, const struct path *at, const json_t *ref)
{
	static const char *const keys[] = { "kind", "name" };

	if (json_object_get(ref, "apiGroup"))
		check_dns_subdomain(out, AT(at, "apiGroup"), text(ref, "apiGroup"));
	for (size_t i = 0; i < COUNT(keys); i++)
		if (check_required(out, at, ref, keys[i]))
			check_path_segment(out, AT(at, keys[i]), text(ref, keys[i]));
}

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
	} else if (resource) {
		check_object(out, AT(at, "resource"), resource);
	} else {
		refuse_text(out, at, "", "resource or service backend is required");
	}
}

static void
check_http_path(struct causes *out, const struct path *up, const json_t *p)
{
	static const char *const odd[] = { "//", "/./", "/../", "%2f", "%2F" };
	static const char *const ends[] = { "/..", "/." };
	static const char *const types[] = { "Exact", "ImplementationSpecific", "Prefix", NULL };
	const char *path = text(p, "path"), *type = text(p, "pathType");
	const struct path *at = AT(up, "path");
	size_t n = strlen(path);

	if (!json_object_get(p, "pathType")) {
		refuse_required(out, AT(up, "pathType"), "pathType must be specified");
		return;
	}
	if (!text_in(type, types))
		refuse_unsupported(out, AT(up, "pathType"), type, types);
	if (!strcmp(type, "Exact") || !strcmp(type, "Prefix")) {
		if (*path != '/')
			refuse_text(out, at, path, "must be an absolute path");
		for (size_t i = 0; i < COUNT(odd); i++)
			if (strstr(path, odd[i]))
				refuse_text(out, at, path, "must not contain '%s'", odd[i]);
		for (size_t i = 0; i < COUNT(ends); i++)
			if (n >= strlen(ends[i]) && !strcmp(path + n - strlen(ends[i]), ends[i]))
				refuse_text(out, at, path, "cannot end with '%s'", ends[i]);
	} else if (text_in(type, types) && *path && *path != '/') {
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
	if (strchr(host, '*'))
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

static void
check_ingress(struct causes *out, const json_t *spec)
{
	const json_t *rules = json_object_get(spec, "rules");
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
	if (json_object_get(spec, "ingressClassName"))
		check_dns_subdomain(
		    out, AT(at, "ingressClassName"), text(spec, "ingressClassName"));
}

void
ingress_spec(struct causes *out, const json_t *obj)
{
	check_ingress(out, json_object_get(obj, "spec"));
}

void
ingress_create(struct causes *out, const json_t *obj)
{
	static const char class[] = "kubernetes.io/ingress.class";
	const json_t *name = get(obj, "spec", "ingressClassName");
	const char *note = meta_annotation(obj, class);

	check_ingress(out, json_object_get(obj, "spec"));
	if (note && name && strcmp(note, str(name, "")) != 0)
		refuse_text(out, AT(AT(top, "annotations"), class), note,
		    "must match `ingressClassName` when both are specified");
}

/* --- IngressClass -------------------------------------------------------------------------- */

static void
check_parameters(struct causes *out, const struct path *at, const json_t *p)
{
	static const char *const scopes[] = { "Cluster", "Namespace", NULL };
	const char *scope = text(p, "scope");
	const json_t *ns = json_object_get(p, "namespace");

	check_object(out, at, p);
	if (!json_object_get(p, "scope"))
		refuse_required(out, AT(at, "scope"), "");
	else if (!text_in(scope, scopes))
		refuse_unsupported(out, AT(at, "scope"), scope, scopes);
	else if (!strcmp(scope, "Namespace") && !ns)
		refuse_required(
		    out, AT(at, "namespace"), "`parameters.scope` is set to 'Namespace'");
	else if (!strcmp(scope, "Namespace"))
		check_dns_label(out, AT(at, "namespace"), str(ns, ""));
	else if (ns)
		refuse_forbidden(
		    out, AT(at, "namespace"), "`parameters.scope` is set to 'Cluster'");
}

void
ingress_class_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(top, "spec");

	if (strlen(text(spec, "controller")) > 250)
		refuse_too_long(out, AT(at, "controller"), 250);
	check_prefixed_path(out, AT(at, "controller"), text(spec, "controller"));
	if (json_object_get(spec, "parameters"))
		check_parameters(out, AT(at, "parameters"), json_object_get(spec, "parameters"));
}

void
ingress_class_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const char *controller = text(obj, "spec", "controller");

	if (strcmp(controller, text(old, "spec", "controller")) != 0)
		refuse_text(
		    out, AT(AT(top, "spec"), "controller"), controller, "field is immutable");
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
	static const char *const protocols[] = { "TCP", "UDP", "SCTP", NULL };
	const json_t *port = json_object_get(p, "port"), *end = json_object_get(p, "endPort");

	if (json_object_get(p, "protocol") && !text_in(text(p, "protocol"), protocols))
		refuse_unsupported(out, AT(at, "protocol"), text(p, "protocol"), protocols);
	check_port_or_name(out, AT(at, "port"), port);
	if (!json_is_integer(end))
		return;
	if (json_is_integer(port))
		check_port(out, AT(at, "endPort"), json_integer_value(end));
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

static void
check_policy_types(struct causes *out, const struct path *at, const json_t *types)
{
	static const char *const known[] = { "Ingress", "Egress", NULL };
	size_t i;
	json_t *type;

	if (json_array_size(types) > 2) {
		refuse_value(out, at, types, "may not specify more than two policyTypes");
		return;
	}
	json_array_foreach (types, i, type)
		if (!text_in(str(type, ""), known))
			refuse_unsupported(out, ITEM(at, i), str(type, ""), known);
}

void
network_policy_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(top, "spec");

	check_label_selector(out, AT(at, "podSelector"), json_object_get(spec, "podSelector"));
	check_policy_rules(out, AT(at, "ingress"), json_object_get(spec, "ingress"), "from");
	check_policy_rules(out, AT(at, "egress"), json_object_get(spec, "egress"), "to");
	check_policy_types(out, AT(at, "policyTypes"), json_object_get(spec, "policyTypes"));
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
	if (n > 2) {
		refuse_value(out, at, cidrs, "may only hold up to 2 values");
		return;
	}
	if (v6 > 1 || n - v6 > 1) {
		refuse_value(out, at, cidrs,
		    "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and "
		    "2001:db8::/64");
		return;
	}
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
ip_address_create(struct causes *out, const json_t *obj)
{
	static const char *const keys[] = { "resource", "name" };
	const json_t *ref = get(obj, "spec", "parentRef");
	const struct path *at = AT(AT(top, "spec"), "parentRef");

	if (!ref) {
		refuse_required(out, at, "");
		return;
	}
	if (*text(ref, "group"))
		check_dns_subdomain(out, AT(at, "group"), text(ref, "group"));
	for (size_t i = 0; i < COUNT(keys); i++)
		if (check_required(out, at, ref, keys[i]))
			check_path_segment(out, AT(at, keys[i]), text(ref, keys[i]));
	if (*text(ref, "namespace"))
		check_path_segment(out, AT(at, "namespace"), text(ref, "namespace"));
}

void
ip_address_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *ref = get(obj, "spec", "parentRef");

	if (!same_value(ref, get(old, "spec", "parentRef")))
		refuse_shown(out, AT(AT(top, "spec"), "parentRef"), "networking.v1.ParentReference",
		    ref, "field is immutable");
}
