/* What the status of a ResourceClaim must keep to: who uses it, which devices it got, and how they
 * are. */
#include <string.h>

#include "api/rules_pod.h"
#include "api/rules_status.h"
#include "base/mem.h"

static const struct path *const top = NULL;

/* More than that is not even looked at. */
static bool
too_many(struct causes *out, const struct path *at, const json_t *list, size_t most)
{
	if (json_array_size(list) <= most)
		return false;
	refuse_too_many(out, at, json_array_size(list), most);
	return true;
}

/* --- who uses it ----------------------------------------------------------------------------- */

static void
check_consumers(struct causes *out, const struct path *at, const json_t *consumers)
{
	json_auto_t *uids = json_object();
	size_t i;
	json_t *c;

	if (too_many(out, at, consumers, 256))
		return;
	json_array_foreach (consumers, i, c) {
		check_required(out, ITEM(at, i), c, "resource");
		check_required(out, ITEM(at, i), c, "name");
		check_required(out, ITEM(at, i), c, "uid");
	}
	json_array_foreach (consumers, i, c)
		check_unique(out, ITEM(at, i), uids, text(c, "uid"));
}

static void
check_reservation(struct causes *out, const json_t *obj, const json_t *old)
{
	const struct path *at = AT(AT(top, "status"), "reservedFor");
	const json_t *consumers = get(obj, "status", "reservedFor");
	json_auto_t *known = set_of(get(old, "status", "reservedFor"), "uid");
	bool added = false;
	size_t i;
	json_t *c;

	json_array_foreach (consumers, i, c)
		added |= !json_object_get(known, text(c, "uid"));
	if (json_array_size(consumers) && !get(obj, "status", "allocation"))
		refuse_forbidden(out, at, "may not be specified when `allocated` is not set");
	else if (added && meta_deleting(obj))
		refuse_forbidden(out, at,
		    "new entries may not be added while `deallocationRequested` or "
		    "`deletionTimestamp` are set");
}

/* --- which devices --------------------------------------------------------------------------- */

/* Subdomains with slashes between. */
static void
check_pool(struct causes *out, const struct path *at, const char *pool)
{
	autofree char *copy = xstrdup(pool);
	char *rest = copy, *part;

	if (!*pool) {
		refuse_required(out, at, "");
		return;
	}
	if (strlen(pool) > 253)
		refuse_too_long(out, at, 253);
	while ((part = strsep(&rest, "/")))
		check_dns_subdomain(out, at, part);
}

static void
check_device_name(struct causes *out, const struct path *at, const json_t *device)
{
	check_driver_name(out, AT(at, "driver"), text(device, "driver"));
	check_pool(out, AT(at, "pool"), text(device, "pool"));
	if (check_required(out, at, device, "device"))
		check_dns_label(out, AT(at, "device"), text(device, "device"));
}

/* "request" or "request/subrequest" of the claim? */
static bool
has_request(const json_t *claim, const char *name)
{
	json_t *r, *sub;
	size_t i, j;

	json_array_foreach (get(claim, "spec", "devices", "requests"), i, r) {
		if (!strcmp(text(r, "name"), name))
			return true;
		json_array_foreach (json_object_get(r, "firstAvailable"), j, sub) {
			autofree char *both =
			    xasprintf("%s/%s", text(r, "name"), text(sub, "name"));

			if (!strcmp(both, name))
				return true;
		}
	}
	return false;
}

static void
check_request(struct causes *out, const struct path *at, const json_t *claim, const char *request)
{
	if (!has_request(claim, request))
		refuse_text(out, at, request,
		    "must be the name of a request in the claim or the name of a request and a "
		    "subrequest separated by '/'");
}

static void
check_results(struct causes *out, const struct path *at, const json_t *claim, const json_t *results)
{
	size_t i;
	json_t *r;

	if (too_many(out, at, results, 32))
		return;
	json_array_foreach (results, i, r) {
		check_request(out, AT(ITEM(at, i), "request"), claim, text(r, "request"));
		check_device_name(out, ITEM(at, i), r);
	}
}

static void
check_configs(struct causes *out, const struct path *at, const json_t *claim, const json_t *configs)
{
	static const char *const sources[] = { "FromClaim", "FromClass", NULL };
	size_t i, j;
	json_t *config, *request;

	if (too_many(out, at, configs, 64))
		return;
	json_array_foreach (configs, i, config) {
		const struct path *here = ITEM(at, i);

		if (check_required(out, here, config, "source"))
			check_one_of(out, here, config, "source", sources);
		json_array_foreach (json_object_get(config, "requests"), j, request)
			check_request(out, ITEM(AT(here, "requests"), j), claim, str(request, ""));
		if (!json_object_get(config, "opaque"))
			refuse_required(out, AT(here, "opaque"), "");
		else
			check_driver_name(out, AT(AT(here, "opaque"), "driver"),
			    text(config, "opaque", "driver"));
	}
}

static void
check_allocation(struct causes *out, const json_t *obj, const json_t *old)
{
	const struct path *at = AT(AT(top, "status"), "allocation");
	const json_t *now = get(obj, "status", "allocation");
	const json_t *before = get(old, "status", "allocation");
	const struct path *devices = AT(at, "devices");

	if (now && before) {
		check_immutable(out, at, now, before);
	} else if (now) {
		check_results(out, AT(devices, "results"), obj, get(now, "devices", "results"));
		check_configs(out, AT(devices, "config"), obj, get(now, "devices", "config"));
	}
}

/* --- how they are ---------------------------------------------------------------------------- */

static char *
device_id(const json_t *d)
{
	const char *share = text(d, "shareID");

	return xasprintf("%s/%s/%s%s%s", text(d, "driver"), text(d, "pool"), text(d, "device"),
	    *share ? "/" : "", share);
}

static void
check_network_data(struct causes *out, const struct path *at, const json_t *network)
{
	const json_t *ips = json_object_get(network, "ips");
	json_auto_t *seen = json_object();
	size_t i;
	json_t *ip;

	if (strlen(text(network, "interfaceName")) > 256)
		refuse_too_long(out, AT(at, "interfaceName"), 256);
	if (strlen(text(network, "hardwareAddress")) > 128)
		refuse_too_long(out, AT(at, "hardwareAddress"), 128);
	if (too_many(out, AT(at, "ips"), ips, 16))
		return;
	json_array_foreach (ips, i, ip) {
		if (!cidr_valid(str(ip, "")))
			refuse_value(out, ITEM(AT(at, "ips"), i), ip,
			    "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or "
			    "2001:db8::1/64)");
		check_unique(out, ITEM(AT(at, "ips"), i), seen, str(ip, ""));
	}
}

static void
check_device(
    struct causes *out, const struct path *at, const json_t *device, const json_t *allocated)
{
	autofree char *id = device_id(device), *field = path_print(at);

	check_device_name(out, at, device);
	if (!json_object_get(allocated, id))
		cause_add(out, "FieldValueInvalid", field,
		    "Invalid value: %s: must be an allocated device in the claim", id);
	too_many(out, AT(at, "conditions"), json_object_get(device, "conditions"), 8);
	check_conditions(out, AT(at, "conditions"), json_object_get(device, "conditions"));
	check_network_data(out, AT(at, "networkData"), json_object_get(device, "networkData"));
}

static void
check_devices_status(struct causes *out, const json_t *obj)
{
	const struct path *at = AT(AT(top, "status"), "devices");
	const json_t *devices = get(obj, "status", "devices");
	json_auto_t *allocated = json_object(), *seen = json_object();
	size_t i;
	json_t *d;

	json_array_foreach (get(obj, "status", "allocation", "devices", "results"), i, d) {
		autofree char *id = device_id(d);

		repeats(allocated, id);
	}
	json_array_foreach (devices, i, d)
		check_device(out, ITEM(at, i), d, allocated);
	json_array_foreach (devices, i, d) {
		autofree char *id = device_id(d), *field = path_print(ITEM(at, i));

		if (repeats(seen, id))
			cause_add(out, "FieldValueDuplicate", field, "Duplicate value: %s", id);
	}
}

void
resource_claim_status(struct causes *out, const json_t *obj, const json_t *old)
{
	check_consumers(
	    out, AT(AT(top, "status"), "reservedFor"), get(obj, "status", "reservedFor"));
	check_devices_status(out, obj);
	check_reservation(out, obj, old);
	check_allocation(out, obj, old);
}
