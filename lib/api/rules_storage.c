/* PersistentVolume, PersistentVolumeClaim, StorageClass, and what storage drivers tell about
 * themselves. */
#include <string.h>

#include "api/quantity.h"
#include "api/rules.h"
#include "base/mem.h"

static const struct path *const top = NULL;

static void
check_access_modes(struct causes *out, const struct path *at, const json_t *modes, const char *none)
{
	static const char *const known[] = { "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce",
		"ReadWriteOncePod", NULL };
	bool alone = false;
	size_t i;
	json_t *mode;

	if (!json_array_size(modes))
		refuse_required(out, at, none);
	json_array_foreach (modes, i, mode) {
		const char *text = str(mode, "");
		bool found = false;

		for (const char *const *k = known; *k; k++)
			found |= !strcmp(text, *k);
		if (!found)
			refuse_unsupported(out, at, text, known);
		alone |= !strcmp(text, "ReadWriteOncePod");
	}
	if (alone && json_array_size(modes) > 1)
		refuse_forbidden(out, at, "may not use ReadWriteOncePod with other access modes");
}

/* --- PersistentVolume ----------------------------------------------------------------- */

/* The sources of a volume are the fields that the schema keeps in the same protobuf message. */
static const char *const sources[] = { "hostPath", "gcePersistentDisk", "awsElasticBlockStore",
	"glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs", "iscsi", "cinder", "fc",
	"flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume",
	"azureDisk", "scaleIO", "local", "storageos", "csi" };

static void
check_capacity(struct causes *out, const struct path *at, const json_t *capacity)
{
	static const char *const storage[] = { "storage", NULL };
	const json_t *amount = json_object_get(capacity, "storage");
	json_auto_t *shown = sorted_copy(capacity);

	if (!json_object_size(capacity))
		refuse_required(out, at, "");
	else if (!amount || json_object_size(capacity) > 1)
		refuse_unsupported_value(out, at, shown, storage);
	if (amount && quantity_milli(amount) <= 0)
		refuse_value(out, KEY(at, "storage"), amount, "must be greater than zero");
}

static void
check_sources(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *path = json_object_get(spec, "hostPath");
	size_t n = 0;

	for (size_t i = 0; i < COUNT(sources); i++)
		if (json_object_get(spec, sources[i]) && n++)
			refuse_forbidden(
			    out, AT(at, sources[i]), "may not specify more than 1 volume type");
	if (!n)
		refuse_required(out, at, "must specify a volume type");
	if (json_object_get(spec, "csi")) {
		check_required(out, AT(at, "csi"), json_object_get(spec, "csi"), "driver");
		check_required(out, AT(at, "csi"), json_object_get(spec, "csi"), "volumeHandle");
	}
	if (path)
		check_required(out, AT(at, "hostPath"), path, "path");
	if (path && !strcmp(text(path, "path"), "/") &&
	    !strcmp(text(spec, "persistentVolumeReclaimPolicy"), "Recycle"))
		refuse_forbidden(out, AT(at, "persistentVolumeReclaimPolicy"),
		    "may not be 'recycle' for a hostPath mount of '/'");
}

void
persistent_volume_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(top, "spec");

	check_access_modes(out, AT(at, "accessModes"), json_object_get(spec, "accessModes"), "");
	check_capacity(out, AT(at, "capacity"), json_object_get(spec, "capacity"));
	check_sources(out, at, spec);
	if (*text(spec, "storageClassName"))
		check_dns_subdomain(
		    out, AT(at, "storageClassName"), text(spec, "storageClassName"));
}

void
persistent_volume_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *now = json_object_get(obj, "spec"), *before = json_object_get(old, "spec");

	for (size_t i = 0; i < COUNT(sources); i++)
		if (!same_value(
			json_object_get(now, sources[i]), json_object_get(before, sources[i]))) {
			refuse_forbidden(out, AT(AT(top, "spec"), "persistentvolumesource"),
			    "spec.persistentvolumesource is immutable after creation");
			return;
		}
}

/* --- PersistentVolumeClaim ---------------------------------------------------------------- */

void
volume_claim_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *amount = get(spec, "resources", "requests", "storage");
	const json_t *source = json_object_get(spec, "dataSource");
	const struct path *at = AT(top, "spec");

	if (json_object_get(spec, "selector"))
		check_label_selector(out, AT(at, "selector"), json_object_get(spec, "selector"));
	check_access_modes(out, AT(at, "accessModes"), json_object_get(spec, "accessModes"),
	    "at least 1 access mode is required");
	if (!amount)
		refuse_required(out, KEY(AT(at, "resources"), "storage"), "");
	else if (quantity_milli(amount) <= 0)
		refuse_value(
		    out, KEY(AT(at, "resources"), "storage"), amount, "must be greater than zero");
	if (*text(spec, "storageClassName"))
		check_dns_subdomain(
		    out, AT(at, "storageClassName"), text(spec, "storageClassName"));
	if (source && !json_equal(source, json_object_get(spec, "dataSourceRef")))
		cause_add(out, "FieldValueInvalid", "spec",
		    "Invalid value: {}: must match dataSourceRef");
}

/* A bound claim may grow; nothing else of a claim changes but what the system fills in. */
void
volume_claim_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const filled[] = { "volumeName", "storageClassName" };
	json_auto_t *now = json_deep_copy(json_object_get(obj, "spec"));
	json_auto_t *before = json_deep_copy(json_object_get(old, "spec"));
	int64_t want = quantity_milli(get(now, "resources", "requests", "storage"));
	int64_t had = quantity_milli(get(before, "resources", "requests", "storage"));
	bool bound = !strcmp(text(old, "status", "phase"), "Bound");

	for (size_t i = 0; i < COUNT(filled); i++)
		if (!json_object_get(before, filled[i]))
			json_object_del(now, filled[i]);
	if (bound) {
		json_object_del(now, "volumeAttributesClassName");
		json_object_del(before, "volumeAttributesClassName");
	}
	if (bound && want >= had) {
		json_object_del(now, "resources");
		json_object_del(before, "resources");
	}
	if (!same_value(now, before))
		refuse_forbidden(out, AT(top, "spec"),
		    "spec is immutable after creation except resources.requests and "
		    "volumeAttributesClassName for "
		    "bound claims");
}

/* --- StorageClass and drivers ----------------------------------------------------------------- */

void
storage_class_create(struct causes *out, const json_t *obj)
{
	size_t i, j;
	json_t *term, *e;

	if (check_required(out, top, obj, "provisioner"))
		check_qualified_name(out, AT(top, "provisioner"), text(obj, "provisioner"));
	json_array_foreach (json_object_get(obj, "allowedTopologies"), i, term)
		json_array_foreach (json_object_get(term, "matchLabelExpressions"), j, e) {
			const struct path *at = ITEM(
			    AT(ITEM(AT(top, "allowedTopologies"), i), "matchLabelExpressions"), j);

			if (!json_array_size(json_object_get(e, "values")))
				refuse_required(out, AT(at, "values"), "");
			check_qualified_name(out, AT(at, "key"), text(e, "key"));
		}
}

void
storage_class_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const fixed[] = { "parameters", "provisioner", "reclaimPolicy",
		"volumeBindingMode" };

	for (size_t i = 0; i < COUNT(fixed); i++)
		if (!same_value(json_object_get(obj, fixed[i]), json_object_get(old, fixed[i])))
			refuse_forbidden(
			    out, AT(top, fixed[i]), "updates to %s are forbidden.", fixed[i]);
}

void
attributes_class_create(struct causes *out, const json_t *obj)
{
	check_required(out, top, obj, "driverName");
}

void
attributes_class_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const fixed[] = { "driverName", "parameters" };

	for (size_t i = 0; i < COUNT(fixed); i++)
		if (!same_value(json_object_get(obj, fixed[i]), json_object_get(old, fixed[i])))
			refuse_forbidden(
			    out, AT(top, fixed[i]), "updates to %s are forbidden.", fixed[i]);
}

void
csi_driver_create(struct causes *out, const json_t *obj)
{
	static const char *const modes[] = { "Persistent", "Ephemeral", NULL };
	const json_t *spec = json_object_get(obj, "spec"),
		     *tokens = json_object_get(spec, "tokenRequests");
	const struct path *at = AT(top, "spec");
	json_auto_t *audiences = json_object();
	size_t i;
	json_t *item;

	json_array_foreach (json_object_get(spec, "volumeLifecycleModes"), i, item)
		if (strcmp(str(item, ""), modes[0]) && strcmp(str(item, ""), modes[1]))
			refuse_unsupported(
			    out, AT(at, "volumeLifecycleModes"), str(item, ""), modes);
	json_array_foreach (tokens, i, item) {
		const struct path *here = ITEM(AT(at, "tokenRequests"), i);

		check_unique(out, AT(here, "audience"), audiences, text(item, "audience"));
		if (num(json_object_get(item, "expirationSeconds"), 600) < 600)
			refuse_value(out, AT(here, "expirationSeconds"),
			    json_object_get(item, "expirationSeconds"),
			    "may not specify a duration less than 10 minutes");
	}
}

void
csi_driver_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *now = json_object_get(obj, "spec"), *before = json_object_get(old, "spec");

	/* The first field has this name here in Kubernetes. */
	check_immutable(out, AT(AT(top, "spec"), "attachedRequired"),
	    json_object_get(now, "attachRequired"), json_object_get(before, "attachRequired"));
	check_immutable(out, AT(AT(top, "spec"), "volumeLifecycleModes"),
	    json_object_get(now, "volumeLifecycleModes"),
	    json_object_get(before, "volumeLifecycleModes"));
}

static void
check_topology_keys(struct causes *out, const struct path *at, const json_t *keys)
{
	json_auto_t *seen = json_object();
	size_t i;
	json_t *key;

	json_array_foreach (keys, i, key) {
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
		const struct path *at = ITEM(AT(AT(top, "spec"), "drivers"), i);

		check_required(out, at, d, "name");
		check_required(out, at, d, "nodeID");
		check_unique(out, AT(at, "name"), names, text(d, "name"));
		check_topology_keys(out, at, json_object_get(d, "topologyKeys"));
		check_not_negative(
		    out, AT(at, "allocatable"), json_object_get(d, "allocatable"), "count");
	}
}

/* Drivers come and go, but each stays as it is. */
void
csi_node_update(struct causes *out, const json_t *obj, const json_t *old)
{
	json_auto_t *known = json_object();
	size_t i;
	json_t *d, *before;

	json_array_foreach (get(old, "spec", "drivers"), i, d)
		json_object_set(known, text(d, "name"), d);
	json_array_foreach (get(obj, "spec", "drivers"), i, d) {
		json_auto_t *whole = json_pack("{s:s, s:s, s:O?, s:O?}", "Name", text(d, "name"),
		    "NodeID", text(d, "nodeID"), "TopologyKeys", json_object_get(d, "topologyKeys"),
		    "Allocatable", json_object_get(d, "allocatable"));

		before = json_object_get(known, text(d, "name"));
		if (before && !json_equal(d, before))
			refuse_value(
			    out, AT(AT(top, "spec"), "drivers"), whole, "field is immutable");
	}
}

void
storage_capacity_create(struct causes *out, const json_t *obj)
{
	static const char *const amounts[] = { "capacity", "maximumVolumeSize" };

	check_dns_subdomain(out, AT(top, "storageClassName"), text(obj, "storageClassName"));
	for (size_t i = 0; i < COUNT(amounts); i++) {
		const json_t *v = json_object_get(obj, amounts[i]);

		if (v && quantity_milli(v) < 0)
			refuse_value(
			    out, AT(top, amounts[i]), v, "must be greater than or equal to 0");
	}
}

void
volume_attachment_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec"),
		     *source = json_object_get(spec, "source");
	const struct path *at = AT(top, "spec");
	bool name = *text(source, "persistentVolumeName"),
	     given = json_object_get(source, "inlineVolumeSpec");

	check_required(out, at, spec, "attacher");
	if (name && given)
		refuse_forbidden(out, AT(at, "source"),
		    "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
	else if (!name && !given)
		refuse_required(out, AT(at, "source"),
		    "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
	check_dns_subdomain(out, AT(at, "nodeName"), text(spec, "nodeName"));
}

void
volume_attachment_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *spec = json_object_get(obj, "spec"),
		     *source = json_object_get(spec, "source");
	json_auto_t *whole = json_pack("{s:s, s:{s:O?, s:O?}, s:s}", "Attacher",
	    text(spec, "attacher"), "Source", "PersistentVolumeName",
	    json_object_get(source, "persistentVolumeName"), "InlineVolumeSpec",
	    json_object_get(source, "inlineVolumeSpec"), "NodeName", text(spec, "nodeName"));

	if (!same_value(spec, json_object_get(old, "spec")))
		refuse_value(out, AT(top, "spec"), whole, "field is immutable");
}
