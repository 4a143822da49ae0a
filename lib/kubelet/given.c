#include "kubelet/given.h"

#include <string.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "api/schema.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/volume.h"

static const char runtime_class[] = "RuntimeClass.node.k8s.io";

void
given_put(struct world *w, json_t *obj)
{
	const char *version = text(obj, "apiVersion"), *kind = text(obj, "kind");
	const struct kind *k = kind_of_object(version, kind);

	if (!*meta_namespace(obj) && (!k || k->namespaced))
		put(obj, json_string("default"), "metadata", "namespace");
	if (strcmp(kind, "Secret") == 0)
		secret_complete(obj);
	world_put(w, obj);
}

json_t *
given_get(const struct world *w, const char *kind, const char *ns, const char *name)
{
	bool class = strcmp(kind, "RuntimeClass") == 0;

	return json_incref((json_t *)world_get(w, class ? runtime_class : kind, ns, name));
}

static void
ensure_uid(json_t *obj)
{
	autofree char *what =
	    xasprintf("%s/%s/%s", text(obj, "kind"), meta_namespace(obj), meta_name(obj));

	if (!*meta_uid(obj))
		put(obj,
		    json_sprintf("given-%016llx",
			(unsigned long long)text_hash(what, strlen(what), TEXT_HASH_SEED)),
		    "metadata", "uid");
}

/* The claim of an ephemeral volume; one of that name that is there already stays. */
static void
make_claim(struct world *w, const json_t *pod, const json_t *volume, const char *name)
{
	const json_t *template = get(volume, "ephemeral", "volumeClaimTemplate");
	json_t *claim;

	if (world_get(w, "PersistentVolumeClaim", meta_namespace(pod), name))
		return;
	claim = json_pack("{s:s, s:s, s:O?, s:O?}", "apiVersion", "v1", "kind",
	    "PersistentVolumeClaim", "metadata", json_deep_copy(get(template, "metadata")), "spec",
	    get(template, "spec"));
	put(claim, json_string(name), "metadata", "name");
	put(claim, json_string(meta_namespace(pod)), "metadata", "namespace");
	put(claim,
	    json_pack("[{s:s, s:s, s:s, s:s, s:b}]", "apiVersion", "v1", "kind", "Pod", "name",
		meta_name(pod), "uid", meta_uid(pod), "controller", 1),
	    "metadata", "ownerReferences");
	world_put(w, claim);
}

/* Whose is it: 1 this claim's, 0 nobody's, -1 another's. */
static int
claimed(const json_t *pv, const json_t *claim)
{
	const json_t *ref = get(pv, "spec", "claimRef");

	if (!ref)
		return 0;
	if (strcmp(text(ref, "name"), meta_name(claim)) != 0 ||
	    strcmp(text(ref, "namespace"), meta_namespace(claim)) != 0)
		return -1;
	return !*text(ref, "uid") || strcmp(text(ref, "uid"), meta_uid(claim)) == 0 ? 1 : -1;
}

static bool
has_modes(const json_t *pv, const json_t *claim)
{
	json_t *want, *have;
	size_t i, k;

	json_array_foreach (get(claim, "spec", "accessModes"), i, want) {
		bool found = false;

		json_array_foreach (get(pv, "spec", "accessModes"), k, have)
			found = found || json_equal(want, have);
		if (!found)
			return false;
	}
	return true;
}

static bool
selected(const json_t *pv, const json_t *claim)
{
	const json_t *wanted = get(claim, "spec", "selector");
	struct selector *s = NULL;
	struct err ignored;
	bool ok;

	if (!wanted)
		return true;
	ok = selector_from_json(&s, wanted, &ignored) == 0 &&
	     selector_match(s, get(pv, "metadata", "labels"));
	selector_free(s);
	return ok;
}

static const char *
mode(const json_t *obj)
{
	const char *m = text(obj, "spec", "volumeMode");

	return *m ? m : "Filesystem";
}

static int64_t
capacity(const json_t *pv)
{
	return quantity_value(get(pv, "spec", "capacity", "storage"));
}

static bool
fits(const json_t *pv, const json_t *claim)
{
	return strcmp(text(pv, "spec", "storageClassName"),
		   text(claim, "spec", "storageClassName")) == 0 &&
	       strcmp(mode(pv), mode(claim)) == 0 && has_modes(pv, claim) && selected(pv, claim) &&
	       capacity(pv) >=
		   quantity_value(get(claim, "spec", "resources", "requests", "storage"));
}

static const json_t *
choose(const struct world *w, const json_t *claim)
{
	struct walk it = world_each(w, "PersistentVolume", NULL);
	const char *named = text(claim, "spec", "volumeName");
	const json_t *best = NULL;

	for (const json_t *pv; (pv = walk_next(&it));) {
		int whose = claimed(pv, claim);

		if (whose < 0)
			continue;
		if (*named ? strcmp(meta_name(pv), named) == 0 : whose > 0 && fits(pv, claim))
			return pv;
		if (!*named && fits(pv, claim) && (!best || capacity(pv) < capacity(best)))
			best = pv;
	}
	return best;
}

static void
bind(struct world *w, const char *ns, const char *name)
{
	const json_t *known = world_get(w, "PersistentVolumeClaim", ns, name), *pv;
	json_t *claim = json_deep_copy(known), *taken;

	if (!known)
		return;
	ensure_uid(claim);
	if ((pv = choose(w, claim))) {
		taken = json_deep_copy(pv);
		put(claim, json_string(meta_name(pv)), "spec", "volumeName");
		put(claim, json_string("Bound"), "status", "phase");
		put(taken,
		    json_pack("{s:s, s:s, s:s, s:s, s:s}", "apiVersion", "v1", "kind",
			"PersistentVolumeClaim", "namespace", ns, "name", name, "uid",
			meta_uid(claim)),
		    "spec", "claimRef");
		world_put(w, taken);
	}
	world_put(w, claim);
}

void
given_bind(struct world *w, const json_t *pod)
{
	json_t *v;
	size_t i;

	json_array_foreach (get(pod, "spec", "volumes"), i, v) {
		const char *claim = text(v, "persistentVolumeClaim", "claimName");
		autofree char *name = get(v, "ephemeral")
					  ? xasprintf("%s-%s", meta_name(pod), text(v, "name"))
					  : xstrdup(claim);

		if (get(v, "ephemeral"))
			make_claim(w, pod, v, name);
		if (*name)
			bind(w, meta_namespace(pod), name);
	}
}
