/* What may not be meant in what moves packets. */
#include <string.h>

#include "api/meta.h"
#include "api/schema.h"
#include "api/warn.h"
#include "base/text.h"

static void
warn_ips(struct causes *out, const struct path *at, const json_t *list)
{
	json_t *ip;
	size_t i;

	json_array_foreach (list, i, ip)
		warn_ip(out, ITEM(at, i), str(ip, ""));
}

/* --- Services --- */

static void
warn_headless(struct causes *out, const json_t *spec)
{
	if (*text(spec, "loadBalancerIP"))
		warn_plain(out, "spec.loadBalancerIP is ignored for headless services");
	if (json_array_size(get(spec, "externalIPs")) > 0)
		warn_plain(out, "spec.externalIPs is ignored for headless services");
	if (strcmp(text(spec, "sessionAffinity"), "None") != 0)
		warn_plain(out, "spec.SessionAffinity is ignored for headless services");
}

static void
warn_external(struct causes *out, const json_t *spec)
{
	bool external = strcmp(text(spec, "type"), "ExternalName") == 0;

	if (external && json_array_size(get(spec, "externalIPs")) > 0)
		warn_plain(out, "spec.externalIPs is ignored when spec.type is \"ExternalName\"");
	if (!external && *text(spec, "externalName"))
		warn_plain(
		    out, "spec.externalName is ignored when spec.type is not \"ExternalName\"");
}

void
warn_service(struct causes *out, const json_t *obj)
{
	const struct path *at = AT(NULL, "spec");
	const json_t *spec = get(obj, "spec");
	const char *ip = text(spec, "clusterIP");
	bool headless = strcmp(ip, "None") == 0 && strcmp(text(spec, "type"), "ClusterIP") == 0;
	json_t *v;
	size_t i;

	if (meta_annotation(obj, "service.kubernetes.io/topology-aware-hints"))
		warn_plain(out, "annotation service.kubernetes.io/topology-aware-hints is "
				"deprecated, please use service.kubernetes.io/topology-mode "
				"instead");
	if (*ip && strcmp(ip, "None") != 0)
		warn_ips(out, AT(at, "clusterIPs"), get(spec, "clusterIPs"));
	if (headless)
		warn_headless(out, spec);
	warn_ips(out, AT(at, "externalIPs"), get(spec, "externalIPs"));
	if (*text(spec, "loadBalancerIP"))
		warn_ip(out, AT(at, "loadBalancerIP"), text(spec, "loadBalancerIP"));
	json_array_foreach (get(spec, "loadBalancerSourceRanges"), i, v)
		warn_cidr(out, ITEM(AT(at, "loadBalancerSourceRanges"), i), str(v, ""));
	warn_external(out, spec);
}

/* --- endpoints --- */

static void
warn_subset(struct causes *out, const struct path *at, const json_t *subset, const char *list)
{
	json_t *address;
	size_t i;

	json_array_foreach (get(subset, list), i, address)
		warn_ip(out, AT(ITEM(AT(at, list), i), "ip"), text(address, "ip"));
}

/* Kubernetes' own loops write addresses well; that the objects are theirs, a label says. */
static bool
of_loop(const json_t *obj, const char *label, const char *const *loops)
{
	return text_in(text(obj, "metadata", "labels", label), loops);
}

void
warn_endpoints(struct causes *out, const json_t *obj)
{
	static const char *const loops[] = { "endpoint-controller", NULL };
	json_t *subset;
	size_t i;

	if (of_loop(obj, "endpoints.kubernetes.io/managed-by", loops))
		return;
	json_array_foreach (get(obj, "subsets"), i, subset) {
		const struct path *at = ITEM(AT(NULL, "subsets"), i);

		warn_subset(out, at, subset, "addresses");
		warn_subset(out, at, subset, "notReadyAddresses");
	}
}

void
warn_slice(struct causes *out, const json_t *obj)
{
	static const char *const loops[] = { "endpointslice-controller.k8s.io",
		"endpointslicemirroring-controller.k8s.io", NULL };
	const char *type = text(obj, "addressType");
	json_t *endpoint;
	size_t i;

	if ((strcmp(type, "IPv4") != 0 && strcmp(type, "IPv6") != 0) ||
	    of_loop(obj, "endpointslice.kubernetes.io/managed-by", loops))
		return;
	json_array_foreach (get(obj, "endpoints"), i, endpoint)
		warn_ips(out, AT(ITEM(AT(NULL, "endpoints"), i), "addresses"),
		    get(endpoint, "addresses"));
}

void
warn_new_slice(struct causes *out, const json_t *obj)
{
	if (strcmp(text(obj, "addressType"), "FQDN") == 0)
		warn_plain(out, "spec.addressType: FQDN endpoints are deprecated");
	warn_slice(out, obj);
}

/* --- Ingress, NetworkPolicy --- */

void
warn_ingress(struct causes *out, const json_t *obj)
{
	if (meta_annotation(obj, "kubernetes.io/ingress.class"))
		warn_plain(out, "annotation \"kubernetes.io/ingress.class\" is deprecated, please "
				"use 'spec.ingressClassName' instead");
}

static void
warn_peers(struct causes *out, const struct path *at, const json_t *peers)
{
	json_t *peer, *v;
	size_t i, k;

	json_array_foreach (peers, i, peer) {
		const struct path *block = AT(ITEM(at, i), "ipBlock");

		if (!get(peer, "ipBlock"))
			continue;
		warn_cidr(out, AT(block, "cidr"), text(peer, "ipBlock", "cidr"));
		json_array_foreach (get(peer, "ipBlock", "except"), k, v)
			warn_cidr(out, ITEM(AT(block, "except"), k), str(v, ""));
	}
}

void
warn_network_policy(struct causes *out, const json_t *obj)
{
	const struct path *spec = AT(NULL, "spec");
	json_t *rule;
	size_t i;

	json_array_foreach (get(obj, "spec", "ingress"), i, rule)
		warn_peers(out, AT(ITEM(AT(spec, "ingress"), i), "from"), get(rule, "from"));
	json_array_foreach (get(obj, "spec", "egress"), i, rule)
		warn_peers(out, AT(ITEM(AT(spec, "egress"), i), "to"), get(rule, "to"));
}

/* --- statuses --- */

static void
warn_field_ips(struct causes *out, const json_t *obj, const char *list)
{
	json_t *item;
	size_t i;

	json_array_foreach (get(obj, "status", list), i, item)
		warn_ip(out, AT(ITEM(AT(AT(NULL, "status"), list), i), "ip"), text(item, "ip"));
}

void
warn_status(const struct kind *k, const json_t *obj, struct causes *out)
{
	const struct path *at = AT(AT(AT(NULL, "status"), "loadBalancer"), "ingress");
	bool service = strcmp(k->kind, "Service") == 0;
	json_t *item;
	size_t i;

	if (strcmp(k->kind, "Pod") == 0) {
		warn_field_ips(out, obj, "podIPs");
		warn_field_ips(out, obj, "hostIPs");
		return;
	}
	if (!service && strcmp(k->kind, "Ingress") != 0)
		return;
	json_array_foreach (get(obj, "status", "loadBalancer", "ingress"), i, item)
		if (*text(item, "ip"))
			warn_ip(
			    out, service ? ITEM(at, i) : AT(ITEM(at, i), "ip"), text(item, "ip"));
}
