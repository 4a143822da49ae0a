/* Volumes of a Pod. */
#include <string.h>

#include "api/quantity.h"
#include "api/rules_pod.h"
#include "base/mem.h"

typedef void check(struct causes *out, const struct path *at, const json_t *source);

static void
check_mode(struct causes *out, const struct path *at, const json_t *source, const char *key)
{
	const json_t *mode = json_object_get(source, key);

	if (json_is_integer(mode) &&
	    (json_integer_value(mode) < 0 || json_integer_value(mode) > 0777))
		refuse_value(out, AT(at, key), mode,
		    "must be a number between 0 and 0777 (octal), both inclusive");
}

static void
check_absolute(struct causes *out, const struct path *at, const char *path)
{
	if (*path != '/')
		refuse_text(out, at, path, "must be an absolute path");
}

/* The keys of a ConfigMap or Secret that become files. */
static void
check_items(struct causes *out, const struct path *at, const json_t *source)
{
	size_t i;
	json_t *item;

	json_array_foreach (json_object_get(source, "items"), i, item) {
		const struct path *here = ITEM(AT(at, "items"), i);

		check_required(out, here, item, "key");
		if (check_required(out, here, item, "path"))
			check_local_path(out, AT(here, "path"), text(item, "path"));
		check_mode(out, here, item, "mode");
	}
}

static void
empty_dir(struct causes *out, const struct path *at, const json_t *source)
{
	const json_t *size = json_object_get(source, "sizeLimit");

	if (size && quantity_milli(size) < 0)
		refuse_forbidden(
		    out, AT(at, "sizeLimit"), "SizeLimit field must be a valid resource quantity");
}

static void
host_path(struct causes *out, const struct path *at, const json_t *source)
{
	static const char *const types[] = { "", "BlockDevice", "CharDevice", "Directory",
		"DirectoryOrCreate", "File", "FileOrCreate", "Socket", NULL };
	const char *path = text(source, "path");

	if (check_required(out, at, source, "path") && strstr(path, ".."))
		for (const char *p = path; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
			if (!strncmp(p, "..", 2) && (!p[2] || p[2] == '/')) {
				refuse_text(out, AT(at, "path"), path, "must not contain '..'");
				break;
			}
	check_one_of(out, at, source, "type", types);
}

static void
nfs(struct causes *out, const struct path *at, const json_t *source)
{
	check_required(out, at, source, "server");
	if (check_required(out, at, source, "path"))
		check_absolute(out, AT(at, "path"), text(source, "path"));
}

static void
secret(struct causes *out, const struct path *at, const json_t *source)
{
	check_required(out, at, source, "secretName");
	check_mode(out, at, source, "defaultMode");
	check_items(out, at, source);
}

static void
config_map(struct causes *out, const struct path *at, const json_t *source)
{
	check_required(out, at, source, "name");
	check_mode(out, at, source, "defaultMode");
	check_items(out, at, source);
}

static void
claim(struct causes *out, const struct path *at, const json_t *source)
{
	check_required(out, at, source, "claimName");
}

static void
downward_items(struct causes *out, const struct path *at, const json_t *source)
{
	size_t i;
	json_t *item;

	json_array_foreach (json_object_get(source, "items"), i, item) {
		const json_t *field = json_object_get(item, "fieldRef");
		const json_t *resource = json_object_get(item, "resourceFieldRef");

		if (!*text(item, "path"))
			refuse_required(out, AT(at, "path"), "");
		else
			check_local_path(out, AT(at, "path"), text(item, "path"));
		/* Kubernetes names the source here, not the item. */
		if (field && resource)
			refuse_text(out, at, "resource",
			    "fieldRef and resourceFieldRef can not be specified simultaneously");
		else if (field)
			check_field_ref(out, AT(at, "fieldRef"), field, true);
		else if (resource)
			check_resource_field_ref(out, AT(at, "resourceFieldRef"), resource, true);
		else
			refuse_required(
			    out, at, "one of fieldRef and resourceFieldRef is required");
		check_mode(out, at, item, "mode");
	}
}

static void
downward_api(struct causes *out, const struct path *at, const json_t *source)
{
	check_mode(out, at, source, "defaultMode");
	downward_items(out, at, source);
}

/* A source of a projected volume; `whole` is the path of the volume's source. */
static void
check_projection(
    struct causes *out, const struct path *at, const struct path *whole, const json_t *source)
{
	static const char *const kinds[] = { "secret", "configMap", "downwardAPI",
		"serviceAccountToken", "clusterTrustBundle", "podCertificate" };
	size_t n = 0;

	for (size_t i = 0; i < COUNT(kinds); i++) {
		const json_t *s = json_object_get(source, kinds[i]);
		json_int_t seconds = num(json_object_get(s, "expirationSeconds"), 3600);

		if (!json_is_object(s))
			continue;
		if (n++) {
			refuse_forbidden(
			    out, at, "may not specify more than 1 volume type per source");
		} else if (!strcmp(kinds[i], "downwardAPI")) {
			downward_items(out, AT(at, kinds[i]), s);
		} else if (!strcmp(kinds[i], "serviceAccountToken")) {
			if (seconds < 600)
				refuse_number(out, AT(AT(at, kinds[i]), "expirationSeconds"),
				    seconds, "may not specify a duration less than 10 minutes");
			if (!*text(s, "path"))
				refuse_required(out, AT(whole, "path"), "");
			else
				check_local_path(out, AT(whole, "path"), text(s, "path"));
		} else if (i < 2) {
			check_required(out, AT(at, kinds[i]), s, "name");
			check_items(out, AT(at, kinds[i]), s);
		}
	}
}

static void
projected(struct causes *out, const struct path *at, const json_t *source)
{
	size_t i;
	json_t *item;

	check_mode(out, at, source, "defaultMode");
	json_array_foreach (json_object_get(source, "sources"), i, item)
		check_projection(out, ITEM(AT(at, "sources"), i), at, item);
}

static void
csi(struct causes *out, const struct path *at, const json_t *source)
{
	check_required(out, at, source, "driver");
}

/* In the order Kubernetes looks at them: the first is taken, the next refused. */
static const struct source {
	const char *name;
	check *run;
} sources[] = {
	{ "emptyDir", empty_dir },
	{ "hostPath", host_path },
	{ "gitRepo", NULL },
	{ "gcePersistentDisk", NULL },
	{ "awsElasticBlockStore", NULL },
	{ "secret", secret },
	{ "nfs", nfs },
	{ "iscsi", NULL },
	{ "glusterfs", NULL },
	{ "flocker", NULL },
	{ "persistentVolumeClaim", claim },
	{ "rbd", NULL },
	{ "cinder", NULL },
	{ "cephfs", NULL },
	{ "quobyte", NULL },
	{ "downwardAPI", downward_api },
	{ "fc", NULL },
	{ "flexVolume", NULL },
	{ "configMap", config_map },
	{ "azureFile", NULL },
	{ "vsphereVolume", NULL },
	{ "photonPersistentDisk", NULL },
	{ "portworxVolume", NULL },
	{ "azureDisk", NULL },
	{ "storageos", NULL },
	{ "projected", projected },
	{ "scaleIO", NULL },
	{ "csi", csi },
	{ "ephemeral", NULL },
	{ "image", NULL },
};

static void
check_source(struct causes *out, const struct path *at, const json_t *volume)
{
	size_t n = 0;

	for (size_t i = 0; i < COUNT(sources); i++) {
		const json_t *source = json_object_get(volume, sources[i].name);

		if (!json_is_object(source))
			continue;
		if (n++)
			refuse_forbidden(out, AT(at, sources[i].name),
			    "may not specify more than 1 volume type");
		else if (sources[i].run)
			sources[i].run(out, AT(at, sources[i].name), source);
	}
	if (!n)
		refuse_required(out, at, "must specify a volume type");
}

void
check_volumes(struct causes *out, const struct path *at, const json_t *volumes)
{
	json_auto_t *names = json_object();
	size_t i;
	json_t *volume;

	json_array_foreach (volumes, i, volume) {
		const struct path *here = ITEM(at, i);
		const char *name = text(volume, "name");

		check_source(out, here, volume);
		if (!check_required(out, here, volume, "name"))
			continue;
		check_dns_label(out, AT(here, "name"), name);
		check_unique(out, AT(here, "name"), names, name);
	}
}
