/*
 * An update of a Service: clients send less than they were given, and mean to keep it; and a
 * Service of another type keeps nothing that only the old one has.
 */
#include <string.h>

#include "api/meta.h"
#include "api/rules.h"
#include "store/service_private.h"

bool
service_has_ports(const json_t *obj)
{
	return service_is(obj, "NodePort") || service_is(obj, "LoadBalancer");
}

bool
service_has_check(const json_t *obj)
{
	return service_is(obj, "LoadBalancer") &&
	       strcmp(text(obj, "spec", "externalTrafficPolicy"), "Local") == 0;
}

static bool
outside(const json_t *obj)
{
	return service_has_ports(obj) || (service_is(obj, "ClusterIP") &&
					     json_array_size(get(obj, "spec", "externalIPs")) > 0);
}

static bool
has_ips(const json_t *obj)
{
	return !service_is(obj, "ExternalName");
}

static bool
same(const json_t *old, const json_t *obj, const char *field)
{
	return same_value(get(old, "spec", field), get(obj, "spec", field));
}

static void
keep(const json_t *old, json_t *obj, const char *field)
{
	json_t *v = get(old, "spec", field), *now = get(obj, "spec", field);
	bool empty = !now || same_value(now, NULL) || (json_is_string(now) && !*str(now, "x")) ||
		     (json_is_integer(now) && json_integer_value(now) == 0);

	if (v && empty)
		put(obj, json_deep_copy(v), "spec", field);
}

static void
drop(json_t *obj, const char *field)
{
	json_object_del(get(obj, "spec"), field);
}

/* --- what is kept --- */

/* Is this number a node port of one of the ports? */
static bool
uses(const json_t *obj, json_int_t number)
{
	size_t i;
	json_t *p;

	json_array_foreach (get(obj, "spec", "ports"), i, p)
		if (num(json_object_get(p, "nodePort"), 0) == number)
			return true;
	return false;
}

/* The node port of the port that had this name. */
static json_int_t
given(const json_t *old, const char *name)
{
	json_int_t number = 0;
	size_t i;
	json_t *p;

	json_array_foreach (get(old, "spec", "ports"), i, p)
		if (strcmp(text(p, "name"), name) == 0)
			number = num(json_object_get(p, "nodePort"), 0);
	return number;
}

static void
keep_ports(const json_t *old, json_t *obj)
{
	json_auto_t *asked = json_deep_copy(obj);
	size_t i;
	json_t *p;

	json_array_foreach (get(obj, "spec", "ports"), i, p) {
		json_int_t number = given(old, text(p, "name"));

		if (num(json_object_get(p, "nodePort"), 0) == 0 && number && !uses(asked, number))
			json_object_set_new(p, "nodePort", json_integer(number));
	}
}

void
service_keep_given(const json_t *old, json_t *obj)
{
	if (has_ips(old) && has_ips(obj)) {
		keep(old, obj, "clusterIP");
		keep(old, obj, "clusterIPs");
	}
	if (service_has_ports(old) && service_has_ports(obj))
		keep_ports(old, obj);
	if (service_has_check(old) && service_has_check(obj))
		keep(old, obj, "healthCheckNodePort");
}

json_t *
service_completed(const json_t *old)
{
	const char *ip = text(old, "spec", "clusterIP");
	struct number n;
	json_t *obj;

	if (!*ip || get(old, "spec", "clusterIPs"))
		return NULL;
	obj = json_deep_copy(old);
	put(obj, json_pack("[s]", ip), "spec", "clusterIPs");
	if (number_of_ip(&n, ip) && !get(old, "spec", "ipFamilies")) {
		put(obj, json_pack("[s]", number_is_v6(&n) ? "IPv6" : "IPv4"), "spec",
		    "ipFamilies");
		put(obj, json_string("SingleStack"), "spec", "ipFamilyPolicy");
	}
	return obj;
}

/* clusterIP is the first of clusterIPs; old clients know the one, new ones say both. */
void
service_join_ips(const json_t *old, json_t *obj)
{
	const char *ip = text(obj, "spec", "clusterIP");
	const char *was = old ? text(old, "spec", "clusterIP") : "";
	bool none = json_array_size(get(obj, "spec", "clusterIPs")) == 0;

	if (!old) {
		if (*ip && none)
			put(obj, json_pack("[s]", ip), "spec", "clusterIPs");
		return;
	}
	if (none && strcmp(ip, was) == 0)
		keep(old, obj, "clusterIPs");
	if (strcmp(ip, was) == 0 || !same(old, obj, "clusterIPs"))
		return;
	if (*ip)
		put(obj, json_pack("[s]", ip), "spec", "clusterIPs");
	else
		drop(obj, "clusterIPs");
}

/* --- what goes --- */

/* Every node port of obj was one of old's. */
static bool
no_new_ports(const json_t *old, const json_t *obj)
{
	size_t i;
	json_t *p;

	json_array_foreach (get(obj, "spec", "ports"), i, p) {
		json_int_t number = num(json_object_get(p, "nodePort"), 0);

		if (number && !uses(old, number))
			return false;
	}
	return true;
}

/* Whoever changes a field that goes is told so by validation: only what stayed the same goes. */
static void
drop_same(const json_t *old, json_t *obj, const char *field)
{
	if (same(old, obj, field))
		drop(obj, field);
}

void
service_drop_fields(const json_t *old, json_t *obj)
{
	bool balanced = service_is(old, "LoadBalancer") && !service_is(obj, "LoadBalancer");
	size_t i;
	json_t *p;

	if (has_ips(old) && !has_ips(obj)) {
		if (same(old, obj, "clusterIP") && same(old, obj, "clusterIPs")) {
			drop(obj, "clusterIP");
			drop(obj, "clusterIPs");
		}
		drop_same(old, obj, "ipFamilies");
		drop_same(old, obj, "ipFamilyPolicy");
	}
	if (service_has_ports(old) && !service_has_ports(obj) && no_new_ports(old, obj))
		json_array_foreach (get(obj, "spec", "ports"), i, p)
			json_object_del(p, "nodePort");
	if (outside(old) && !outside(obj))
		drop_same(old, obj, "externalTrafficPolicy");
	if (service_has_check(old) && !service_has_check(obj))
		drop_same(old, obj, "healthCheckNodePort");
	if (balanced) {
		drop_same(old, obj, "allocateLoadBalancerNodePorts");
		drop_same(old, obj, "loadBalancerClass");
	}
	if (!service_is(obj, "LoadBalancer"))
		put(obj, json_object(), "status", "loadBalancer");
}
