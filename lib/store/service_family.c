/* The address families of a Service: which it asks for, which it gets. */
#include <string.h>

#include "api/meta.h"
#include "api/rules.h"
#include "base/mem.h"
#include "store/service_private.h"

static const struct path *const top = NULL;

static bool
same(const json_t *old, const json_t *obj, const char *field)
{
	return same_value(get(old, "spec", field), get(obj, "spec", field));
}

static size_t
count(const json_t *obj, const char *field)
{
	return json_array_size(get(obj, "spec", field));
}

static const char *
policy(const json_t *obj)
{
	return text(obj, "spec", "ipFamilyPolicy");
}

static bool
single(const json_t *obj)
{
	return strcmp(policy(obj), "SingleStack") == 0;
}

bool
service_families_stay(const json_t *old, const json_t *obj)
{
	return old && strcmp(text(old, "spec", "type"), text(obj, "spec", "type")) == 0 &&
	       !service_is(obj, "ExternalName") && strcmp(policy(obj), "PreferDualStack") == 0 &&
	       (!*policy(old) || strcmp(policy(old), "PreferDualStack") == 0) &&
	       same(old, obj, "clusterIPs") && same(old, obj, "ipFamilies");
}

/* Without a policy it is the one from before; without one before, one family, but for who names
 * the endpoints himself and so may have both. */
static void
set_policy(const json_t *old, json_t *obj, bool by_hand)
{
	const char *p = old ? policy(old) : "";

	if (*policy(obj))
		return;
	if (!*p)
		p = by_hand ? "RequireDualStack" : "SingleStack";
	put(obj, json_string(p), "spec", "ipFamilyPolicy");
}

/* Nobody loses his second address or family without saying SingleStack; who says it does. */
static void
reduce(const json_t *old, json_t *obj, struct causes *out)
{
	static const char *const fields[][2] = { { "clusterIPs", "cluster IP" },
		{ "ipFamilies", "IP family" } };
	const struct path *at = AT(AT(top, "spec"), "ipFamilyPolicy");

	for (size_t i = 0; i < COUNT(fields); i++) {
		const char *field = fields[i][0];
		size_t n = count(obj, field);

		if (single(obj)) {
			if (same(old, obj, field) && n > 1)
				put(obj,
				    json_pack("[O]", json_array_get(get(obj, "spec", field), 0)),
				    "spec", field);
		} else if (n > 0 && n < count(old, field)) {
			refuse_text(out, at, policy(obj),
			    "must be 'SingleStack' to release the secondary %s", fields[i][1]);
		}
	}
}

static void
check_single(const json_t *obj, struct causes *out)
{
	static const char *const fields[][2] = { { "clusterIPs", "cluster IPs" },
		{ "ipFamilies", "IP families" } };

	for (size_t i = 0; single(obj) && i < COUNT(fields); i++)
		if (count(obj, fields[i][0]) == 2)
			refuse_text(out, AT(AT(top, "spec"), "ipFamilyPolicy"), policy(obj),
			    "must be 'RequireDualStack' or 'PreferDualStack' when multiple %s are "
			    "specified",
			    fields[i][1]);
}

static json_t *
families(json_t *obj)
{
	if (!get(obj, "spec", "ipFamilies"))
		put(obj, json_array(), "spec", "ipFamilies");
	return get(obj, "spec", "ipFamilies");
}

static const char *
name(bool v6)
{
	return v6 ? "IPv6" : "IPv4";
}

/* Addresses that are asked for say their families. */
static void
infer(const struct services *sv, json_t *obj, struct causes *out)
{
	const json_t *ips = get(obj, "spec", "clusterIPs");
	size_t i;
	json_t *ip;

	json_array_foreach (ips, i, ip) {
		struct number n;

		if (!number_of_ip(&n, str(ip, "")))
			return; /* "None" */
		if (i < count(obj, "ipFamilies"))
			continue;
		if (!service_family_known(sv, number_is_v6(&n)))
			refuse_value(out, ITEM(AT(AT(top, "spec"), "clusterIPs"), i), ips,
			    "%s is not configured on this cluster", name(number_is_v6(&n)));
		else
			json_array_append_new(families(obj), json_string(name(number_is_v6(&n))));
	}
}

/* The families that the cluster does not have. */
static void
check_known(const struct services *sv, const json_t *obj, struct causes *out)
{
	size_t i;
	json_t *family;

	if (strcmp(policy(obj), "RequireDualStack") == 0 && sv->nown < 2)
		refuse_text(out, AT(AT(top, "spec"), "ipFamilyPolicy"), policy(obj),
		    "this cluster is not configured for dual-stack services");
	json_array_foreach (get(obj, "spec", "ipFamilies"), i, family)
		if (!service_family_known(sv, strcmp(str(family, ""), "IPv6") == 0))
			refuse_value(out, ITEM(AT(AT(top, "spec"), "ipFamilies"), i), family,
			    "not configured on this cluster");
}

void
service_families(const struct services *sv, const json_t *old, json_t *obj, struct causes *out)
{
	bool by_hand = strcmp(text(obj, "spec", "clusterIP"), "None") == 0 &&
		       json_object_size(get(obj, "spec", "selector")) == 0;
	json_t *list;

	if (service_is(obj, "ExternalName") || service_families_stay(old, obj))
		return;
	set_policy(old, obj, by_hand);
	check_service_addresses(out, obj);
	if (out->n)
		return;
	if (old)
		reduce(old, obj, out);
	check_single(obj, out);
	infer(sv, obj, out);
	/* who names the endpoints himself may have a family that the cluster has not */
	if (!out->n && !by_hand)
		check_known(sv, obj, out);
	if (out->n)
		return;
	list = families(obj);
	if (json_array_size(list) == 0)
		json_array_append_new(list, json_string(name(sv->own[0].v6)));
	if (json_array_size(list) == 1 && !single(obj) && (by_hand || sv->nown == 2))
		json_array_append_new(
		    list, json_string(name(strcmp(str(json_array_get(list, 0), ""), "IPv4") == 0)));
}
