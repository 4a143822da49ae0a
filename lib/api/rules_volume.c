/* Volumes of a Pod. */
#include <string.h>

#include "api/quantity.h"
#include "api/rules.h"
#include "api/rules_pod.h"
#include "base/mem.h"

static void
check_mode(struct causes *out, const struct path *at, const json_t *source, const char *key)
{
	const json_t *mode = json_object_get(source, key);

	if (json_is_integer(mode) &&
	    (json_integer_value(mode) < 0 || json_integer_value(mode) > 0777))
		refuse_value(out, AT(at, key), mode,
		    "must be a number between 0 and 0777 (octal), both inclusive");
}

/* --- files ----------------------------------------------------------------------------------- */

/* Where files are put must differ; `whole` is the path of the volume's source. */
struct files {
	const struct path *whole;
	json_t *paths; /* a set; NULL: nobody looks */
};

static void
check_path_once(
    struct causes *out, const struct files *files, const char *path, const char *shown_as)
{
	if (files->paths && repeats(files->paths, path))
		refuse_text(out, files->whole, shown_as, "conflicting duplicate paths");
}

/* The keys of a ConfigMap or Secret that become files. */
static void
check_items(
    struct causes *out, const struct path *at, const json_t *source, const struct files *files)
{
	size_t i;
	json_t *item;

	json_array_foreach (json_object_get(source, "items"), i, item) {
		const struct path *here = ITEM(AT(at, "items"), i);

		check_required(out, here, item, "key");
		check_required(out, here, item, "path");
		check_own_path(out, AT(here, "path"), text(item, "path"));
		check_mode(out, here, item, "mode");
		check_path_once(out, files, text(item, "path"), text(source, "name"));
	}
}

/* Kubernetes names the list, not the item. */
static void
downward_items(
    struct causes *out, const struct path *at, const json_t *source, const struct files *files)
{
	size_t i;
	json_t *item;

	json_array_foreach (json_object_get(source, "items"), i, item) {
		const json_t *field = json_object_get(item, "fieldRef");
		const json_t *resource = json_object_get(item, "resourceFieldRef");

		check_required(out, at, item, "path");
		check_own_path(out, AT(at, "path"), text(item, "path"));
		if (field)
			check_field_ref(out, AT(at, "fieldRef"), field, true);
		if (field && resource)
			refuse_text(out, at, "resource",
			    "fieldRef and resourceFieldRef can not be specified simultaneously");
		else if (resource)
			check_resource_field_ref(out, AT(at, "resourceFieldRef"), resource, true);
		else if (!field)
			refuse_required(
			    out, at, "one of fieldRef and resourceFieldRef is required");
		check_mode(out, at, item, "mode");
		check_path_once(out, files, text(item, "path"), text(item, "path"));
	}
}

/* --- projections ------------------------------------------------------------------------------ */

static void
check_token(struct causes *out, const struct path *at, const json_t *s, const struct files *files)
{
	const json_t *seconds = json_object_get(s, "expirationSeconds");

	if (num(seconds, 3600) < 600)
		refuse_value(out, AT(at, "expirationSeconds"), seconds,
		    "may not specify a duration less than 10 minutes");
	if (num(seconds, 3600) > (json_int_t)1 << 32)
		refuse_value(out, AT(at, "expirationSeconds"), seconds,
		    "may not specify a duration larger than 2^32 seconds");
	if (!*text(s, "path"))
		refuse_required(out, AT(files->whole, "path"), "");
	else
		check_own_path(out, AT(files->whole, "path"), text(s, "path"));
}

/* A source of a projected volume. */
static void
check_projection(
    struct causes *out, const struct path *at, const json_t *source, const struct files *files)
{
	static const char *const keyed[] = { "secret", "configMap" };
	const json_t *s;
	size_t n = 0;

	for (size_t i = 0; i < COUNT(keyed); i++)
		if (json_is_object(s = json_object_get(source, keyed[i])) && ++n) {
			check_required(out, AT(at, keyed[i]), s, "name");
			check_items(out, AT(at, keyed[i]), s, files);
		}
	if (json_is_object(s = json_object_get(source, "downwardAPI")) && ++n)
		downward_items(out, AT(at, "downwardAPI"), s, files);
	if (json_is_object(s = json_object_get(source, "serviceAccountToken")) && ++n)
		check_token(out, AT(at, "serviceAccountToken"), s, files);
	if (n > 1)
		refuse_forbidden(out, at, "may not specify more than 1 volume type per source");
}

static void
projected(struct causes *out, const struct path *at, const json_t *source)
{
	json_auto_t *paths = json_object();
	struct files files = { at, paths };
	size_t i;
	json_t *item;

	check_mode(out, at, source, "defaultMode");
	json_array_foreach (json_object_get(source, "sources"), i, item)
		check_projection(out, ITEM(AT(at, "sources"), i), item, &files);
}

/* --- sources that only Pods have ---------------------------------------------------------------
 */

static void
empty_dir(struct causes *out, const struct path *at, const json_t *source)
{
	const json_t *size = json_object_get(source, "sizeLimit");

	if (size && quantity_milli(size) < 0)
		refuse_forbidden(
		    out, AT(at, "sizeLimit"), "SizeLimit field must be a valid resource quantity");
}

static void
git_repo(struct causes *out, const struct path *at, const json_t *source)
{
	check_required(out, at, source, "repository");
	check_local_path(out, AT(at, "directory"), text(source, "directory"));
}

static void
secret(struct causes *out, const struct path *at, const json_t *source)
{
	static const struct files files = { NULL, NULL };

	check_required(out, at, source, "secretName");
	check_mode(out, at, source, "defaultMode");
	check_items(out, at, source, &files);
}

static void
config_map(struct causes *out, const struct path *at, const json_t *source)
{
	static const struct files files = { NULL, NULL };

	check_required(out, at, source, "name");
	check_mode(out, at, source, "defaultMode");
	check_items(out, at, source, &files);
}

static void
claim(struct causes *out, const struct path *at, const json_t *source)
{
	check_required(out, at, source, "claimName");
}

static void
downward_api(struct causes *out, const struct path *at, const json_t *source)
{
	static const struct files files = { NULL, NULL };

	check_mode(out, at, source, "defaultMode");
	downward_items(out, at, source, &files);
}

static void
csi(struct causes *out, const struct path *at, const json_t *source)
{
	const json_t *ref = json_object_get(source, "nodePublishSecretRef");

	check_driver_name(out, AT(at, "driver"), text(source, "driver"));
	if (ref && check_required(out, AT(at, "nodePublishSecretRef"), ref, "name"))
		check_dns_subdomain(out, AT(at, "name"), text(ref, "name"));
}

/* Of the metadata of a claim to be made only these count. */
void
check_made_metadata(struct causes *out, const struct path *at, const json_t *meta)
{
	const char *key;
	json_t *v;

	check_annotations(out, AT(at, "annotations"), json_object_get(meta, "annotations"));
	check_labels(out, AT(at, "labels"), json_object_get(meta, "labels"));
	json_object_foreach ((json_t *)meta, key, v)
		if (strcmp(key, "annotations") && strcmp(key, "labels"))
			refuse_forbidden(out, AT(at, key), "cannot be set");
}

static void
ephemeral(struct causes *out, const struct path *at, const json_t *source)
{
	const json_t *made = json_object_get(source, "volumeClaimTemplate");
	const struct path *here = AT(at, "volumeClaimTemplate");

	if (!json_is_object(made)) {
		refuse_required(out, here, "");
		return;
	}
	check_made_metadata(out, AT(here, "metadata"), json_object_get(made, "metadata"));
	check_claim_spec(out, AT(here, "spec"), json_object_get(made, "spec"));
}

static void
image(struct causes *out, const struct path *at, const json_t *source)
{
	static const char *const pull[] = { "Always", "IfNotPresent", "Never", NULL };

	check_one_of(out, at, source, "pullPolicy", pull);
}

/* In the order Kubernetes looks at them: the first is taken, the next refused. */
static const struct source {
	const char *name;
	void (*run)(struct causes *out, const struct path *at, const json_t *source);
	const char *second; /* what Kubernetes calls it when it is one too many */
} sources[] = {
	{ "emptyDir", empty_dir, NULL },
	{ "hostPath", NULL, NULL },
	{ "gitRepo", git_repo, NULL },
	{ "gcePersistentDisk", NULL, NULL },
	{ "awsElasticBlockStore", NULL, NULL },
	{ "secret", secret, NULL },
	{ "nfs", NULL, NULL },
	{ "iscsi", NULL, NULL },
	{ "glusterfs", NULL, NULL },
	{ "flocker", NULL, NULL },
	{ "persistentVolumeClaim", claim, NULL },
	{ "rbd", NULL, NULL },
	{ "cinder", NULL, NULL },
	{ "cephfs", NULL, "cephFS" },
	{ "quobyte", NULL, NULL },
	{ "downwardAPI", downward_api, "downwarAPI" },
	{ "fc", NULL, NULL },
	{ "flexVolume", NULL, NULL },
	{ "configMap", config_map, NULL },
	{ "azureFile", NULL, NULL },
	{ "vsphereVolume", NULL, NULL },
	{ "photonPersistentDisk", NULL, NULL },
	{ "portworxVolume", NULL, NULL },
	{ "azureDisk", NULL, NULL },
	{ "storageos", NULL, NULL },
	{ "projected", projected, NULL },
	{ "scaleIO", NULL, NULL },
	{ "csi", csi, NULL },
	{ "ephemeral", ephemeral, NULL },
	{ "image", image, NULL },
};

static void
check_one_source(struct causes *out, const struct path *at, const struct source *s,
    const json_t *source, bool second)
{
	if (second)
		refuse_forbidden(out, AT(at, s->second ? s->second : s->name),
		    "may not specify more than 1 volume type");
	else if (s->run)
		s->run(out, AT(at, s->name), source);
	else
		check_volume_source(out, AT(at, s->name), s->name, source, false);
}

/* The claim that an ephemeral volume makes is called by Pod and volume. */
static void
check_names(struct causes *out, const struct path *at, const json_t *volume, const char *pod_name)
{
	const json_t *iscsi = json_object_get(volume, "iscsi");
	const char *name = text(volume, "name");
	struct causes wrong = CAUSES_INIT;

	if (json_object_get(iscsi, "initiatorName") &&
	    strlen(name) + 1 + strlen(text(iscsi, "targetPortal")) > 64)
		refuse_text(out, AT(at, "name"), name,
		    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 "
		    "characters if iscsi.initiatorName is specified.");
	if (json_object_get(volume, "ephemeral") && *pod_name && *name) {
		autofree char *made = xasprintf("%s-%s", pod_name, name);

		check_dns_subdomain(&wrong, NULL, made);
		for (size_t i = 0; i < wrong.n; i++) {
			const char *why = strstr(wrong.item[i].message, "\": ");

			refuse_text(out, AT(at, "name"), name, "PVC name \"%s\": %s", made,
			    why ? why + 3 : "");
		}
	}
	causes_release(&wrong);
}

static void
check_source(struct causes *out, const struct path *at, const json_t *volume, const char *pod_name)
{
	const json_t *image_source = json_object_get(volume, "image");
	size_t n = 0;

	for (size_t i = 0; i < COUNT(sources); i++) {
		const json_t *source = json_object_get(volume, sources[i].name);

		if (json_is_object(source))
			check_one_source(out, at, &sources[i], source, n++);
	}
	if (!n)
		refuse_required(out, at, "must specify a volume type");
	/* In a template an image may be filled in later. */
	if (n == 1 && image_source && *pod_name)
		check_required(out, AT(at, "image"), image_source, "reference");
	check_names(out, at, volume, pod_name);
}

/* The claims that will be made for this Pod, by name. */
static json_t *
claims_made(const json_t *volumes, const char *pod_name)
{
	json_t *made = json_object(), *volume;
	size_t i;

	json_array_foreach (volumes, i, volume) {
		autofree char *name = xasprintf("%s-%s", pod_name, text(volume, "name"));

		if (*pod_name && json_object_get(volume, "ephemeral"))
			json_object_set_new(made, name, json_true());
	}
	return made;
}

json_t *
check_volumes(
    struct causes *out, const struct path *at, const json_t *volumes, const char *pod_name)
{
	json_auto_t *made = claims_made(volumes, pod_name);
	json_t *good = json_object(), *volume;
	size_t i;

	json_array_foreach (volumes, i, volume) {
		const char *name = text(volume, "name");
		const char *used = text(volume, "persistentVolumeClaim", "claimName");
		const struct path *here = ITEM(at, i);
		size_t before = out->n;

		check_source(out, here, volume, pod_name);
		if (check_required(out, here, volume, "name"))
			check_dns_label(out, AT(here, "name"), name);
		if (json_object_get(good, name))
			refuse_duplicate(out, AT(here, "name"), name);
		if (out->n == before)
			json_object_set(good, name, volume);
		if (json_object_get(made, used))
			refuse_text(out, AT(AT(here, "persistentVolumeClaim"), "claimName"), used,
			    "must not reference a PVC that gets created for an ephemeral volume");
	}
	return good;
}
