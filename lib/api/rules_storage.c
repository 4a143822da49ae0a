/* PersistentVolumes (Kubernetes: pkg/apis/core/validation). */
#include <string.h>

#include "api/quantity.h"
#include "api/rules.h"
#include "api/rules_pod.h"
#include "api/shown.h"
#include "base/mem.h"
#include "base/text.h"

static const char inside[] = "may not be specified in the context of inline volumes";

void
check_access_modes(struct causes *out, const struct path *at, const json_t *modes, const char *none)
{
	static const char *const known[] = { "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce",
		"ReadWriteOncePod", NULL };
	bool alone = false, others = false;
	size_t i;
	json_t *mode;

	if (!json_array_size(modes))
		refuse_required(out, at, none);
	json_array_foreach (modes, i, mode) {
		const char *word = str(mode, "");

		if (!text_in(word, known))
			refuse_unsupported(out, at, word, known);
		else if (!strcmp(word, "ReadWriteOncePod"))
			alone = true;
		else
			others = true;
	}
	if (alone && others)
		refuse_forbidden(out, at, "may not use ReadWriteOncePod with other access modes");
}

static void
check_capacity(struct causes *out, const struct path *at, const json_t *capacity)
{
	static const char *const storage[] = { "storage", NULL };
	json_auto_t *shown = sorted_copy(capacity);
	const char *name;
	json_t *amount;

	if (!json_object_size(capacity))
		refuse_required(out, at, "");
	if (!json_object_get(capacity, "storage") || json_object_size(capacity) > 1)
		refuse_unsupported_value(out, at, shown, storage);
	json_object_foreach ((json_t *)capacity, name, amount) {
		if (quantity_milli(amount) < 0)
			refuse_number(out, KEY(at, name), quantity_value(amount),
			    "must be a valid resource quantity");
		if (quantity_milli(amount) <= 0)
			refuse_value(out, KEY(at, name), amount, "must be greater than zero");
	}
}

/* --- where the volume is ---------------------------------------------------------------------- */

static void
check_secret(struct causes *out, const struct path *at, const json_t *csi, const char *key)
{
	const json_t *ref = json_object_get(csi, key);

	at = AT(at, key);
	if (!ref)
		return;
	if (check_required(out, at, ref, "name"))
		check_dns_subdomain(out, AT(at, "name"), text(ref, "name"));
	if (check_required(out, at, ref, "namespace"))
		check_dns_label(out, AT(at, "namespace"), text(ref, "namespace"));
}

static void
check_csi(struct causes *out, const struct path *at, const json_t *csi)
{
	check_driver_name(out, AT(at, "driver"), text(csi, "driver"));
	check_required(out, at, csi, "volumeHandle");
	check_secret(out, at, csi, "controllerPublishSecretRef");
	check_secret(out, at, csi, "controllerExpandSecretRef");
	check_secret(out, at, csi, "nodePublishSecretRef");
	check_secret(out, at, csi, "nodeExpandSecretRef");
}

static void
check_local(struct causes *out, const struct path *at, const json_t *local)
{
	if (check_required(out, at, local, "path"))
		check_no_backsteps(out, AT(at, "path"), text(local, "path"));
}

/* In the order Kubernetes looks at them, with what else it calls them. */
static const struct source {
	const char *name, *first, *second;
} sources[] = {
	{ "hostPath", NULL, NULL },
	{ "gcePersistentDisk", "persistentDisk", NULL },
	{ "awsElasticBlockStore", NULL, NULL },
	{ "glusterfs", NULL, NULL },
	{ "flocker", NULL, NULL },
	{ "nfs", NULL, NULL },
	{ "rbd", NULL, NULL },
	{ "quobyte", NULL, NULL },
	{ "cephfs", NULL, "cephFS" },
	{ "iscsi", NULL, NULL },
	{ "cinder", NULL, NULL },
	{ "fc", NULL, NULL },
	{ "flexVolume", NULL, NULL },
	{ "azureFile", NULL, NULL },
	{ "vsphereVolume", NULL, NULL },
	{ "photonPersistentDisk", NULL, NULL },
	{ "portworxVolume", NULL, NULL },
	{ "azureDisk", NULL, NULL },
	{ "scaleIO", NULL, NULL },
	{ "local", NULL, NULL },
	{ "storageos", NULL, NULL },
	{ "csi", NULL, NULL },
};

static void
check_source(struct causes *out, const struct path *at, const struct source *s, const json_t *spec)
{
	const json_t *source = json_object_get(spec, s->name);
	const struct path *here = AT(at, s->first ? s->first : s->name);

	if (!strcmp(s->name, "csi"))
		check_csi(out, here, source);
	else if (!strcmp(s->name, "local"))
		check_local(out, here, source);
	else
		check_volume_source(out, here, s->name, source, true);
	if (!strcmp(s->name, "local") && !json_object_get(spec, "nodeAffinity"))
		refuse_required(out, AT(at, "nodeAffinity"), "Local volume requires node affinity");
}

static void
check_sources(struct causes *out, const struct path *at, const json_t *spec)
{
	size_t n = 0;

	for (const struct source *s = sources; s < sources + COUNT(sources); s++) {
		if (!json_object_get(spec, s->name))
			continue;
		if (n++ && strcmp(s->name, "flexVolume"))
			refuse_forbidden(out, AT(at, s->second ? s->second : s->name),
			    "may not specify more than 1 volume type");
		else
			check_source(out, at, s, spec);
	}
	if (!n)
		refuse_required(out, at, "must specify a volume type");
}

/* --- the volume ------------------------------------------------------------------------------- */

static void
check_class_name(struct causes *out, const struct path *at, const char *name)
{
	if (*name)
		check_dns_subdomain(out, at, name);
}

static void
check_attributes_class(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *name = json_object_get(spec, "volumeAttributesClassName");

	if (!name)
		return;
	if (!*str(name, ""))
		refuse_required(
		    out, AT(at, "volumeAttributesClassName"), "an empty string is disallowed");
	check_class_name(out, AT(at, "volumeAttributesClassName"), str(name, ""));
	if (!json_object_get(spec, "csi"))
		refuse_required(
		    out, AT(at, "csi"), "has to be specified when using volumeAttributesClassName");
}

static void
check_recycling(struct causes *out, const struct path *at, const json_t *spec)
{
	const char *path = text(spec, "hostPath", "path");

	if (*path && strspn(path, "/.") == strlen(path) && *path == '/' && !strstr(path, "..") &&
	    !strcmp(text(spec, "persistentVolumeReclaimPolicy"), "Recycle"))
		refuse_forbidden(out, AT(at, "persistentVolumeReclaimPolicy"),
		    "may not be 'recycle' for a hostPath mount of '/'");
}

static void
check_volume_spec(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const policies[] = { "Delete", "Recycle", "Retain", NULL };
	static const char *const modes[] = { "Block", "Filesystem", NULL };
	const json_t *affinity = json_object_get(spec, "nodeAffinity");

	check_access_modes(out, AT(at, "accessModes"), json_object_get(spec, "accessModes"), "");
	check_capacity(out, AT(at, "capacity"), json_object_get(spec, "capacity"));
	check_one_of(out, at, spec, "persistentVolumeReclaimPolicy", policies);
	if (affinity && json_object_get(affinity, "required"))
		check_node_selector(out, AT(AT(at, "nodeAffinity"), "required"),
		    json_object_get(affinity, "required"));
	else if (affinity)
		refuse_required(out, AT(AT(at, "nodeAffinity"), "required"),
		    "must specify required node constraints");
	check_sources(out, at, spec);
	check_recycling(out, at, spec);
	check_class_name(out, AT(at, "storageClassName"), text(spec, "storageClassName"));
	check_one_of(out, at, spec, "volumeMode", modes);
	check_attributes_class(out, at, spec);
}

/* A volume that is told of in an attachment, without an object of its own. */
void
check_inline_volume(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const none[] = { "nodeAffinity", "storageClassName" };
	const char *policy = text(spec, "persistentVolumeReclaimPolicy");
	const char *mode = text(spec, "volumeMode");

	if (json_object_get(spec, "claimRef"))
		refuse_forbidden(out, AT(at, "claimRef"), "%s", inside);
	if (json_object_size(json_object_get(spec, "capacity")))
		refuse_forbidden(out, AT(at, "capacity"), "%s", inside);
	if (!json_object_get(spec, "csi"))
		refuse_required(
		    out, AT(at, "csi"), "has to be specified in the context of inline volumes");
	check_access_modes(out, AT(at, "accessModes"), json_object_get(spec, "accessModes"), "");
	if (*policy && strcmp(policy, "Retain"))
		refuse_forbidden(out, AT(at, "persistentVolumeReclaimPolicy"),
		    "may only be Retain in the context of inline volumes");
	check_sources(out, at, spec);
	for (size_t i = 0; i < COUNT(none); i++)
		if (json_object_get(spec, none[i]))
			refuse_forbidden(out, AT(at, none[i]), "%s", inside);
	if (*mode && strcmp(mode, "Filesystem"))
		refuse_forbidden(out, AT(at, "volumeMode"),
		    "may not specify volumeMode other than Filesystem in the context of inline "
		    "volumes");
	check_attributes_class(out, at, spec);
}

void
persistent_volume_create(struct causes *out, const json_t *obj)
{
	check_volume_spec(out, AT(NULL, "spec"), json_object_get(obj, "spec"));
}

/* --- updates ---------------------------------------------------------------------------------- */

/* Where a volume is, alone; new. */
static json_t *
source_of(const json_t *spec)
{
	json_t *source = json_object();

	for (size_t i = 0; i < COUNT(sources); i++)
		if (json_object_get(spec, sources[i].name))
			json_object_set(
			    source, sources[i].name, json_object_get(spec, sources[i].name));
	return source;
}

/* A secret for growing may be named later. */
static void
check_same_source(struct causes *out, const json_t *now, const json_t *before)
{
	static const char grow[] = "controllerExpandSecretRef";
	json_auto_t *has = source_of(now), *had = source_of(before);
	json_t *csi = json_object_get(has, "csi");
	autofree char *diff = NULL;

	if (json_object_get(had, "csi") && csi && !json_object_get(get(had, "csi"), grow)) {
		json_t *copy = json_copy(csi);

		json_object_del(copy, grow);
		json_object_set_new(has, "csi", copy);
	}
	if (json_equal(has, had))
		return;
	diff = shown_diff("core.v1.PersistentVolumeSpec", had, has);
	refuse_forbidden(out, AT(AT(NULL, "spec"), "persistentvolumesource"),
	    "spec.persistentvolumesource is immutable after creation\n%s", diff);
}

void
persistent_volume_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char class[] = "volumeAttributesClassName";
	const json_t *now = json_object_get(obj, "spec"), *before = json_object_get(old, "spec");
	const json_t *had = json_object_get(before, "nodeAffinity");
	const json_t *has = json_object_get(now, "nodeAffinity");

	check_same_source(out, now, before);
	check_immutable(out, AT(NULL, "volumeMode"), json_object_get(now, "volumeMode"),
	    json_object_get(before, "volumeMode"));
	if (had && !same_value(has, had))
		refuse_shown(out, AT(NULL, "nodeAffinity"), "core.v1.VolumeNodeAffinity", has,
		    "field is immutable, except for updating from beta label to GA");
	if (json_object_get(before, class) && !json_object_get(now, class))
		refuse_forbidden(out, AT(AT(NULL, "spec"), class),
		    "update from non-nil value to nil is forbidden");
}
