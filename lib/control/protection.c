/*
 * Protection of storage: a claim that a Pod uses, a volume that is bound, a class of attributes
 * that something names: each goes only when nothing needs it any more.
 *	reads	PersistentVolumeClaims, PersistentVolumes, VolumeAttributesClasses; Pods
 *	plans	patch of their finalizers
 *
 * The store's StorageObjectInUseProtection puts the finalizers on; what came without gets one here.
 */
#include <string.h>

#include "api/meta.h"
#include "control/control.h"

#define CLAIM "PersistentVolumeClaim"
#define VOLUME "PersistentVolume"
#define ATTRIBUTES "VolumeAttributesClass.storage.k8s.io"

static void
plan_finalizer(
    const json_t *obj, const char *finalizer, bool there, const char *why, struct plan *out)
{
	json_t *patch = plan_ref_version(obj), *list = json_array(), *name;
	size_t i;

	json_array_foreach (get(obj, "metadata", "finalizers"), i, name)
		if (strcmp(str(name, ""), finalizer) != 0)
			json_array_append(list, name);
	if (there)
		json_array_append_new(list, json_string(finalizer));
	put(patch, list, "metadata", "finalizers");
	plan_add(out, ACT_PATCH, patch, "%s", why);
}

/* The one decision: `used` says whether something needs obj. */
static int
protect(const struct world *w, const json_t *obj, const char *finalizer, const char *const *asked,
    bool (*used)(const struct world *w, const json_t *obj), struct plan *out, struct err *err)
{
	bool has = meta_has_finalizer(obj, finalizer);

	if (!meta_deleting(obj) && !has)
		plan_finalizer(obj, finalizer, true, "it is not protected yet", out);
	if (!meta_deleting(obj) || !has)
		return 0;
	for (; *asked; asked++)
		if (!world_knows(w, *asked))
			return err_set(err, ERR_UNAVAILABLE,
			    "it looks unused, but of %s nothing is known here (is the input "
			    "complete?)",
			    *asked);
	if (!used(w, obj))
		plan_finalizer(obj, finalizer, false, "nothing uses it any more", out);
	return 0;
}

/* --- claims --- */

/* "ephemeral" volumes have a claim of their own, named after the Pod and the volume. */
static bool
names_claim(const json_t *pod, const json_t *volume, const char *claim)
{
	const char *name = meta_name(pod);
	size_t n = strlen(name);

	if (strcmp(text(volume, "persistentVolumeClaim", "claimName"), claim) == 0)
		return *claim != '\0';
	return get(volume, "ephemeral") && strncmp(claim, name, n) == 0 && claim[n] == '-' &&
	       strcmp(claim + n + 1, text(volume, "name")) == 0;
}

/* The agent has stopped its containers and let go of its volumes. */
static bool
shut_down(const json_t *pod)
{
	return meta_deleting(pod) &&
	       num(get(pod, "metadata", "deletionGracePeriodSeconds"), 1) == 0;
}

/* Pods without a node do not count: no node starts one whose claim is being deleted. */
static bool
pod_uses(const json_t *pod, const json_t *claim)
{
	json_t *v;
	size_t i;

	if (!*text(pod, "spec", "nodeName"))
		return false;
	json_array_foreach (get(pod, "spec", "volumes"), i, v) {
		if (!names_claim(pod, v, meta_name(claim)))
			continue;
		if (!get(v, "ephemeral") || (!shut_down(pod) && meta_owned_by(claim, pod)))
			return true;
	}
	return false;
}

static bool
claim_used(const struct world *w, const json_t *claim)
{
	struct walk it = world_each(w, "Pod", meta_namespace(claim));

	for (const json_t *pod; (pod = walk_next(&it));)
		if (pod_uses(pod, claim))
			return true;
	return false;
}

static int
reconcile_claim(const struct world *w, const json_t *claim, struct plan *out, struct err *err)
{
	static const char *const asked[] = { "Pod", NULL };

	return protect(w, claim, "kubernetes.io/pvc-protection", asked, claim_used, out, err);
}

static void
wake_claims(const struct world *w, const json_t *pod,
    void (*wake)(void *arg, const char *group_kind, const char *ns, const char *name), void *arg)
{
	struct walk it = world_each(w, CLAIM, meta_namespace(pod));
	json_t *v;
	size_t i;

	if (json_array_size(get(pod, "spec", "volumes")) == 0)
		return;
	for (const json_t *claim; (claim = walk_next(&it));)
		json_array_foreach (get(pod, "spec", "volumes"), i, v)
			if (meta_deleting(claim) && names_claim(pod, v, meta_name(claim)))
				wake(arg, NULL, meta_namespace(claim), meta_name(claim));
}

/* --- volumes --- */

static bool
volume_used(const struct world *w, const json_t *volume)
{
	(void)w;
	return strcmp(text(volume, "status", "phase"), "Bound") == 0;
}

static int
reconcile_volume(const struct world *w, const json_t *volume, struct plan *out, struct err *err)
{
	static const char *const asked[] = { NULL };

	return protect(w, volume, "kubernetes.io/pv-protection", asked, volume_used, out, err);
}

/* --- classes of attributes --- */

/* Is this class the one that obj, a claim or a volume, has, had or wants? */
static bool
names_class(const json_t *obj, const char *class)
{
	return strcmp(text(obj, "spec", "volumeAttributesClassName"), class) == 0 ||
	       strcmp(text(obj, "status", "currentVolumeAttributesClassName"), class) == 0 ||
	       strcmp(text(obj, "status", "modifyVolumeStatus", "targetVolumeAttributesClassName"),
		   class) == 0;
}

static bool
class_used(const struct world *w, const json_t *class)
{
	static const char *const kinds[] = { CLAIM, VOLUME, NULL };

	for (const char *const *kind = kinds; *kind; kind++) {
		struct walk it = world_each(w, *kind, NULL);

		for (const json_t *obj; (obj = walk_next(&it));)
			if (names_class(obj, meta_name(class)))
				return true;
	}
	return false;
}

static int
reconcile_class(const struct world *w, const json_t *class, struct plan *out, struct err *err)
{
	static const char *const asked[] = { CLAIM, VOLUME, NULL };

	return protect(w, class, "kubernetes.io/vac-protection", asked, class_used, out, err);
}

/* What obj named before it changed is not known here: all that wait are looked at. */
static void
wake_classes(const struct world *w, const json_t *obj,
    void (*wake)(void *arg, const char *group_kind, const char *ns, const char *name), void *arg)
{
	struct walk it = world_each(w, ATTRIBUTES, NULL);

	(void)obj;
	for (const json_t *class; (class = walk_next(&it));)
		if (meta_deleting(class))
			wake(arg, NULL, "", meta_name(class));
}

const struct controller pvc_protection_controller = {
	.name = "pvc-protection",
	.kind = CLAIM,
	.reads = (const char *const[]){ "Pod", NULL },
	.wakes = wake_claims,
	.reconcile = reconcile_claim,
	.summary = "let a claim that is being deleted go when no Pod uses it",
};

const struct controller pv_protection_controller = {
	.name = "pv-protection",
	.kind = VOLUME,
	.reconcile = reconcile_volume,
	.summary = "let a volume that is being deleted go when it is not bound",
};

const struct controller vac_protection_controller = {
	.name = "vac-protection",
	.kind = ATTRIBUTES,
	.reads = (const char *const[]){ CLAIM, VOLUME, NULL },
	.wakes = wake_classes,
	.reconcile = reconcile_class,
	.summary = "let a class of volume attributes go when nothing names it",
};
