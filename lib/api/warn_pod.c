/* What may not be meant in a Pod, or in the template of one. */
#include <string.h>

#include "api/meta.h"
#include "api/warn.h"
#include "base/mem.h"

static void
warn_node_affinity(struct causes *out, const struct path *spec, const json_t *pod)
{
	static const char required[] = "requiredDuringSchedulingIgnoredDuringExecution";
	static const char preferred[] = "preferredDuringSchedulingIgnoredDuringExecution";
	const json_t *affinity = get(pod, "spec", "affinity", "nodeAffinity");
	const struct path *at = AT(AT(spec, "affinity"), "nodeAffinity");
	json_t *term;
	size_t i;

	json_array_foreach (get(affinity, required, "nodeSelectorTerms"), i, term)
		warn_term(out, ITEM(AT(AT(at, required), "nodeSelectorTerms"), i), term, true);
	json_array_foreach (get(affinity, preferred), i, term)
		warn_term(out, AT(ITEM(AT(at, preferred), i), "preference"),
		    get(term, "preference"), true);
}

static void
warn_placement(struct causes *out, const struct path *spec, const json_t *pod)
{
	const char *key, *how;
	json_t *v;
	size_t i;

	json_object_foreach (get(pod, "spec", "nodeSelector"), key, v)
		if ((how = label_deprecated(key)))
			warn_field(out, KEY(AT(spec, "nodeSelector"), key), "%s", how);
	warn_node_affinity(out, spec, pod);
	json_array_foreach (get(pod, "spec", "topologySpreadConstraints"), i, v) {
		const struct path *at = ITEM(AT(spec, "topologySpreadConstraints"), i);

		key = text(v, "topologyKey");
		if ((how = label_deprecated(key)))
			warn_field(out, AT(at, "topologyKey"), "%s is %s", key, how);
		if (!get(v, "labelSelector"))
			warn_field(out, AT(at, "labelSelector"),
			    "a null labelSelector results in matching no pod");
	}
}

static void
warn_annotations(struct causes *out, const struct path *at, const json_t *pod)
{
	static const struct {
		const char *key, *how;
	} old[] = {
		{ "scheduler.alpha.kubernetes.io/critical-pod",
		    "non-functional in v1.16+; use the \"priorityClassName\" field instead" },
		{ "security.alpha.kubernetes.io/sysctls",
		    "non-functional in v1.11+; use the \"sysctls\" field instead" },
		{ "security.alpha.kubernetes.io/unsafe-sysctls",
		    "non-functional in v1.11+; use the \"sysctls\" field instead" },
	};

	for (size_t i = 0; i < COUNT(old); i++)
		if (meta_annotation(pod, old[i].key))
			warn_field(out, KEY(AT(AT(at, "metadata"), "annotations"), old[i].key),
			    "%s", old[i].how);
}

static void
warn_volume(struct causes *out, const struct path *at, const json_t *volume)
{
	static const struct {
		const char *kind, *how;
	} old[] = {
		{ "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+" },
		{ "gitRepo", "deprecated in v1.11" },
		{ "scaleIO", "deprecated in v1.16, non-functional in v1.22+" },
		{ "flocker", "deprecated in v1.22, non-functional in v1.25+" },
		{ "storageos", "deprecated in v1.22, non-functional in v1.25+" },
		{ "quobyte", "deprecated in v1.22, non-functional in v1.25+" },
		{ "glusterfs", "deprecated in v1.25, non-functional in v1.26+" },
		{ "cephfs", "deprecated in v1.28, non-functional in v1.31+" },
		{ "rbd", "deprecated in v1.28, non-functional in v1.31+" },
	};
	const struct path *claim = AT(AT(AT(at, "ephemeral"), "volumeClaimTemplate"), "spec");

	for (size_t i = 0; i < COUNT(old); i++)
		if (get(volume, old[i].kind)) /* its Go field is StorageOS */
			warn_field(out,
			    AT(at,
				strcmp(old[i].kind, "storageos") == 0 ? "storageOS" : old[i].kind),
			    "%s", old[i].how);
	warn_claim_spec(out, claim, get(volume, "ephemeral", "volumeClaimTemplate", "spec"));
}

/* --- what stands where a token of the account does --- */

static json_t *
token_paths(const json_t *volumes)
{
	json_t *paths = json_object(), *v, *source;
	size_t i, k;

	json_array_foreach (volumes, i, v)
		json_array_foreach (get(v, "projected", "sources"), k, source)
			if (get(source, "serviceAccountToken"))
				json_object_set_new(paths,
				    text(source, "serviceAccountToken", "path"), json_true());
	return paths;
}

static void
warn_token_path(struct causes *out, const struct path *at, const json_t *paths, const char *path)
{
	if (json_object_get(paths, path))
		warn_field(out, at, "has duplicated path with ServiceAccountToken \"%s\"", path);
}

static void
warn_source(struct causes *out, const struct path *at, const json_t *paths, const json_t *source)
{
	static const struct {
		const char *kind, *shown;
	} lists[] = { { "configMap", "configMap" }, { "secret", "secrets" },
		{ "downwardAPI", "downwardAPI" } };
	const char *bundle = text(source, "clusterTrustBundle", "path");
	json_t *item;
	size_t i;

	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(source, lists[k].kind, "items"), i, item)
			warn_token_path(
			    out, ITEM(AT(at, lists[k].shown), i), paths, text(item, "path"));
	if (*bundle)
		warn_token_path(out, AT(at, "ClusterTrustBundle"), paths, bundle);
}

static void
warn_volumes(struct causes *out, const struct path *at, const json_t *volumes)
{
	json_auto_t *paths = token_paths(volumes);
	json_t *v, *source;
	size_t i, k;

	json_array_foreach (volumes, i, v)
		warn_volume(out, ITEM(at, i), v);
	json_array_foreach (volumes, i, v)
		json_array_foreach (get(v, "projected", "sources"), k, source)
			warn_source(
			    out, AT(AT(ITEM(at, i), "projected"), "sources"), paths, source);
}

/* --- lists --- */

static void
warn_twice(struct causes *out, const struct path *at, const json_t *list, const char *key,
    const char *shown)
{
	json_auto_t *seen = json_object();
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		const char *value = text(item, key);

		if (json_object_get(seen, value))
			warn_field(out, AT(ITEM(at, i), key), "duplicate %s \"%s\"", shown, value);
		json_object_set_new(seen, value, json_true());
	}
}

static void
warn_pull_secrets(struct causes *out, const struct path *at, const json_t *list)
{
	json_t *item;
	size_t i;

	warn_twice(out, at, list, "name", "name");
	json_array_foreach (list, i, item)
		if (!*text(item, "name"))
			warn_field(out, AT(ITEM(at, i), "name"), "invalid empty name \"\"");
}

static void
warn_addresses(struct causes *out, const struct path *spec, const json_t *pod)
{
	json_t *item;
	size_t i;

	json_array_foreach (get(pod, "spec", "dnsConfig", "nameservers"), i, item)
		warn_ip(out, ITEM(AT(AT(spec, "dnsConfig"), "nameservers"), i), str(item, ""));
	json_array_foreach (get(pod, "spec", "hostAliases"), i, item)
		warn_ip(out, AT(ITEM(AT(spec, "hostAliases"), i), "ip"), text(item, "ip"));
}

/* Terms of affinity to Pods that no Pod can match. */
static void
warn_pod_affinity(struct causes *out, const struct path *at, const json_t *affinity)
{
	static const char required[] = "requiredDuringSchedulingIgnoredDuringExecution";
	static const char preferred[] = "preferredDuringSchedulingIgnoredDuringExecution";
	static const char none[] = "a null labelSelector results in matching no pod";
	json_t *term;
	size_t i;

	json_array_foreach (get(affinity, required), i, term)
		if (!get(term, "labelSelector"))
			warn_field(out, AT(ITEM(AT(at, required), i), "labelSelector"), "%s", none);
	json_array_foreach (get(affinity, preferred), i, term)
		if (!get(term, "podAffinityTerm", "labelSelector"))
			warn_field(out,
			    AT(AT(ITEM(AT(at, preferred), i), "podAffinityTerm"), "labelSelector"),
			    "%s", none);
}

void
warn_pod(struct causes *out, const struct path *at, const json_t *pod)
{
	static const char seccomp[] = "seccomp.security.alpha.kubernetes.io/pod";
	const struct path *spec = AT(at, "spec"), *affinity = AT(spec, "affinity");
	const json_t *overhead = get(pod, "spec", "overhead");

	warn_placement(out, spec, pod);
	warn_annotations(out, at, pod);
	warn_volumes(out, AT(spec, "volumes"), get(pod, "spec", "volumes"));
	warn_twice(out, AT(spec, "hostAliases"), get(pod, "spec", "hostAliases"), "ip", "ip");
	warn_pull_secrets(out, AT(spec, "imagePullSecrets"), get(pod, "spec", "imagePullSecrets"));
	warn_fraction(out, AT(spec, "overhead"), overhead, "memory");
	warn_fraction(out, AT(spec, "overhead"), overhead, "ephemeral-storage");
	if (!get(pod, "spec", "securityContext", "seccompProfile") && meta_annotation(pod, seccomp))
		warn_field(out, KEY(AT(AT(at, "metadata"), "annotations"), seccomp),
		    "non-functional in v1.27+; use the \"seccompProfile\" field instead");
	warn_containers(out, at, pod);
	warn_ports(out, spec, get(pod, "spec"));
	if (num(get(pod, "spec", "terminationGracePeriodSeconds"), 0) < 0)
		warn_field(out, AT(spec, "terminationGracePeriodSeconds"),
		    "must be >= 0; negative values are invalid and will be treated as 1");
	warn_pod_affinity(
	    out, AT(affinity, "podAffinity"), get(pod, "spec", "affinity", "podAffinity"));
	warn_pod_affinity(
	    out, AT(affinity, "podAntiAffinity"), get(pod, "spec", "affinity", "podAntiAffinity"));
	warn_addresses(out, spec, pod);
}
