/* Namespace and Node (Kubernetes: pkg/apis/core/validation). */
#include <string.h>

#include "api/quantity.h"
#include "api/rules.h"
#include "api/rules_pod.h"
#include "api/shown.h"
#include "base/mem.h"
#include "base/text.h"

static const struct path *const top = NULL;

/* --- Namespace ------------------------------------------------------------------------------ */

void
namespace_create(struct causes *out, const json_t *obj)
{
	const struct path *at = AT(AT(top, "spec"), "finalizers");
	size_t i;
	json_t *f;

	json_array_foreach (get(obj, "spec", "finalizers"), i, f) {
		check_qualified_name(out, at, str(f, ""));
		if (!strchr(str(f, ""), '/') && strcmp(str(f, ""), "kubernetes"))
			refuse_value(out, at, f,
			    "name is neither a standard finalizer name nor is it fully qualified");
	}
}

/* --- Node ----------------------------------------------------------------------------------- */

static void
check_taints(struct causes *out, const struct path *up, const json_t *taints)
{
	static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute",
		NULL };
	json_auto_t *seen = json_array_size(taints) ? json_object() : NULL;
	size_t i;
	json_t *taint;

	json_array_foreach (taints, i, taint) {
		const struct path *at = ITEM(up, i);
		autofree char *word = xasprintf("%s:%s", text(taint, "key"), text(taint, "effect"));

		check_qualified_name(out, AT(at, "key"), text(taint, "key"));
		check_taint_value(out, AT(at, "value"), text(taint, "value"));
		if (check_required(out, at, taint, "effect"))
			check_one_of(out, at, taint, "effect", effects);
		if (repeats(seen, word)) {
			json_auto_t *whole = shown("core.v1.Taint", taint);

			refuse_duplicate_why(
			    out, at, whole, "taints must be unique by key and effect pair");
		}
	}
}

static void
check_cidrs(struct causes *out, const struct path *at, const json_t *cidrs)
{
	json_auto_t *seen = json_array_size(cidrs) > 1 ? json_object() : NULL;
	size_t i, families[2] = { 0, 0 };
	json_t *cidr;

	json_array_foreach (cidrs, i, cidr) {
		check_cidr(out, ITEM(at, i), str(cidr, ""));
		families[!!strchr(str(cidr, ""), ':')]++;
	}
	if (!seen)
		return;
	if (families[0] != 1 || families[1] != 1)
		refuse_value(
		    out, at, cidrs, "may specify no more than one CIDR for each IP family");
	json_array_foreach (cidrs, i, cidr)
		check_unique(out, ITEM(at, i), seen, str(cidr, ""));
}

static void
check_node_resources(struct causes *out, const json_t *obj)
{
	static const char *const lists[] = { "capacity", "allocatable" };
	const char *name;
	json_t *v;

	for (size_t i = 0; i < COUNT(lists); i++)
		json_object_foreach (get(obj, "status", lists[i]), name, v)
			check_amount(out, AT(AT(AT(top, "status"), lists[i]), name), name, v);
}

void
node_create(struct causes *out, const json_t *obj)
{
	check_taints(out, AT(AT(top, "metadata"), "taints"), get(obj, "spec", "taints"));
	check_node_resources(out, obj);
	check_cidrs(out, AT(AT(top, "spec"), "podCIDRs"), get(obj, "spec", "podCIDRs"));
}

static void
check_part(struct causes *out, const struct path *at, const json_t *map, const char *key,
    void (*check)(struct causes *out, const struct path *at, const char *text))
{
	autofree char *detail = xasprintf("%s must be set", key);

	if (!*text(map, key))
		refuse_required(out, AT(at, key), detail);
	else
		check(out, AT(at, key), text(map, key));
}

static void
check_config_source(struct causes *out, const struct path *at, const json_t *source)
{
	const json_t *map = json_object_get(source, "configMap");
	const struct path *here = AT(at, "configMap");

	if (!source)
		return;
	if (!map) {
		refuse_shown(out, at, "core.v1.NodeConfigSource", source,
		    "exactly one reference subfield must be non-nil");
		return;
	}
	if (*text(map, "uid"))
		refuse_forbidden(out, AT(here, "uid"), "uid must not be set in spec");
	if (*text(map, "resourceVersion"))
		refuse_forbidden(
		    out, AT(here, "resourceVersion"), "resourceVersion must not be set in spec");
	check_part(out, here, map, "namespace", check_dns_label);
	check_part(out, here, map, "name", check_dns_subdomain);
	check_part(out, here, map, "kubeletConfigKey", check_config_key);
}

static void
check_addresses(struct causes *out, const struct path *at, const json_t *addresses)
{
	json_auto_t *seen = json_array_size(addresses) > 1 ? json_object() : NULL;
	size_t i;
	json_t *a;

	json_array_foreach (addresses, i, a) {
		autofree char *word = xasprintf("%s %s", text(a, "type"), text(a, "address"));
		json_auto_t *whole = NULL;

		if (!seen || !repeats(seen, word))
			continue;
		whole = shown("core.v1.NodeAddress", a);
		refuse_duplicate_value(out, ITEM(at, i), whole);
	}
}

/* What is given to a node once, it keeps. */
static void
check_given(struct causes *out, const json_t *now, const json_t *before)
{
	const struct path *at = AT(top, "spec");
	const json_t *has = json_object_get(now, "podCIDRs");
	const json_t *had = json_object_get(before, "podCIDRs");
	bool other = json_array_size(has) != json_array_size(had);
	size_t i, changed = other;
	json_t *cidr;

	json_array_foreach (had, i, cidr)
		changed += !other && !json_equal(cidr, json_array_get(has, i));
	for (i = 0; i < changed && json_array_size(had); i++)
		refuse_forbidden(out, AT(at, "podCIDRs"),
		    "node updates may not change podCIDR except from \"\" to valid");
	if (*text(before, "providerID") &&
	    strcmp(text(before, "providerID"), text(now, "providerID")))
		refuse_forbidden(out, AT(at, "providerID"),
		    "node updates may not change providerID except from \"\" to valid");
}

void
node_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *now = json_object_get(obj, "spec"), *before = json_object_get(old, "spec");
	const struct path *at = AT(top, "spec");

	check_node_resources(out, obj);
	check_addresses(out, AT(AT(top, "status"), "addresses"), get(obj, "status", "addresses"));
	check_given(out, now, before);
	check_config_source(out, AT(at, "configSource"), json_object_get(now, "configSource"));
	check_taints(out, AT(AT(top, "metadata"), "taints"), json_object_get(now, "taints"));
	if (strcmp(text(now, "externalID"), text(before, "externalID")))
		refuse_forbidden(out, AT(at, "externalID"), "may not be updated");
}
