/* A Service on its way in: what it is given, and what it cannot have. */
#include <string.h>

#include "api/meta.h"
#include "api/rules.h"
#include "base/mem.h"
#include "store/service_private.h"

static const struct path *const top = NULL;

struct request {
	struct call *call;
	struct services *sv;
	struct service_claim *claim;
	const json_t *old;
	json_t *obj;
};

/* --- refusals ------------------------------------------------------------------------------- */

static int
refuse(struct request *r, struct causes *causes)
{
	if (!causes->n)
		return 0;
	reply_invalid(r->call, causes, meta_name(r->obj));
	causes_release(causes);
	return -1;
}

static int
internal(struct request *r, const char *what, const char *why)
{
	autofree char *cause = xasprintf("%s: %s", what, why);
	autofree char *msg = xasprintf("Internal error occurred: %s", cause);

	reply_status(r->call, 500, "InternalError", msg,
	    json_pack("{s:[{s:s}]}", "causes", "message", cause));
	return -1;
}

/* --- addresses ------------------------------------------------------------------------------ */

static int
take_ip(struct request *r, const char *ip)
{
	struct causes causes = CAUSES_INIT;
	struct number n;
	const char *why =
	    number_of_ip(&n, ip) ? service_take_ip(r->sv, r->claim, &n) : "no address";

	if (why)
		refuse_value(&causes, AT(AT(top, "spec"), "clusterIPs"),
		    get(r->obj, "spec", "clusterIPs"), "failed to allocate IP %s: %s", ip, why);
	return refuse(r, &causes);
}

static int
next_ip(struct request *r, bool v6, json_t *ips)
{
	char text[INET6_ADDRSTRLEN];
	struct number n;
	const char *why = service_next_ip(r->sv, r->claim, v6, &n);

	if (why)
		return internal(r, "failed to allocate a serviceIP", why);
	json_array_append_new(ips, json_string(number_ip(&n, text)));
	return 0;
}

/*
 * From which address on they are new: all of them for a new Service and one that was a name, the
 * second one when a second family comes; what else changes is for validation to refuse.
 */
static size_t
first_new(const struct request *r)
{
	size_t had = json_array_size(get(r->old, "spec", "clusterIPs"));
	size_t families = json_array_size(get(r->obj, "spec", "ipFamilies"));

	if (!r->old || service_is(r->old, "ExternalName") || had == 0)
		return 0;
	return had == 1 && families == 2 ? 1 : families;
}

static int
take_ips(struct request *r)
{
	json_t *families = get(r->obj, "spec", "ipFamilies"), *family, *ips;
	size_t from = first_new(r), i;

	if (service_is(r->obj, "ExternalName") || service_headless(r->obj) ||
	    service_families_stay(r->old, r->obj) ||
	    (r->old && !service_is(r->old, "ExternalName") && service_headless(r->old)))
		return 0;
	if (!get(r->obj, "spec", "clusterIPs"))
		put(r->obj, json_array(), "spec", "clusterIPs");
	ips = get(r->obj, "spec", "clusterIPs");
	json_array_foreach (families, i, family) {
		json_t *ip = json_array_get(ips, i);
		bool v6 = strcmp(str(family, ""), "IPv6") == 0;

		if (i >= from && i < 2 && (ip ? take_ip(r, str(ip, "")) : next_ip(r, v6, ips)) < 0)
			return -1;
	}
	if (json_array_size(ips) > 0)
		put(r->obj, json_incref(json_array_get(ips, 0)), "spec", "clusterIP");
	return 0;
}

/* --- node ports ------------------------------------------------------------------------------- */

static int
take_port(struct request *r, size_t i, json_int_t port)
{
	struct causes causes = CAUSES_INIT;
	const char *why = service_take_port(
	    r->sv, r->claim, port < 0 || port > UINT16_MAX ? UINT16_MAX + 1U : (unsigned)port);

	if (why)
		refuse_number(&causes, AT(ITEM(AT(AT(top, "spec"), "ports"), i), "nodePort"), port,
		    "%s", why);
	return refuse(r, &causes);
}

static int
next_port(struct request *r, json_t *p)
{
	unsigned port;
	const char *why = service_next_port(r->sv, r->claim, &port);

	if (why)
		return internal(r, "failed to allocate a nodePort", why);
	json_object_set_new(p, "nodePort", json_integer(port));
	return 0;
}

static json_int_t
node_port(const json_t *p)
{
	return num(json_object_get(p, "nodePort"), 0);
}

static bool
wants_ports(const json_t *obj)
{
	return service_is(obj, "NodePort") ||
	       json_is_true(get(obj, "spec", "allocateLoadBalancerNodePorts"));
}

/* What is asked for a port of this number, under any protocol: they share one node port. */
static json_int_t
asked_for(const json_t *ports, json_int_t port)
{
	size_t i;
	json_t *p;

	json_array_foreach (ports, i, p)
		if (num(json_object_get(p, "port"), 0) == port && node_port(p))
			return node_port(p);
	return 0;
}

/* The node port that an earlier port of this number has got. */
static json_int_t
shared(const json_t *ports, size_t before, json_int_t port)
{
	json_t *p;

	for (size_t i = 0; i < before; i++) {
		p = json_array_get(ports, i);
		if (num(json_object_get(p, "port"), 0) == port && node_port(p))
			return node_port(p);
	}
	return 0;
}

static int
first_ports(struct request *r)
{
	json_t *ports = get(r->obj, "spec", "ports"), *p;
	size_t i;

	json_array_foreach (ports, i, p) {
		json_int_t number = num(json_object_get(p, "port"), 0);
		json_int_t with = shared(ports, i, number), asked = asked_for(ports, number);
		int e = 0;

		if (!node_port(p) && !wants_ports(r->obj))
			continue;
		if (with && !node_port(p))
			json_object_set_new(p, "nodePort", json_integer(with));
		else if (with && with != node_port(p))
			e = take_port(r, i, node_port(p));
		else if (!with && asked)
			e = take_port(r, i, asked);
		else if (!with)
			e = next_port(r, p);
		if (e < 0)
			return e;
		if (!with && asked)
			json_object_set_new(p, "nodePort", json_integer(asked));
	}
	return 0;
}

/* Two ports of one protocol with one node port: what Kubernetes says before it validates. */
static int
refuse_twice(struct request *r, const json_t *p)
{
	autofree char *msg = xasprintf(
	    "duplicate nodePort: {%s %" JSON_INTEGER_FORMAT "}", text(p, "protocol"), node_port(p));

	reply_status(r->call, 500, NULL, msg, NULL);
	return -1;
}

static int
later_ports(struct request *r)
{
	json_auto_t *had = json_object(), *have = json_object();
	json_t *ports = get(r->obj, "spec", "ports"), *p;
	size_t i;

	json_array_foreach (get(r->old, "spec", "ports"), i, p) {
		autofree char *word = xasprintf("%" JSON_INTEGER_FORMAT, node_port(p));

		repeats(had, word);
	}
	json_array_foreach (ports, i, p) {
		autofree char *word = xasprintf("%" JSON_INTEGER_FORMAT, node_port(p));
		autofree char *pair = NULL;
		int e = 0;

		if (!node_port(p) && !wants_ports(r->obj))
			continue;
		if (!node_port(p))
			e = next_port(r, p);
		else if (!repeats(had, word))
			e = take_port(r, i, node_port(p));
		if (e < 0)
			return e;
		pair = xasprintf("%s/%" JSON_INTEGER_FORMAT, text(p, "protocol"), node_port(p));
		if (repeats(have, pair))
			return refuse_twice(r, p);
	}
	return 0;
}

static int
take_check_port(struct request *r)
{
	json_int_t port = num(get(r->obj, "spec", "healthCheckNodePort"), 0);
	autofree char *what = NULL;
	unsigned made;
	const char *why;

	if (!service_has_check(r->obj) || (r->old && service_has_check(r->old)))
		return 0;
	if (port) {
		what = xasprintf(
		    "failed to allocate requested HealthCheck NodePort %" JSON_INTEGER_FORMAT,
		    port);
		why = service_take_port(r->sv, r->claim,
		    port < 0 || port > UINT16_MAX ? UINT16_MAX + 1U : (unsigned)port);
		return why ? internal(r, what, why) : 0;
	}
	if ((why = service_next_port(r->sv, r->claim, &made)))
		return internal(r, "failed to allocate a HealthCheck NodePort 0", why);
	put(r->obj, json_integer(made), "spec", "healthCheckNodePort");
	return 0;
}

static int
take_ports(struct request *r)
{
	if (service_has_ports(r->obj) && (r->old ? later_ports(r) : first_ports(r)) < 0)
		return -1;
	return take_check_port(r);
}

/* --- all of it -------------------------------------------------------------------------------- */

int
services_reserve(struct call *c, const json_t *old, json_t *obj)
{
	struct services *sv = c->server->services;
	struct causes causes = CAUSES_INIT;
	struct request r = { .call = c, .sv = sv, .obj = obj };
	json_auto_t *completed = NULL;

	if (!sv || c->table != sv->table)
		return 0;
	if ((completed = service_completed(old)))
		old = completed;
	r.old = old;
	services_cancel(c);
	r.claim = c->claim = xcalloc(1, sizeof *c->claim);
	if (old)
		service_keep_given(old, obj);
	service_join_ips(old, obj);
	service_families(sv, old, obj, &causes);
	if (refuse(&r, &causes) < 0 || take_ips(&r) < 0 || take_ports(&r) < 0)
		return -1;
	if (old)
		service_drop_fields(old, obj);
	/* a name leads nowhere in the cluster */
	if (service_is(obj, "ExternalName"))
		json_object_del(get(obj, "spec"), "internalTrafficPolicy");
	return 0;
}

void
services_cancel(struct call *c)
{
	struct service_claim *claim = c->claim;

	if (!claim)
		return;
	for (size_t i = 0; i < claim->nip; i++)
		pool_cancel(c->server->services->ip, &claim->ip[i]);
	for (size_t i = 0; i < claim->nport; i++)
		pool_cancel(c->server->services->port, &claim->port[i]);
	free(claim->port);
	free(claim);
	c->claim = NULL;
}
