/* Claims of devices, their classes, and what drivers offer (Kubernetes: pkg/apis/resource/
 * validation). */
#include <string.h>

#include "api/quantity.h"
#include "api/rules.h"
#include "api/rules_cel.h"
#include "api/rules_pod.h"
#include "api/shown.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/text.h"

enum { MOST = 32, MOST_EXPRESSION = 10 << 10, MOST_PARAMETERS = 10 << 10 };

/* --- names ---------------------------------------------------------------------------------- */

static void
check_identifier(struct causes *out, const struct path *at, const char *id)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
				    "0123456789";

	if (strlen(id) > MOST)
		refuse_too_long(out, at, MOST);
	if (!*id || !strchr(letters, *id) || id[strspn(id, chars)])
		refuse_text(out, at, id,
		    "a valid C identifier must start with alphabetic character or '_', followed by "
		    "a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  "
		    "or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')");
}

/* "name" or "domain/name". */
static void
check_name(struct causes *out, const struct path *at, const char *name)
{
	const char *slash = strchr(name, '/');
	autofree char *domain = NULL;

	if (!slash) {
		check_identifier(out, at, name);
		return;
	}
	if (strchr(slash + 1, '/'))
		return;
	domain = xstrndup(name, (size_t)(slash - name));
	if (!*domain)
		refuse_text(out, at, "", "the domain must not be empty");
	else
		check_driver_name(out, at, domain);
	if (!slash[1])
		refuse_text(out, at, "", "the name must not be empty");
	else
		check_identifier(out, at, slash + 1);
}

static void
check_full_name(struct causes *out, const struct path *at, const char *name)
{
	check_name(out, at, name);
	if (!strchr(name, '/'))
		refuse_text(out, at, name,
		    "a fully qualified name must be a domain and a name separated by a slash");
}

static bool
too_many(struct causes *out, const struct path *at, const json_t *list, size_t most)
{
	if (json_array_size(list) <= most)
		return false;
	refuse_too_many(out, at, json_array_size(list), most);
	return true;
}

/* --- what is asked for ---------------------------------------------------------------------- */

static void
check_selectors(struct causes *out, const struct path *up, const json_t *selectors)
{
	struct cel_env *env;
	size_t i;
	json_t *s;

	if (!json_array_size(selectors) || too_many(out, up, selectors, MOST))
		return;
	env = device_environment();
	json_array_foreach (selectors, i, s) {
		const struct path *at = AT(ITEM(up, i), "cel");
		const json_t *cel = json_object_get(s, "cel");

		if (!cel)
			refuse_required(out, at, "");
		else if (strlen(text(cel, "expression")) > MOST_EXPRESSION)
			refuse_too_long(out, AT(at, "expression"), MOST_EXPRESSION);
		else
			check_device_expression(
			    out, AT(at, "expression"), env, text(cel, "expression"));
	}
	cel_env_free(env);
}

static void
check_request(struct causes *out, const struct path *at, const json_t *r)
{
	static const char *const modes[] = { "All", "ExactCount", NULL };
	const char *mode = text(r, "allocationMode");
	json_int_t count = num(json_object_get(r, "count"), 0);

	if (check_required(out, at, r, "deviceClassName"))
		check_dns_subdomain(out, AT(at, "deviceClassName"), text(r, "deviceClassName"));
	check_selectors(out, AT(at, "selectors"), json_object_get(r, "selectors"));
	if (!text_in(mode, modes))
		refuse_unsupported(out, AT(at, "allocationMode"), mode, modes);
	else if (!strcmp(mode, "All") && count)
		refuse_number(out, AT(at, "count"), count,
		    "must not be specified when allocationMode is 'All'");
	else if (strcmp(mode, "All") != 0 && count <= 0)
		refuse_number(out, AT(at, "count"), count, "must be greater than zero");
}

static void
check_alternatives(struct causes *out, const struct path *up, const json_t *list)
{
	json_auto_t *names = json_object();
	size_t i;
	json_t *r;

	if (too_many(out, up, list, 8))
		return;
	json_array_foreach (list, i, r) {
		check_dns_label(out, AT(ITEM(up, i), "name"), text(r, "name"));
		check_request(out, ITEM(up, i), r);
	}
	json_array_foreach (list, i, r)
		check_unique(out, ITEM(up, i), names, text(r, "name"));
}

static void
check_requests(struct causes *out, const struct path *up, const json_t *requests)
{
	json_auto_t *names = json_object();
	size_t i;
	json_t *r;

	if (too_many(out, up, requests, MOST))
		return;
	json_array_foreach (requests, i, r) {
		const struct path *at = ITEM(up, i);
		const json_t *exactly = json_object_get(r, "exactly");
		const json_t *any = json_object_get(r, "firstAvailable");

		check_dns_label(out, AT(at, "name"), text(r, "name"));
		if (!exactly && !json_array_size(any))
			refuse_required(
			    out, at, "exactly one of `exactly` or `firstAvailable` is required");
		else if (exactly && json_array_size(any))
			refuse_text(out, at, "null",
			    "exactly one of `exactly` or `firstAvailable` is required, but "
			    "multiple fields are set");
		else if (exactly)
			check_request(out, AT(at, "exactly"), exactly);
		else
			check_alternatives(out, AT(at, "firstAvailable"), any);
	}
	json_array_foreach (requests, i, r)
		check_unique(out, ITEM(up, i), names, text(r, "name"));
}

/* --- what refers to requests ---------------------------------------------------------------- */

/* Every request's name, and "name/alternative"; new. */
static json_t *
request_names(const json_t *requests)
{
	json_t *names = json_object();
	size_t i, j;
	json_t *r, *sub;

	json_array_foreach (requests, i, r) {
		repeats(names, text(r, "name"));
		json_array_foreach (json_object_get(r, "firstAvailable"), j, sub) {
			autofree char *name =
			    xasprintf("%s/%s", text(r, "name"), text(sub, "name"));

			repeats(names, name);
		}
	}
	return names;
}

static void
check_reference(struct causes *out, const struct path *at, const char *name, const json_t *names)
{
	static const char why[] =
	    "must be the name of a request in the claim or the name of a request and a subrequest "
	    "separated by '/'";
	const char *slash = strchr(name, '/');
	autofree char *first = xstrndup(name, strcspn(name, "/"));

	if (slash && strchr(slash + 1, '/')) {
		refuse_text(out, at, name, "%s", why);
		return;
	}
	check_dns_label(out, at, first);
	if (slash)
		check_dns_label(out, at, slash + 1);
	if (!json_object_get(names, name))
		refuse_text(out, at, name, "%s", why);
}

static void
check_references(struct causes *out, const struct path *at, const json_t *list, const json_t *names)
{
	json_auto_t *seen = NULL;
	size_t i;
	json_t *name;

	if (!json_array_size(list) || too_many(out, at, list, MOST))
		return;
	seen = json_object();
	json_array_foreach (list, i, name)
		check_reference(out, ITEM(at, i), str(name, ""), names);
	json_array_foreach (list, i, name)
		check_unique(out, ITEM(at, i), seen, str(name, ""));
}

static void
check_constraints(
    struct causes *out, const struct path *up, const json_t *constraints, const json_t *names)
{
	size_t i;
	json_t *c;

	if (too_many(out, up, constraints, MOST))
		return;
	json_array_foreach (constraints, i, c) {
		const struct path *at = ITEM(up, i);

		check_references(out, AT(at, "requests"), json_object_get(c, "requests"), names);
		if (json_object_get(c, "matchAttribute"))
			check_full_name(out, AT(at, "matchAttribute"), text(c, "matchAttribute"));
		else
			refuse_required(out, AT(at, "matchAttribute"), "");
	}
}

/* --- parameters for drivers ----------------------------------------------------------------- */

static void
check_parameters(struct causes *out, const struct path *at, const json_t *parameters)
{
	autofree char *raw =
	    parameters ? json_dumps(parameters, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	if (!parameters || json_is_null(parameters))
		refuse_required(out, at, "");
	else if (raw && strlen(raw) > MOST_PARAMETERS)
		refuse_too_long(out, at, MOST_PARAMETERS);
	else if (!json_is_object(parameters))
		refuse_text(out, at, "<value omitted>", "must be a valid JSON object");
}

/* names: NULL for a class, which knows no requests. */
static void
check_configs(struct causes *out, const struct path *up, const json_t *configs, const json_t *names)
{
	size_t i;
	json_t *c;

	if (too_many(out, up, configs, MOST))
		return;
	json_array_foreach (configs, i, c) {
		const struct path *at = ITEM(up, i), *opaque = AT(at, "opaque");
		const json_t *given = json_object_get(c, "opaque");

		if (names)
			check_references(
			    out, AT(at, "requests"), json_object_get(c, "requests"), names);
		if (!given) {
			refuse_required(out, opaque, "");
			continue;
		}
		check_driver_name(out, AT(opaque, "driver"), text(given, "driver"));
		check_parameters(
		    out, AT(opaque, "parameters"), json_object_get(given, "parameters"));
	}
}

/* --- claims and classes --------------------------------------------------------------------- */

static void
check_claim(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *devices = json_object_get(spec, "devices");
	const json_t *requests = json_object_get(devices, "requests");
	json_auto_t *names = request_names(requests);

	at = AT(at, "devices");
	check_requests(out, AT(at, "requests"), requests);
	check_constraints(
	    out, AT(at, "constraints"), json_object_get(devices, "constraints"), names);
	check_configs(out, AT(at, "config"), json_object_get(devices, "config"), names);
}

void
resource_claim_create(struct causes *out, const json_t *obj)
{
	check_claim(out, AT(NULL, "spec"), json_object_get(obj, "spec"));
}

void
resource_claim_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *spec = json_object_get(obj, "spec");

	if (!same_value(spec, json_object_get(old, "spec")))
		refuse_shown(out, AT(NULL, "spec"), "resource.v1.ResourceClaimSpec", spec,
		    "field is immutable");
}

void
claim_template_create(struct causes *out, const json_t *obj)
{
	const struct path *at = AT(NULL, "spec");

	check_made_metadata(out, AT(at, "metadata"), get(obj, "spec", "metadata"));
	check_claim(out, AT(at, "spec"), get(obj, "spec", "spec"));
}

void
claim_template_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *spec = json_object_get(obj, "spec");

	if (!same_value(spec, json_object_get(old, "spec")))
		refuse_shown(out, AT(NULL, "spec"), "resource.v1.ResourceClaimTemplateSpec", spec,
		    "field is immutable");
}

void
device_class_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *name = json_object_get(spec, "extendedResourceName");
	const struct path *at = AT(NULL, "spec");

	check_selectors(out, AT(at, "selectors"), json_object_get(spec, "selectors"));
	check_configs(out, AT(at, "config"), json_object_get(spec, "config"), NULL);
	if (name && !resource_is_extended(str(name, "")))
		refuse_value(out, AT(at, "extendedResourceName"), name,
		    "must be a valid extended resource name");
}

/* --- slices --------------------------------------------------------------------------------- */

static void
check_pool(struct causes *out, const struct path *at, const json_t *pool)
{
	const char *name = text(pool, "name");
	json_int_t count = num(json_object_get(pool, "resourceSliceCount"), 0);
	json_int_t generation = num(json_object_get(pool, "generation"), 0);

	if (check_required(out, at, pool, "name")) {
		if (strlen(name) > 253)
			refuse_too_long(out, AT(at, "name"), 253);
		for (const char *p = name;; p++) {
			autofree char *part = xstrndup(p, strcspn(p, "/"));

			check_dns_subdomain(out, AT(at, "name"), part);
			p += strlen(part);
			if (!*p)
				break;
		}
	}
	if (count <= 0)
		refuse_number(
		    out, AT(at, "resourceSliceCount"), count, "must be greater than zero");
	if (generation < 0)
		refuse_number(
		    out, AT(at, "generation"), generation, "must be greater than or equal to zero");
}

static void
check_switch(struct causes *out, const struct path *at, const json_t *spec, const char *key)
{
	const json_t *v = json_object_get(spec, key);

	if (v && !truth(v))
		refuse_value(out, AT(at, key), v, "must be either unset or set to true");
}

static void
check_nodes(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const keys[] = { "nodeName", "nodeSelector", "allNodes",
		"perDeviceNodeSelection" };
	static const char why[] =
	    "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is "
	    "required";
	const json_t *node = json_object_get(spec, "nodeName");
	const json_t *selector = json_object_get(spec, "nodeSelector");
	const json_t *terms = json_object_get(selector, "nodeSelectorTerms");
	autobuf struct buf given = BUF_INIT;
	size_t n = 0;

	if (node && *str(node, ""))
		check_dns_subdomain(out, AT(at, "nodeName"), str(node, ""));
	else if (node)
		refuse_value(out, AT(at, "nodeName"), node,
		    "must be either unset or set to a non-empty string");
	if (selector)
		check_node_selector(out, AT(at, "nodeSelector"), selector);
	if (selector && json_array_size(terms) != 1)
		refuse_shown(out, AT(AT(at, "nodeSelector"), "nodeSelectorTerms"),
		    "[]core.v1.NodeSelectorTerm", terms,
		    "must have exactly one node selector term");
	check_switch(out, at, spec, "allNodes");
	check_switch(out, at, spec, "perDeviceNodeSelection");
	for (size_t i = 0; i < COUNT(keys); i++) {
		const json_t *v = json_object_get(spec, keys[i]);

		if (i == 0 ? *str(v, "") : i == 1 ? !!v : truth(v))
			buf_printf(&given, "%s`%s`", n++ ? ", " : "", keys[i]);
	}
	if (!n) {
		refuse_required(out, at, why);
	} else if (n > 1) {
		autofree char *all = xasprintf("{%s}", given.data);

		refuse_text(out, at, all, "%s, but multiple fields are set", why);
	}
}

static void
check_attribute(struct causes *out, const struct path *at, const json_t *a)
{
	static const char *const kinds[] = { "bool", "int", "string", "version" };
	const char *version = text(a, "version");
	size_t n = 0;

	for (size_t i = 0; i < COUNT(kinds); i++)
		n += !!json_object_get(a, kinds[i]);
	if (strlen(text(a, "string")) > 64)
		refuse_too_long(out, AT(at, "string"), 64);
	if (json_object_get(a, "version") && !semver_valid(version))
		refuse_text(out, AT(at, "version"), version,
		    "must be a string compatible with semver.org spec 2.0.0");
	if (strlen(version) > 64)
		refuse_too_long(out, AT(at, "version"), 64);
	if (!n)
		refuse_text(out, at, "", "exactly one value must be specified");
	else if (n > 1)
		refuse_shown(out, at, "resource.v1.DeviceAttribute", a,
		    "exactly one value must be specified");
}

static void
check_device(struct causes *out, const struct path *at, const json_t *device)
{
	const json_t *attributes = json_object_get(device, "attributes");
	const json_t *capacity = json_object_get(device, "capacity");
	size_t n = json_object_size(attributes) + json_object_size(capacity);
	const char *name;
	json_t *v;

	check_dns_label(out, AT(at, "name"), text(device, "name"));
	if (n > MOST)
		refuse_number(out, at, (json_int_t)n,
		    "the total number of attributes and capacities must not exceed %d", (int)MOST);
	json_object_foreach ((json_t *)attributes, name, v) {
		check_name(out, KEY(AT(at, "attributes"), name), name);
		check_attribute(out, KEY(AT(at, "attributes"), name), v);
	}
	json_object_foreach ((json_t *)capacity, name, v)
		check_name(out, KEY(AT(at, "capacity"), name), name);
}

void
resource_slice_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *devices = json_object_get(spec, "devices");
	const struct path *at = AT(NULL, "spec"), *up = AT(at, "devices");
	json_auto_t *names = json_object();
	size_t i;
	json_t *d;

	check_driver_name(out, AT(at, "driver"), text(spec, "driver"));
	check_pool(out, AT(at, "pool"), json_object_get(spec, "pool"));
	check_nodes(out, at, spec);
	if (too_many(out, up, devices, 128))
		return;
	json_array_foreach (devices, i, d)
		check_device(out, ITEM(up, i), d);
	json_array_foreach (devices, i, d)
		check_unique(out, ITEM(up, i), names, text(d, "name"));
}

void
resource_slice_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const struct path *at = AT(NULL, "spec");
	const char *pool = text(obj, "spec", "pool", "name");
	const char *driver = text(obj, "spec", "driver");

	if (strcmp(pool, text(old, "spec", "pool", "name")) != 0)
		refuse_text(out, AT(AT(at, "pool"), "name"), pool, "field is immutable");
	if (strcmp(driver, text(old, "spec", "driver")) != 0)
		refuse_text(out, AT(at, "driver"), driver, "field is immutable");
	check_immutable(
	    out, AT(at, "nodeName"), get(obj, "spec", "nodeName"), get(old, "spec", "nodeName"));
}
