/* The cells of what connects: services, their endpoints, ingresses, policies. */
#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "api/table_cells.h"
#include "base/mem.h"

/* At most so many of a long list are shown. */
enum { SHOWN = 3 };

/* Adds items up to SHOWN and counts the rest. */
struct some {
	struct buf b;
	size_t shown, all;
};

static void
some_add(struct some *s, const char *item)
{
	s->all++;
	if (s->shown >= SHOWN)
		return;
	join(&s->b, ",", item);
	s->shown++;
}

static json_t *
some_cell(struct some *s, const char *none)
{
	if (s->b.len == 0)
		buf_puts(&s->b, none);
	if (s->all > s->shown)
		buf_printf(&s->b, " + %zu more...", s->all - s->shown);
	return cell_buf(&s->b);
}

/* --- Service -------------------------------------------------------------------- */

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The addresses of a load balancer's ingress points, sorted, without repetition. */
static void
add_balancer(struct buf *b, const json_t *obj)
{
	json_t *points = get(obj, "status", "loadBalancer", "ingress");
	size_t n = json_array_size(points), used = 0;
	const char *names[64];

	for (size_t i = 0; i < n && used < 64; i++) {
		const json_t *p = json_array_get(points, i);
		const char *name = *text(p, "ip") ? text(p, "ip") : text(p, "hostname");

		if (*name)
			names[used++] = name;
	}
	qsort(names, used, sizeof *names, by_text);
	for (size_t i = 0; i < used; i++)
		if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
			join(b, ",", names[i]);
}

static json_t *
service_external(const json_t *svc, int64_t now)
{
	const char *type = text(svc, "spec", "type");
	json_t *ips = get(svc, "spec", "externalIPs");
	struct buf b = BUF_INIT;

	(void)now;
	if (strcmp(type, "ExternalName") == 0)
		return json_string(text(svc, "spec", "externalName"));
	if (strcmp(type, "LoadBalancer") == 0)
		add_balancer(&b, svc);
	if (json_array_size(ips) > 0) {
		if (b.len > 0)
			buf_putc(&b, ',');
		join_all(&b, ips, NULL);
	}
	if (b.len == 0)
		buf_puts(&b, strcmp(type, "LoadBalancer") == 0 ? "<pending>" : "<none>");
	return cell_buf(&b);
}

static json_t *
service_ip(const json_t *svc, int64_t now)
{
	const char *ip = str(json_array_get(get(svc, "spec", "clusterIPs"), 0), "");

	(void)now;
	ip = *ip ? ip : text(svc, "spec", "clusterIP");
	return json_string(*ip ? ip : "<none>");
}

static json_t *
service_ports(const json_t *svc, int64_t now)
{
	struct buf b = BUF_INIT;
	size_t i;
	json_t *p;

	(void)now;
	json_array_foreach (get(svc, "spec", "ports"), i, p) {
		long long node = num(get(p, "nodePort"), 0);

		buf_printf(&b, "%s%lld", i > 0 ? "," : "", (long long)num(get(p, "port"), 0));
		if (node > 0)
			buf_printf(&b, ":%lld", node);
		buf_printf(&b, "/%s", str(get(p, "protocol"), "TCP"));
	}
	if (b.len == 0)
		buf_puts(&b, "<none>");
	return cell_buf(&b);
}

static json_t *
service_selector(const json_t *svc, int64_t now)
{
	struct buf b = BUF_INIT;

	(void)now;
	add_labels(&b, get(svc, "spec", "selector"));
	return cell_buf(&b);
}

/* --- Endpoints, EndpointSlice ------------------------------------------------------- */

static void
some_address(struct some *s, const char *ip, const json_t *port)
{
	char text[320];

	if (port)
		snprintf(text, sizeof text, strchr(ip, ':') ? "[%s]:%lld" : "%s:%lld", ip,
		    (long long)num(get(port, "port"), 0));
	else
		snprintf(text, sizeof text, "%s", ip);
	some_add(s, text);
}

static json_t *
endpoints(const json_t *obj, int64_t now)
{
	struct some s = { .b = BUF_INIT };
	size_t i, j, k;
	json_t *subset, *port, *address;

	(void)now;
	json_array_foreach (get(obj, "subsets"), i, subset) {
		json_t *ports = get(subset, "ports"), *addresses = get(subset, "addresses");

		json_array_foreach (ports, j, port)
			json_array_foreach (addresses, k, address)
				some_address(&s, text(address, "ip"), port);
		if (json_array_size(ports) == 0)
			json_array_foreach (addresses, k, address)
				some_address(&s, text(address, "ip"), NULL);
	}
	return some_cell(&s, json_array_size(get(obj, "subsets")) ? "" : "<none>");
}

static json_t *
slice_ports(const json_t *slice, int64_t now)
{
	struct some s = { .b = BUF_INIT };
	size_t i;
	json_t *p;

	(void)now;
	json_array_foreach (get(slice, "ports"), i, p) {
		autofree char *number = xasprintf("%lld", (long long)num(get(p, "port"), 0));

		some_add(&s, json_is_integer(get(p, "port")) ? number : str(get(p, "name"), "*"));
	}
	return some_cell(&s, "<unset>");
}

static json_t *
slice_endpoints(const json_t *slice, int64_t now)
{
	struct some s = { .b = BUF_INIT };
	size_t i, j;
	json_t *e, *address;

	(void)now;
	json_array_foreach (get(slice, "endpoints"), i, e)
		json_array_foreach (get(e, "addresses"), j, address)
			some_add(&s, str(address, ""));
	return some_cell(&s, "<unset>");
}

/* --- Ingress ------------------------------------------------------------------------- */

static json_t *
ingress_hosts(const json_t *ingress, int64_t now)
{
	json_t *rules = get(ingress, "spec", "rules"), *rule;
	struct some s = { .b = BUF_INIT };
	bool more = false;
	size_t i;

	(void)now;
	json_array_foreach (rules, i, rule) {
		more = more || s.shown == SHOWN;
		if (!more && *text(rule, "host"))
			some_add(&s, text(rule, "host"));
	}
	if (more) /* those without a host are counted too */
		s.all = json_array_size(rules);
	return some_cell(&s, "*");
}

static json_t *
ingress_address(const json_t *ingress, int64_t now)
{
	struct buf b = BUF_INIT;

	(void)now;
	add_balancer(&b, ingress);
	return cell_buf(&b);
}

static json_t *
ingress_ports(const json_t *ingress, int64_t now)
{
	(void)now;
	return json_string(json_array_size(get(ingress, "spec", "tls")) > 0 ? "80, 443" : "80");
}

static json_t *
class_parameters(const json_t *class, int64_t now)
{
	const json_t *p = get(class, "spec", "parameters");
	const json_t *group = get(p, "apiGroup");

	(void)now;
	if (!p)
		return json_string("<none>");
	return json_sprintf(
	    "%s%s%s/%s", text(p, "kind"), group ? "." : "", str(group, ""), text(p, "name"));
}

/* --- the rest --------------------------------------------------------------------------- */

static json_t *
policy_selector(const json_t *policy, int64_t now)
{
	(void)now;
	return cell_selector(get(policy, "spec", "podSelector"));
}

static json_t *
cidrs(const json_t *obj, int64_t now)
{
	struct buf b = BUF_INIT;

	(void)now;
	join_all(&b, get(obj, "spec", "cidrs"), NULL);
	return cell_buf(&b);
}

/* Kubernetes has this cell and no column for it. */
static json_t *
age(const json_t *obj, int64_t now)
{
	return cell_since(meta_created(obj), now);
}

/* "services/default/web": resource with its group, namespace, name */
static json_t *
address_parent(const json_t *obj, int64_t now)
{
	const json_t *ref = get(obj, "spec", "parentRef");
	const char *group = text(ref, "group"), *ns = text(ref, "namespace");

	(void)now;
	return json_sprintf("%s%s%s/%s%s%s", text(ref, "resource"), *group ? "." : "", group, ns,
	    *ns ? "/" : "", text(ref, "name"));
}

/* clang-format off */
static const struct cell service[] = {
	TEXT("Type", "spec.type", "ClusterIP"), CELL("Cluster-IP", service_ip), CELL("External-IP", service_external),
	CELL("Port(s)", service_ports), CELL("Selector", service_selector), { 0 },
};
static const struct cell endpoint[] = { CELL("Endpoints", endpoints), { 0 } };
static const struct cell endpoint_slice[] = {
	TEXT("AddressType", "addressType", ""), CELL("Ports", slice_ports), CELL("Endpoints", slice_endpoints), { 0 },
};
static const struct cell ingress[] = {
	TEXT("Class", "spec.ingressClassName", "<none>"), CELL("Hosts", ingress_hosts),
	CELL("Address", ingress_address), CELL("Ports", ingress_ports), { 0 },
};
static const struct cell ingress_class[] = {
	TEXT("Controller", "spec.controller", ""), CELL("Parameters", class_parameters), { 0 },
};
static const struct cell network_policy[] = { CELL("Pod-Selector", policy_selector), { 0 } };
static const struct cell service_cidr[] = { CELL("CIDRs", cidrs), { 0 } };
static const struct cell ip_address[] = { CELL("ParentRef", address_parent), CELL("", age), { 0 } };

const struct cells network_cells[] = {
	{ "", "Service", service },
	{ "", "Endpoints", endpoint },
	{ "discovery.k8s.io", "EndpointSlice", endpoint_slice },
	{ "networking.k8s.io", "Ingress", ingress },
	{ "networking.k8s.io", "IngressClass", ingress_class },
	{ "networking.k8s.io", "NetworkPolicy", network_policy },
	{ "networking.k8s.io", "ServiceCIDR", service_cidr },
	{ "networking.k8s.io", "IPAddress", ip_address },
	{ 0 },
};
/* clang-format on */
