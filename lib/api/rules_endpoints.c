/* Endpoints and EndpointSlice (Kubernetes: pkg/apis/core and discovery/validation). */
#include <string.h>

#include "api/rules.h"
#include "base/mem.h"
#include "base/text.h"

static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };

/* --- Endpoints ------------------------------------------------------------------------------ */

static void
check_address(struct causes *out, const struct path *at, const json_t *address)
{
	const char *ip = text(address, "ip");

	check_ip(out, AT(at, "ip"), ip);
	if (*text(address, "hostname"))
		check_dns_label(out, AT(at, "hostname"), text(address, "hostname"));
	if (json_object_get(address, "nodeName"))
		check_dns_subdomain(out, AT(at, "nodeName"), text(address, "nodeName"));
	if (!ip_valid(ip)) /* Kubernetes asks twice */
		refuse_text(out, AT(at, "ip"), ip, "must be a valid IP address");
	check_reachable(out, AT(at, "ip"), ip);
}

static void
check_endpoint_ports(struct causes *out, const struct path *up, const json_t *ports)
{
	size_t i;
	json_t *p;

	json_array_foreach (ports, i, p) {
		const struct path *at = ITEM(up, i);

		if (json_array_size(ports) > 1 && !*text(p, "name"))
			refuse_required(out, AT(at, "name"), "");
		else if (*text(p, "name"))
			check_dns_label(out, AT(at, "name"), text(p, "name"));
		check_port(out, AT(at, "port"), num(json_object_get(p, "port"), 0));
		if (check_required(out, at, p, "protocol"))
			check_one_of(out, at, p, "protocol", protocols);
		if (json_object_get(p, "appProtocol"))
			check_qualified_name(out, AT(at, "appProtocol"), text(p, "appProtocol"));
	}
}

void
endpoints_create(struct causes *out, const json_t *obj)
{
	static const char *const lists[] = { "addresses", "notReadyAddresses" };
	size_t i, j;
	json_t *subset, *address;

	json_array_foreach (json_object_get(obj, "subsets"), i, subset) {
		const struct path *at = ITEM(AT(NULL, "subsets"), i);

		if (!json_array_size(json_object_get(subset, lists[0])) &&
		    !json_array_size(json_object_get(subset, lists[1])))
			refuse_required(out, at, "must specify `addresses` or `notReadyAddresses`");
		for (size_t l = 0; l < COUNT(lists); l++)
			json_array_foreach (json_object_get(subset, lists[l]), j, address)
				check_address(out, ITEM(AT(at, lists[l]), j), address);
		check_endpoint_ports(out, AT(at, "ports"), json_object_get(subset, "ports"));
	}
}

/* --- EndpointSlice -------------------------------------------------------------------------- */

static void
check_addresses(
    struct causes *out, const struct path *at, const json_t *addresses, const char *type)
{
	bool v4 = !strcmp(type, "IPv4"), v6 = !strcmp(type, "IPv6");
	size_t i;
	json_t *a;

	if (!json_array_size(addresses))
		refuse_required(out, at, "must contain at least 1 address");
	if (json_array_size(addresses) > 100)
		refuse_too_many(out, at, json_array_size(addresses), 100);
	json_array_foreach (addresses, i, a) {
		const char *ip = str(a, "");
		bool colon = strchr(ip, ':');

		if (!strcmp(type, "FQDN"))
			check_domain(out, ITEM(at, i), ip, 2);
		else if ((v4 || v6) && (!ip_valid(ip) || colon == v4))
			refuse_text(out, at, ip, "must be an %s address", v4 ? "IPv4" : "IPv6");
		if ((v4 || v6) && !ip_valid(ip))
			refuse_text(out, ITEM(at, i), ip, "must be a valid IP address");
		if (v4 || v6)
			check_reachable(out, ITEM(at, i), ip);
	}
}

static void
check_hints(struct causes *out, const struct path *up, const json_t *hints, const char *list)
{
	const json_t *items = json_object_get(hints, list);
	json_auto_t *names = json_array_size(items) ? json_object() : NULL;
	size_t i;
	json_t *hint;

	if (json_array_size(items) > 8) {
		refuse_too_many(out, AT(up, list), json_array_size(items), 8);
		return;
	}
	json_array_foreach (items, i, hint) {
		const struct path *at = AT(ITEM(AT(up, list), i), "name");

		check_unique(out, at, names, text(hint, "name"));
		if (!strcmp(list, "forZones"))
			check_label_value(out, at, text(hint, "name"));
		else
			check_dns_subdomain(out, at, text(hint, "name"));
	}
}

static void
check_endpoint(struct causes *out, const struct path *at, const json_t *e, const char *type)
{
	const json_t *topology = json_object_get(e, "deprecatedTopology");
	const json_t *hints = json_object_get(e, "hints");

	check_addresses(out, AT(at, "addresses"), json_object_get(e, "addresses"), type);
	if (json_object_get(e, "nodeName"))
		check_dns_subdomain(out, AT(at, "nodeName"), text(e, "nodeName"));
	if (json_object_size(topology) > 16)
		refuse_too_many(out, AT(at, "deprecatedTopology"), json_object_size(topology), 16);
	check_labels(out, AT(at, "deprecatedTopology"), topology);
	if (json_object_get(e, "hostname"))
		check_dns_label(out, AT(at, "hostname"), text(e, "hostname"));
	check_hints(out, AT(at, "hints"), hints, "forZones");
	check_hints(out, AT(at, "hints"), hints, "forNodes");
}

static void
check_slice_ports(struct causes *out, const struct path *up, const json_t *ports)
{
	json_auto_t *names = json_object();
	bool any = false;
	size_t i;
	json_t *p;

	if (json_array_size(ports) > 20000) {
		refuse_too_many(out, up, json_array_size(ports), 20000);
		return;
	}
	json_array_foreach (ports, i, p) {
		const struct path *at = ITEM(up, i);
		const char *name = text(p, "name");

		if (*name)
			check_dns_label(out, AT(at, "name"), name);
		if (*name ? repeats(names, name) : any)
			refuse_duplicate(out, AT(at, "name"), name);
		any |= !*name;
		if (!json_object_get(p, "protocol"))
			refuse_required(out, AT(at, "protocol"), "");
		else if (!text_in(text(p, "protocol"), protocols))
			refuse_unsupported(out, AT(at, "protocol"), text(p, "protocol"), protocols);
		if (json_object_get(p, "appProtocol"))
			check_qualified_name(out, AT(at, "appProtocol"), text(p, "appProtocol"));
	}
}

void
endpoint_slice_create(struct causes *out, const json_t *obj)
{
	static const char *const types[] = { "FQDN", "IPv4", "IPv6", NULL };
	const json_t *endpoints = json_object_get(obj, "endpoints");
	const char *type = text(obj, "addressType");
	size_t i;
	json_t *e;

	if (check_required(out, NULL, obj, "addressType"))
		check_one_of(out, NULL, obj, "addressType", types);
	if (json_array_size(endpoints) > 1000)
		refuse_too_many(out, AT(NULL, "endpoints"), json_array_size(endpoints), 1000);
	else
		json_array_foreach (endpoints, i, e)
			check_endpoint(out, ITEM(AT(NULL, "endpoints"), i), e, type);
	check_slice_ports(out, AT(NULL, "ports"), json_object_get(obj, "ports"));
}

void
endpoint_slice_update(struct causes *out, const json_t *obj, const json_t *old)
{
	if (strcmp(text(obj, "addressType"), text(old, "addressType")) != 0)
		refuse_text(
		    out, AT(NULL, "addressType"), text(obj, "addressType"), "field is immutable");
}
