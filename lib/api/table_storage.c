/* The cells of what holds data: volumes, claims, classes, drivers. */
#include <string.h>

#include "api/meta.h"
#include "api/table_cells.h"

/* "RWO,RWX": the modes in their short form, each once. */
static void
add_modes(struct buf *b, const json_t *modes)
{
	static const char *const names[][2] = { { "ReadWriteOnce", "RWO" },
		{ "ReadOnlyMany", "ROX" }, { "ReadWriteMany", "RWX" },
		{ "ReadWriteOncePod", "RWOP" } };

	for (size_t m = 0; m < 4; m++) {
		size_t i;
		json_t *mode;

		json_array_foreach (modes, i, mode)
			if (strcmp(str(mode, ""), names[m][0]) == 0) {
				join(b, ",", names[m][1]);
				break;
			}
	}
}

static json_t *
volume_modes(const json_t *pv, int64_t now)
{
	struct buf b = BUF_INIT;

	(void)now;
	add_modes(&b, get(pv, "spec", "accessModes"));
	return cell_buf(&b);
}

static json_t *
phase(const json_t *obj, int64_t now)
{
	(void)now;
	return json_string(meta_deleting(obj) ? "Terminating" : text(obj, "status", "phase"));
}

static json_t *
volume_claim(const json_t *pv, int64_t now)
{
	const json_t *ref = get(pv, "spec", "claimRef");

	(void)now;
	return ref ? json_sprintf("%s/%s", text(ref, "namespace"), text(ref, "name"))
		   : json_string("");
}

/* The class, which an old annotation may also name. */
static json_t *
storage_class(const json_t *obj, int64_t now)
{
	const char *old = meta_annotation(obj, "volume.beta.kubernetes.io/storage-class");

	(void)now;
	return json_string(old ? old : text(obj, "spec", "storageClassName"));
}

static const char *
amount(const json_t *quantity)
{
	return str(quantity, "0");
}

/* What a claim has is known once it is bound. */
static json_t *
claim_capacity(const json_t *pvc, int64_t now)
{
	bool bound = *text(pvc, "spec", "volumeName");

	(void)now;
	return json_string(bound ? amount(get(pvc, "status", "capacity", "storage")) : "");
}

static json_t *
claim_modes(const json_t *pvc, int64_t now)
{
	struct buf b = BUF_INIT;

	(void)now;
	if (*text(pvc, "spec", "volumeName"))
		add_modes(&b, get(pvc, "status", "accessModes"));
	return cell_buf(&b);
}

/* "fast (default)": a class that claims without one get. */
static json_t *
class_name(const json_t *class, int64_t now)
{
	static const char *const keys[] = { "storageclass.kubernetes.io/is-default-class",
		"storageclass.beta.kubernetes.io/is-default-class" };
	bool dflt = false;

	(void)now;
	for (size_t i = 0; i < 2; i++) {
		const char *v = meta_annotation(class, keys[i]);

		dflt = dflt || (v && strcmp(v, "true") == 0);
	}
	return json_sprintf("%s%s", meta_name(class), dflt ? " (default)" : "");
}

static json_t *
attributes_class_name(const json_t *class, int64_t now)
{
	const char *v =
	    meta_annotation(class, "volumeattributesclass.alpha.kubernetes.io/is-default-class");

	(void)now;
	return json_sprintf(
	    "%s%s", meta_name(class), v && strcmp(v, "true") == 0 ? " (default)" : "");
}

static json_t *
node_drivers(const json_t *node, int64_t now)
{
	(void)now;
	return json_integer((json_int_t)json_array_size(get(node, "spec", "drivers")));
}

static json_t *
driver_tokens(const json_t *driver, int64_t now)
{
	struct buf b = BUF_INIT;

	(void)now;
	join_all(&b, get(driver, "spec", "tokenRequests"), "audience");
	if (!get(driver, "spec", "tokenRequests"))
		buf_puts(&b, "<unset>");
	return cell_buf(&b);
}

static json_t *
driver_modes(const json_t *driver, int64_t now)
{
	struct buf b = BUF_INIT;

	(void)now;
	join_all(&b, get(driver, "spec", "volumeLifecycleModes"), NULL);
	if (b.len == 0)
		buf_puts(&b, "<none>");
	return cell_buf(&b);
}

/* clang-format off */
static const struct cell volume[] = {
	TEXT("Capacity", "spec.capacity.storage", "0"), CELL("Access Modes", volume_modes),
	TEXT("Reclaim Policy", "spec.persistentVolumeReclaimPolicy", ""), CELL("Status", phase),
	CELL("Claim", volume_claim), CELL("StorageClass", storage_class),
	TEXT("VolumeAttributesClass", "spec.volumeAttributesClassName", "<unset>"), TEXT("Reason", "status.reason", ""),
	TEXT("VolumeMode", "spec.volumeMode", "<unset>"), { 0 },
};
static const struct cell claim[] = {
	CELL("Status", phase), TEXT("Volume", "spec.volumeName", ""), CELL("Capacity", claim_capacity),
	CELL("Access Modes", claim_modes), CELL("StorageClass", storage_class),
	TEXT("VolumeAttributesClass", "spec.volumeAttributesClassName", "<unset>"),
	TEXT("VolumeMode", "spec.volumeMode", "<unset>"), { 0 },
};
static const struct cell class[] = {
	CELL("Name", class_name), TEXT("Provisioner", "provisioner", ""), TEXT("ReclaimPolicy", "reclaimPolicy", "Delete"),
	TEXT("VolumeBindingMode", "volumeBindingMode", "Immediate"), BOOL("AllowVolumeExpansion", "allowVolumeExpansion", 0), { 0 },
};
static const struct cell attachment[] = {
	TEXT("Attacher", "spec.attacher", ""), TEXT("PV", "spec.source.persistentVolumeName", ""),
	TEXT("Node", "spec.nodeName", ""), BOOL("Attached", "status.attached", 0), { 0 },
};
static const struct cell attributes_class[] = { CELL("Name", attributes_class_name), TEXT("DriverName", "driverName", ""), { 0 } };
static const struct cell csi_node[] = { CELL("Drivers", node_drivers), { 0 } };
static const struct cell csi_driver[] = {
	BOOL("AttachRequired", "spec.attachRequired", 1), BOOL("PodInfoOnMount", "spec.podInfoOnMount", 0),
	BOOL("StorageCapacity", "spec.storageCapacity", 0), CELL("TokenRequests", driver_tokens),
	BOOL("RequiresRepublish", "spec.requiresRepublish", 0), CELL("Modes", driver_modes), { 0 },
};

const struct cells storage_cells[] = {
	{ "", "PersistentVolume", volume },
	{ "", "PersistentVolumeClaim", claim },
	{ "storage.k8s.io", "StorageClass", class },
	{ "storage.k8s.io", "VolumeAttachment", attachment },
	{ "storage.k8s.io", "VolumeAttributesClass", attributes_class },
	{ "storage.k8s.io", "CSINode", csi_node },
	{ "storage.k8s.io", "CSIDriver", csi_driver },
	{ 0 },
};
/* clang-format on */
