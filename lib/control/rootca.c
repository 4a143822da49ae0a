/*
 * The authority behind the API server, where Pods can read it: a ConfigMap in each namespace.
 *	reads	Namespaces, ConfigMaps
 *	plans	create and patch ConfigMap
 *
 * The setting root-ca holds the certificates (PEM); without it nothing is done.
 */
#include <string.h>

#include "api/meta.h"
#include "control/control.h"

#define NAME "kube-root-ca.crt"

static const char what_for[] =
    "The certificates to check the API server by when it is addressed from inside the cluster, "
    "as kubernetes.default.svc or by that Service's address.";

/* apiVersion to data: what both a new one and a patch say. */
static json_t *
wanted(const char *ns, const char *ca)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s}}, s:{s:s}}", "apiVersion", "v1", "kind",
	    "ConfigMap", "metadata", "name", NAME, "namespace", ns, "annotations",
	    "kubernetes.io/description", what_for, "data", "ca.crt", ca);
}

static int
reconcile(const struct world *w, const json_t *ns, struct plan *out, struct err *err)
{
	const char *ca = world_setting(w, "root-ca"), *name = meta_name(ns);
	const json_t *map = world_get(w, "ConfigMap", name, NAME);
	json_t *patch;

	(void)err;
	if (!ca || meta_deleting(ns) || strcmp(text(ns, "status", "phase"), "Terminating") == 0)
		return 0;
	if (!map) {
		plan_add(out, ACT_CREATE, wanted(name, ca),
		    "namespace %s has no certificates of the API server", name);
		return 0;
	}
	if (strcmp(text(map, "data", "ca.crt"), ca) == 0 && json_object_size(get(map, "data")) == 1)
		return 0;
	patch = wanted(name, ca);
	put(patch, json_string(meta_version(map)), "metadata", "resourceVersion");
	for (void *it = json_object_iter(get(map, "data")); it;
	     it = json_object_iter_next(get(map, "data"), it))
		if (strcmp(json_object_iter_key(it), "ca.crt") != 0)
			put(patch, json_null(), "data", json_object_iter_key(it));
	plan_add(out, ACT_PATCH, patch, "it does not hold the certificates of the API server");
	return 0;
}

static void
wakes(const struct world *w, const json_t *map,
    void (*wake)(void *arg, const char *group_kind, const char *ns, const char *name), void *arg)
{
	const char *ns = meta_namespace(map);

	if (strcmp(meta_name(map), NAME) == 0 && world_get(w, "Namespace", "", ns))
		wake(arg, NULL, "", ns);
}

const struct controller rootca_controller = {
	.name = "root-ca",
	.kind = "Namespace",
	.reads = (const char *const[]){ "ConfigMap", NULL },
	.wakes = wakes,
	.reconcile = reconcile,
	.summary = "keep the API server's certificates in a ConfigMap in each namespace",
};
