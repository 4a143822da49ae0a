/* StorageClass, and what storage drivers tell about themselves (Kubernetes:
 * pkg/apis/storage/validation). */
#include <ctype.h>
#include <string.h>

#include "api/quantity.h"
#include "api/rules.h"
#include "api/rules_pod.h"
#include "api/shown.h"
#include "base/mem.h"

/* --- classes ---------------------------------------------------------------------------------- */

static void
check_provisioner(struct causes *out, const json_t *obj, const char *key)
{
	autofree char *lower = xstrdup(text(obj, key));

	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	if (check_required(out, NULL, obj, key))
		check_qualified_name(out, AT(NULL, key), lower);
}

static void
check_parameters(struct causes *out, const json_t *obj, bool may_be_empty)
{
	enum { MOST = 512, MOST_BYTES = 256 << 10 };
	const json_t *parameters = json_object_get(obj, "parameters");
	const struct path *at = AT(NULL, "parameters");
	size_t total = 0;
	const char *key;
	json_t *v;

	if (json_object_size(parameters) > MOST) {
		refuse_too_long(out, at, MOST);
		return;
	}
	json_object_foreach ((json_t *)parameters, key, v) {
		if (!*key)
			refuse_text(out, at, key, "field can not be empty.");
		total += strlen(key) + json_string_length(v);
	}
	if (total > MOST_BYTES)
		refuse_too_long(out, at, MOST_BYTES);
	if (!may_be_empty && !json_object_size(parameters))
		refuse_required(out, at, "must contain at least one key/value pair");
}

static void
check_topology(struct causes *out, const struct path *up, const json_t *expressions)
{
	json_auto_t *keys = json_object();
	size_t i, j;
	json_t *e, *value;

	json_array_foreach (expressions, i, e) {
		const struct path *at = ITEM(up, i);
		json_auto_t *values = json_object();

		if (!json_array_size(json_object_get(e, "values")))
			refuse_required(out, AT(at, "values"), "");
		json_array_foreach (json_object_get(e, "values"), j, value)
			check_unique(out, ITEM(AT(at, "values"), j), values, str(value, ""));
		check_qualified_name(out, AT(at, "key"), text(e, "key"));
		check_unique(out, AT(at, "key"), keys, text(e, "key"));
	}
}

static bool
same_topology(const json_t *a, const json_t *b)
{
	json_auto_t *values_a = json_object(), *values_b = json_object();
	size_t i;
	json_t *e;

	json_array_foreach (json_object_get(a, "matchLabelExpressions"), i, e)
		json_object_set_new(
		    values_a, text(e, "key"), set_of(json_object_get(e, "values"), NULL));
	json_array_foreach (json_object_get(b, "matchLabelExpressions"), i, e)
		json_object_set_new(
		    values_b, text(e, "key"), set_of(json_object_get(e, "values"), NULL));
	return json_equal(values_a, values_b);
}

void
storage_class_create(struct causes *out, const json_t *obj)
{
	static const char *const policies[] = { "Delete", "Retain", NULL };
	static const char *const modes[] = { "Immediate", "WaitForFirstConsumer", NULL };
	const json_t *terms = json_object_get(obj, "allowedTopologies");
	size_t i;
	json_t *term;

	check_provisioner(out, obj, "provisioner");
	check_parameters(out, obj, true);
	check_one_of(out, NULL, obj, "reclaimPolicy", policies);
	check_one_of(out, NULL, obj, "volumeBindingMode", modes);
	json_array_foreach (terms, i, term) {
		const struct path *at =
		    AT(ITEM(AT(NULL, "allowedTopologies"), i), "matchLabelExpressions");

		check_topology(out, at, json_object_get(term, "matchLabelExpressions"));
		for (size_t k = 0; k < i; k++)
			if (same_topology(term, json_array_get(terms, k)))
				refuse_duplicate(out, at, "");
	}
}

static void
forbid_changes(struct causes *out, const json_t *obj, const json_t *old, const char *const *fields)
{
	for (; *fields; fields++)
		if (!same_value(json_object_get(obj, *fields), json_object_get(old, *fields)))
			refuse_forbidden(
			    out, AT(NULL, *fields), "updates to %s are forbidden.", *fields);
}

void
storage_class_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const fixed[] = { "parameters", "provisioner", "reclaimPolicy", NULL };

	forbid_changes(out, obj, old, fixed);
	check_immutable(out, AT(NULL, "volumeBindingMode"),
	    json_object_get(obj, "volumeBindingMode"), json_object_get(old, "volumeBindingMode"));
}

void
attributes_class_create(struct causes *out, const json_t *obj)
{
	check_provisioner(out, obj, "driverName");
	check_parameters(out, obj, false);
}

void
attributes_class_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const fixed[] = { "driverName", "parameters", NULL };

	forbid_changes(out, obj, old, fixed);
}

/* --- drivers ---------------------------------------------------------------------------------- */

static void
check_token_requests(struct causes *out, const struct path *up, const json_t *requests)
{
	json_auto_t *audiences = json_object();
	bool any = false;
	size_t i;
	json_t *item;

	json_array_foreach (requests, i, item) {
		const struct path *at = ITEM(up, i);
		const json_t *seconds = json_object_get(item, "expirationSeconds");
		const char *audience = text(item, "audience");
		bool again = *audience ? repeats(audiences, audience) : any;

		any |= !*audience;
		if (again)
			refuse_duplicate(out, AT(at, "audience"), audience);
		else if (seconds && num(seconds, 0) < 600)
			refuse_value(out, AT(at, "expirationSeconds"), seconds,
			    "may not specify a duration less than 10 minutes");
		else if (seconds && num(seconds, 0) > 1LL << 32)
			refuse_value(out, AT(at, "expirationSeconds"), seconds,
			    "may not specify a duration larger than 2^32 seconds");
	}
}

void
csi_driver_create(struct causes *out, const json_t *obj)
{
	static const char *const modes[] = { "Persistent", "Ephemeral", NULL };
	static const char *const groups[] = { "File", "None", "ReadWriteOnceWithFSType", NULL };
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *period = json_object_get(spec, "nodeAllocatableUpdatePeriodSeconds");
	const struct path *at = AT(NULL, "spec");
	size_t i;
	json_t *item;

	check_one_of(out, at, spec, "fsGroupPolicy", groups);
	check_token_requests(out, AT(at, "tokenRequests"), json_object_get(spec, "tokenRequests"));
	json_array_foreach (json_object_get(spec, "volumeLifecycleModes"), i, item)
		if (strcmp(str(item, ""), modes[0]) && strcmp(str(item, ""), modes[1]))
			refuse_unsupported(
			    out, AT(at, "volumeLifecycleModes"), str(item, ""), modes);
	if (period && num(period, 0) < 10)
		refuse_value(out, AT(at, "nodeAllocatableUpdatePeriodSeconds"), period,
		    "must be greater than or equal to 10 seconds");
}

void
csi_driver_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *now = json_object_get(obj, "spec"), *before = json_object_get(old, "spec");
	const struct path *at = AT(NULL, "spec");

	/* The first field has this name here in Kubernetes. */
	check_immutable(out, AT(at, "attachedRequired"), json_object_get(now, "attachRequired"),
	    json_object_get(before, "attachRequired"));
	check_immutable(out, AT(at, "volumeLifecycleModes"),
	    json_object_get(now, "volumeLifecycleModes"),
	    json_object_get(before, "volumeLifecycleModes"));
}

/* --- drivers of a node ------------------------------------------------------------------------ */

static void
check_topology_keys(struct causes *out, const struct path *at, const json_t *keys)
{
	json_auto_t *seen = json_object();
	size_t i;
	json_t *key;

	json_array_foreach (keys, i, key) {
		if (!*str(key, ""))
			refuse_required(out, at, "");
		check_unique(out, at, seen, str(key, ""));
		check_qualified_name(out, at, str(key, ""));
	}
}

void
csi_node_create(struct causes *out, const json_t *obj)
{
	const json_t *drivers = get(obj, "spec", "drivers");
	json_auto_t *names = json_object();
	size_t i;
	json_t *d;

	json_array_foreach (drivers, i, d) {
		const struct path *at = ITEM(AT(AT(NULL, "spec"), "drivers"), i);

		check_driver_name(out, AT(at, "name"), text(d, "name"));
		if (check_required(out, at, d, "nodeID") && strlen(text(d, "nodeID")) > 256)
			refuse_text(out, AT(at, "nodeID"), text(d, "nodeID"),
			    "must be 256 characters or less");
		check_not_negative(
		    out, AT(at, "allocatable"), json_object_get(d, "allocatable"), "count");
		check_unique(out, AT(at, "name"), names, text(d, "name"));
		check_topology_keys(out, at, json_object_get(d, "topologyKeys"));
	}
}

/* Drivers come and go; of one that stays only what it can attach changes. */
void
csi_node_update(struct causes *out, const json_t *obj, const json_t *old)
{
	size_t i, j;
	json_t *d, *before;

	json_array_foreach (get(old, "spec", "drivers"), j, before)
		json_array_foreach (get(obj, "spec", "drivers"), i, d) {
			json_auto_t *has = json_copy(d), *had = json_copy(before);

			json_object_del(has, "allocatable");
			json_object_del(had, "allocatable");
			if (!strcmp(text(d, "name"), text(before, "name")) && !same_value(has, had))
				refuse_shown(out, AT(AT(NULL, "spec"), "drivers"),
				    "storage.v1.CSINodeDriver", has, "field is immutable");
		}
}

/* --- capacities and attachments --------------------------------------------------------------- */

void
storage_capacity_create(struct causes *out, const json_t *obj)
{
	static const char *const amounts[] = { "capacity", "maximumVolumeSize" };

	if (json_object_get(obj, "nodeTopology"))
		check_label_selector(
		    out, AT(NULL, "nodeTopology"), json_object_get(obj, "nodeTopology"));
	check_dns_subdomain(out, AT(NULL, "storageClassName"), text(obj, "storageClassName"));
	for (size_t i = 0; i < COUNT(amounts); i++) {
		const json_t *v = json_object_get(obj, amounts[i]);

		if (v && quantity_milli(v) < 0)
			refuse_value(
			    out, AT(NULL, amounts[i]), v, "must be greater than or equal to 0");
	}
}

void
storage_capacity_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *topology = json_object_get(obj, "nodeTopology");

	if (!same_value(topology, json_object_get(old, "nodeTopology")))
		refuse_shown(out, AT(NULL, "nodeTopology"), "meta.v1.LabelSelector", topology,
		    "field is immutable");
	if (strcmp(text(obj, "storageClassName"), text(old, "storageClassName")))
		refuse_text(out, AT(NULL, "storageClassName"), text(obj, "storageClassName"),
		    "field is immutable");
}

static void
check_attached(struct causes *out, const struct path *at, const json_t *source)
{
	static const char one[] =
	    "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
	const json_t *name = json_object_get(source, "persistentVolumeName");
	const json_t *given = json_object_get(source, "inlineVolumeSpec");

	if (name && given)
		refuse_forbidden(out, at, "%s", one);
	else if (!name && !given)
		refuse_required(out, at, one);
	else if (given)
		check_inline_volume(out, AT(at, "inlineVolumeSpec"), given);
	else if (!*str(name, ""))
		refuse_required(out, AT(at, "persistentVolumeName"),
		    "must specify non empty persistentVolumeName");
}

void
volume_attachment_spec(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(NULL, "spec");

	check_required(out, at, spec, "attacher");
	check_attached(out, AT(at, "source"), json_object_get(spec, "source"));
	check_dns_subdomain(out, AT(at, "nodeName"), text(spec, "nodeName"));
}

void
volume_attachment_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *name = get(spec, "source", "persistentVolumeName");

	volume_attachment_spec(out, obj);
	check_driver_name(out, AT(AT(NULL, "spec"), "attacher"), text(spec, "attacher"));
	if (name)
		check_dns_subdomain(
		    out, AT(AT(AT(NULL, "spec"), "source"), "persistentVolumeName"), str(name, ""));
}

void
volume_attachment_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *spec = json_object_get(obj, "spec");

	if (!same_value(spec, json_object_get(old, "spec")))
		refuse_shown(out, AT(NULL, "spec"), "storage.v1.VolumeAttachmentSpec", spec,
		    "field is immutable");
}
