/* Claims, volumes and classes: which class is meant, what is in use, what may grow. */
#include <string.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "base/mem.h"
#include "store/admission.h"

/* --- StorageObjectInUseProtection: nothing goes while something uses it --- */

int
storage_protection(struct admission *a)
{
	static const struct {
		const char *group, *kind, *finalizer;
	} kept[] = {
		{ "", "PersistentVolume", "kubernetes.io/pv-protection" },
		{ "", "PersistentVolumeClaim", "kubernetes.io/pvc-protection" },
		{ "storage.k8s.io", "VolumeAttributesClass", "kubernetes.io/vac-protection" },
	};

	for (size_t i = 0; i < COUNT(kept); i++) {
		if (!kind_is(a->kind, kept[i].group, kept[i].kind) ||
		    meta_has_finalizer(a->obj, kept[i].finalizer))
			continue;
		if (!get(a->obj, "metadata", "finalizers"))
			put(a->obj, json_array(), "metadata", "finalizers");
		json_array_append_new(
		    get(a->obj, "metadata", "finalizers"), json_string(kept[i].finalizer));
	}
	return 0;
}

/* --- DefaultStorageClass, DefaultIngressClass --- */

json_t *
admission_default_class(
    struct admission *a, const char *group, const char *kind, const char *const *annotations)
{
	json_auto_t *all = admission_list(a, group, kind, NULL);
	json_t *class, *found = NULL;
	size_t i;

	json_array_foreach (all, i, class) {
		bool dflt = false;

		for (const char *const *key = annotations; *key; key++)
			dflt = dflt ||
			       strcmp(text(class, "metadata", "annotations", *key), "true") == 0;
		if (dflt && (!found || strcmp(meta_created(class), meta_created(found)) > 0))
			found = class;
	}
	return json_incref(found);
}

int
default_storage_class(struct admission *a)
{
	static const char *const annotations[] = { "storageclass.kubernetes.io/is-default-class",
		"storageclass.beta.kubernetes.io/is-default-class", NULL };
	json_auto_t *class = NULL;

	if (meta_annotation(a->obj, "volume.beta.kubernetes.io/storage-class") ||
	    get(a->obj, "spec", "storageClassName"))
		return 0;
	class = admission_default_class(a, "storage.k8s.io", "StorageClass", annotations);
	if (class)
		put(a->obj, json_string(meta_name(class)), "spec", "storageClassName");
	return 0;
}

int
default_ingress_class(struct admission *a)
{
	static const char *const annotations[] = { "ingressclass.kubernetes.io/is-default-class",
		NULL };
	json_auto_t *class = NULL;

	if (meta_annotation(a->obj, "kubernetes.io/ingress.class") ||
	    get(a->obj, "spec", "ingressClassName"))
		return 0;
	class = admission_default_class(a, "networking.k8s.io", "IngressClass", annotations);
	if (class)
		put(a->obj, json_string(meta_name(class)), "spec", "ingressClassName");
	return 0;
}

/* --- PersistentVolumeClaimResize --- */

/* The annotation of long ago wins. */
static const char *
class_of(const json_t *claim)
{
	const char *old = meta_annotation(claim, "volume.beta.kubernetes.io/storage-class");

	return old ? old : text(claim, "spec", "storageClassName");
}

static bool
may_grow(struct admission *a)
{
	const char *name = class_of(a->obj);
	json_auto_t *class = NULL;

	if (!*name || strcmp(name, class_of(a->old)) != 0)
		return false;
	class = admission_get(a, "storage.k8s.io", "StorageClass", "", name);
	return truth(get(class, "allowVolumeExpansion"));
}

int
claim_resize(struct admission *a)
{
	if (quantity_milli(get(a->obj, "spec", "resources", "requests", "storage")) <=
	    quantity_milli(get(a->old, "spec", "resources", "requests", "storage")))
		return 0;
	if (strcmp(text(a->old, "status", "phase"), "Bound") != 0)
		return admission_forbid(a, "Only bound persistent volume claims can be expanded");
	if (!may_grow(a))
		return admission_forbid(a,
		    "only dynamically provisioned pvc can be resized and the storageclass that "
		    "provisions the pvc must support resize");
	return 0;
}
