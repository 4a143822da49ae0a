/* Namespace, Node, ConfigMap, Secret, Lease. */
#include <string.h>

#include "api/quantity.h"
#include "api/rules.h"
#include "api/rules_pod.h"
#include "base/mem.h"

static const struct path *const top = NULL;

/* --- Namespace and Node ------------------------------------------------------------------ */

void
namespace_create(struct causes *out, const json_t *obj)
{
	size_t i;
	json_t *f;

	json_array_foreach (get(obj, "spec", "finalizers"), i, f)
		if (!strchr(str(f, ""), '/') && strcmp(str(f, ""), "kubernetes"))
			refuse_value(out, AT(AT(top, "spec"), "finalizers"), f,
			    "name is neither a standard finalizer name nor is it fully qualified");
}

static void
check_amounts(struct causes *out, const struct path *at, const json_t *amounts)
{
	const char *name;
	json_t *v;

	json_object_foreach ((json_t *)amounts, name, v)
		if (quantity_milli(v) < 0)
			refuse_value(out, AT(at, name), v, "must be greater than or equal to 0");
}

void
node_create(struct causes *out, const json_t *obj)
{
	static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute",
		NULL };
	const json_t *taints = get(obj, "spec", "taints");
	const struct path *at = AT(AT(top, "spec"), "taints");
	json_auto_t *seen = json_object();
	size_t i;
	json_t *taint, *cidr;

	json_array_foreach (get(obj, "spec", "podCIDRs"), i, cidr)
		check_cidr(out, ITEM(AT(AT(top, "spec"), "podCIDRs"), i), str(cidr, ""));
	check_amounts(out, AT(AT(top, "status"), "capacity"), get(obj, "status", "capacity"));
	check_amounts(out, AT(AT(top, "status"), "allocatable"), get(obj, "status", "allocatable"));
	json_array_foreach (taints, i, taint) {
		const struct path *here = ITEM(at, i);
		autofree char *word = xasprintf("%s:%s", text(taint, "key"), text(taint, "effect"));

		check_qualified_name(out, AT(here, "key"), text(taint, "key"));
		check_label_value(out, AT(here, "value"), text(taint, "value"));
		if (!*text(taint, "effect"))
			refuse_required(out, AT(here, "effect"), "");
		else
			check_one_of(out, here, taint, "effect", effects);
		if (repeats(seen, word))
			refuse_duplicate(out, here, text(taint, "key"));
	}
}

/* --- ConfigMap and Secret -------------------------------------------------------------------- */

enum { MAX_DATA = 1024 * 1024 };

static size_t
check_data(struct causes *out, const struct path *at, const json_t *data, bool coded)
{
	size_t total = 0;
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)data, key, value) {
		check_config_key(out, KEY(at, key), key);
		total += coded ? json_string_length(value) / 4 * 3 : json_string_length(value);
	}
	return total;
}

/* Once immutable is set, neither it nor the data can change. */
static void
check_sealed(struct causes *out, const json_t *obj, const json_t *old, const char *const *keys)
{
	if (!truth(json_object_get(old, "immutable")))
		return;
	if (!truth(json_object_get(obj, "immutable")))
		refuse_forbidden(
		    out, AT(top, "immutable"), "field is immutable when `immutable` is set");
	for (; *keys; keys++)
		if (!same_value(json_object_get(obj, *keys), json_object_get(old, *keys)))
			refuse_forbidden(
			    out, AT(top, *keys), "field is immutable when `immutable` is set");
}

void
config_map_create(struct causes *out, const json_t *obj)
{
	const json_t *data = json_object_get(obj, "data"),
		     *binary = json_object_get(obj, "binaryData");
	size_t total = check_data(out, AT(top, "data"), data, false);
	const char *key;
	json_t *value;

	total += check_data(out, AT(top, "binaryData"), binary, true);
	json_object_foreach ((json_t *)binary, key, value)
		if (json_object_get(data, key))
			refuse_text(out, KEY(AT(top, "data"), key), key,
			    "duplicate of key present in binaryData");
	if (total > MAX_DATA)
		cause_add(out, "FieldValueTooLong", "[]", "Too long: may not be more than %d bytes",
		    MAX_DATA);
}

void
config_map_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const keys[] = { "data", "binaryData", NULL };

	check_sealed(out, obj, old, keys);
}

void
secret_create(struct causes *out, const json_t *obj)
{
	/* What each type of Secret must hold. */
	static const struct {
		const char *type, *key;
	} needs[] = {
		{ "kubernetes.io/tls", "tls.crt" },
		{ "kubernetes.io/tls", "tls.key" },
		{ "kubernetes.io/dockerconfigjson", ".dockerconfigjson" },
		{ "kubernetes.io/dockercfg", ".dockercfg" },
		{ "kubernetes.io/ssh-auth", "ssh-privatekey" },
	};
	static const char account[] = "kubernetes.io/service-account.name";
	const json_t *data = json_object_get(obj, "data");
	const char *type = text(obj, "type");

	if (check_data(out, AT(top, "data"), data, true) > MAX_DATA)
		refuse_too_long(out, AT(top, "data"), MAX_DATA);
	for (size_t i = 0; i < COUNT(needs); i++)
		if (!strcmp(type, needs[i].type) && !json_object_get(data, needs[i].key))
			refuse_required(out, KEY(AT(top, "data"), needs[i].key), "");
	if (!strcmp(type, "kubernetes.io/service-account-token") && !meta_annotation(obj, account))
		refuse_required(out, KEY(AT(AT(top, "metadata"), "annotations"), account), "");
	if (!strcmp(type, "kubernetes.io/basic-auth") && !json_object_get(data, "username") &&
	    !json_object_get(data, "password")) {
		refuse_required(out, KEY(AT(top, "data"), "username"), "");
		refuse_required(out, KEY(AT(top, "data"), "password"), "");
	}
}

void
secret_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const keys[] = { "data", NULL };

	check_immutable(
	    out, AT(top, "type"), json_object_get(obj, "type"), json_object_get(old, "type"));
	check_sealed(out, obj, old, keys);
}

/* --- Lease ---------------------------------------------------------------------------------- */

void
lease_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(top, "spec");

	check_positive(out, at, spec, "leaseDurationSeconds");
	check_not_negative(out, at, spec, "leaseTransitions");
}
