/* Where volumes come from, as far as Pods and PersistentVolumes ask the same. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "api/rules_pod.h"
#include "base/mem.h"
#include "base/text.h"

/* --- paths --------------------------------------------------------------------------------- */

static bool
has_backstep(const char *path)
{
	for (const char *p = path; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
		if (!strncmp(p, "..", 2) && (!p[2] || p[2] == '/'))
			return true;
	return false;
}

void
check_no_backsteps(struct causes *out, const struct path *at, const char *path)
{
	if (has_backstep(path))
		refuse_text(out, at, path, "must not contain '..'");
}

void
check_local_path(struct causes *out, const struct path *at, const char *path)
{
	if (*path == '/')
		refuse_text(out, at, path, "must be a relative path");
	check_no_backsteps(out, at, path);
}

void
check_own_path(struct causes *out, const struct path *at, const char *path)
{
	check_local_path(out, at, path);
	if (!strncmp(path, "..", 2) && path[2] != '/')
		refuse_text(out, at, path, "must not start with '..'");
}

/* --- what many sources have ------------------------------------------------------------------ */

void
check_driver_name(struct causes *out, const struct path *at, const char *name)
{
	autofree char *lower = xstrdup(name);
	size_t before;

	if (!*name) {
		refuse_required(out, at, "");
		return;
	}
	if (strlen(name) > 63)
		refuse_too_long(out, at, 63);
	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	before = out->n;
	check_dns_subdomain(out, at, lower);
	if (out->n > before && strcmp(lower, name)) {
		/* Asked in small letters, told as it was written. */
		causes_truncate(out, before);
		check_dns_subdomain(out, at, name);
	}
}

/* A reference that must name its object, and its namespace too when it may be any. */
static void
check_secret_ref(struct causes *out, const struct path *at, const json_t *source, bool namespaced)
{
	const json_t *ref = json_object_get(source, "secretRef");

	if (!json_is_object(ref))
		return;
	check_required(out, AT(at, "secretRef"), ref, "name");
	if (namespaced)
		check_required(out, AT(at, "secretRef"), ref, "namespace");
}

/* --- the sources ----------------------------------------------------------------------------- */

typedef void check(
    struct causes *out, const struct path *at, const json_t *source, bool persistent);

static void
host_path(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	static const char *const types[] = { "", "BlockDevice", "CharDevice", "Directory",
		"DirectoryOrCreate", "File", "FileOrCreate", "Socket", NULL };

	(void)persistent;
	if (!check_required(out, at, source, "path"))
		return;
	check_no_backsteps(out, AT(at, "path"), text(source, "path"));
	check_one_of(out, at, source, "type", types);
}

static void
partitioned(struct causes *out, const struct path *at, const json_t *source, const char *id)
{
	check_required(out, at, source, id);
	check_between(out, at, source, "partition", 0, 255);
}

/* The path has another name here in Kubernetes. */
static void
gce_disk(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	(void)persistent;
	partitioned(out, AT(at->up, "persistentDisk"), source, "pdName");
}

static void
aws_disk(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	(void)persistent;
	partitioned(out, at, source, "volumeID");
}

static void
nfs(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	(void)persistent;
	check_required(out, at, source, "server");
	check_required(out, at, source, "path");
	if (*text(source, "path") != '/')
		refuse_text(out, AT(at, "path"), text(source, "path"), "must be an absolute path");
}

/* "iqn.2001-04.com.example:storage", "eui." and 16 or "naa." and 32 letters and digits */
static bool
iscsi_name_fits(const char *name)
{
	const char *rest = name + 4, *colon;
	size_t n;

	if (strncmp(name, "iqn", 3)) {
		n = strspn(rest, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
		return strlen(name) > 4 && !rest[n] && n == (name[0] == 'e' ? 16 : 32);
	}
	if (name[3] != '.' || strspn(rest, "0123456789") != 4 || rest[4] != '-' ||
	    strspn(rest + 5, "0123456789") != 2 || rest[7] != '.')
		return false;
	colon = strchr(rest + 8, ':');
	n = strspn(rest + 8, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.");
	return colon && colon > rest + 8 && rest[8 + n] == ':' && colon[1] &&
	       !strpbrk(colon + 1, ",;*&$| \t\r\n\f\v");
}

static void
check_iscsi_name(
    struct causes *out, const struct path *at, const char *name, const char *wrong_prefix)
{
	if (strncmp(name, "iqn", 3) && strncmp(name, "eui", 3) && strncmp(name, "naa", 3))
		refuse_text(out, at, name, "%s", wrong_prefix);
	else if (!iscsi_name_fits(name))
		refuse_text(out, at, name, "must be valid format");
}

static void
iscsi(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	const char *words = persistent ? "must be valid format"
				       : "must be valid format starting with iqn, eui, or naa";
	const json_t *initiator = json_object_get(source, "initiatorName");

	check_required(out, at, source, "targetPortal");
	if (check_required(out, at, source, "iqn"))
		check_iscsi_name(out, AT(at, "iqn"), text(source, "iqn"), words);
	check_between(out, at, source, "lun", 0, 255);
	if ((truth(json_object_get(source, "chapAuthDiscovery")) ||
		truth(json_object_get(source, "chapAuthSession"))) &&
	    !json_object_get(source, "secretRef"))
		refuse_required(out, AT(at, "secretRef"), "");
	if (persistent)
		check_secret_ref(out, at, source, false);
	if (initiator)
		check_iscsi_name(out, AT(at, "initiatorname"), str(initiator, ""), words);
}

static void
glusterfs(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	const json_t *ns = json_object_get(source, "endpointsNamespace");

	check_required(out, at, source, "endpoints");
	check_required(out, at, source, "path");
	if (!persistent || !ns)
		return;
	if (!*str(ns, ""))
		refuse_text(out, AT(at, "endpointsNamespace"), "",
		    "if the endpointnamespace is set, it must be a valid namespace name");
	else
		check_dns_label(out, AT(at, "endpointsNamespace"), str(ns, ""));
}

static void
flocker(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	const char *name = text(source, "datasetName"), *id = text(source, "datasetUUID");

	(void)persistent;
	if (!*name && !*id)
		refuse_required(out, at, "one of datasetName and datasetUUID is required");
	if (*name && *id)
		refuse_text(out, at, "resource",
		    "datasetName and datasetUUID can not be specified simultaneously");
	if (strchr(name, '/'))
		refuse_text(out, AT(at, "datasetName"), name, "must not contain '/'");
}

static void
rbd(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	(void)persistent;
	if (!json_array_size(json_object_get(source, "monitors")))
		refuse_required(out, AT(at, "monitors"), "");
	check_required(out, at, source, "image");
}

static void
cinder(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	check_required(out, at, source, "volumeID");
	check_secret_ref(out, at, source, persistent);
}

static void
cephfs(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	(void)persistent;
	if (!json_array_size(json_object_get(source, "monitors")))
		refuse_required(out, AT(at, "monitors"), "");
}

static void
quobyte(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	static const char pairs[] =
	    "must be a host:port pair or multiple pairs separated by commas";
	const char *registry = text(source, "registry");

	(void)persistent;
	if (!*registry)
		refuse_required(out, AT(at, "registry"), pairs);
	else if (strlen(text(source, "tenant")) >= 65)
		refuse_required(out, AT(at, "tenant"),
		    "must be a UUID and may not exceed a length of 64 characters");
	else
		for (const char *p = registry; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
			if (!memchr(p, ':', strcspn(p, ",")))
				refuse_text(out, AT(at, "registry"), registry, "%s", pairs);
	check_required(out, at, source, "volume");
}

static void
fc(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	const json_t *names = json_object_get(source, "targetWWNs");
	bool ids = json_array_size(json_object_get(source, "wwids"));

	(void)persistent;
	if (!json_array_size(names) && !ids)
		refuse_required(out, AT(at, "targetWWNs"),
		    "must specify either targetWWNs or wwids, but not both");
	if (json_array_size(names) && ids)
		refuse_value(out, AT(at, "targetWWNs"), names,
		    "targetWWNs and wwids can not be specified simultaneously");
	if (json_array_size(names) && !json_object_get(source, "lun"))
		refuse_required(out, AT(at, "lun"), "lun is required if targetWWNs is specified");
	else if (json_array_size(names))
		check_between(out, at, source, "lun", 0, 255);
}

static void
flex_volume(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	const char *key;
	json_t *v;

	(void)persistent;
	check_required(out, at, source, "driver");
	json_object_foreach (json_object_get(source, "options"), key, v) {
		autofree char *domain = xasprintf(".%.*s", (int)strcspn(key, "/"), key);

		for (char *p = domain; *p; p++)
			*p = (char)tolower((unsigned char)*p);
		if (text_ends(domain, ".kubernetes.io") || text_ends(domain, ".k8s.io"))
			refuse_text(out, KEY(AT(at, "options"), key), key,
			    "kubernetes.io and k8s.io namespaces are reserved");
	}
}

static void
azure_file(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	check_required(out, at, source, "secretName");
	check_required(out, at, source, "shareName");
	if (persistent && json_object_get(source, "secretNamespace"))
		check_required(out, at, source, "secretNamespace");
}

static void
vsphere(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	(void)persistent;
	check_required(out, at, source, "volumePath");
}

static void
photon(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	(void)persistent;
	check_required(out, at, source, "pdID");
}

static void
portworx(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	(void)persistent;
	check_required(out, at, source, "volumeID");
}

static void
azure_disk(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	static const char *const modes[] = { "None", "ReadOnly", "ReadWrite", NULL };
	static const char *const kinds[] = { "Dedicated", "Managed", "Shared", NULL };
	static const char *const managed[] = {
		"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/"
		"disks/{disk-id}",
		NULL
	};
	static const char *const blob[] = {
		"https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd",
		NULL
	};
	const char *uri = text(source, "diskURI"), *kind = text(source, "kind");

	(void)persistent;
	check_required(out, at, source, "diskName");
	check_required(out, at, source, "diskURI");
	check_one_of(out, at, source, "cachingMode", modes);
	check_one_of(out, at, source, "kind", kinds);
	if (!strcmp(kind, "Managed") && strncmp(uri, "/subscriptions/", 15))
		refuse_unsupported(out, AT(at, "diskURI"), uri, managed);
	if (*kind && strcmp(kind, "Managed") && strncmp(uri, "https://", 8))
		refuse_unsupported(out, AT(at, "diskURI"), uri, blob);
}

static void
storageos(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	if (check_required(out, at, source, "volumeName"))
		check_dns_label(out, AT(at, "volumeName"), text(source, "volumeName"));
	if (*text(source, "volumeNamespace"))
		check_dns_label(out, AT(at, "volumeNamespace"), text(source, "volumeNamespace"));
	check_secret_ref(out, at, source, persistent);
}

static void
scale_io(struct causes *out, const struct path *at, const json_t *source, bool persistent)
{
	(void)persistent;
	check_required(out, at, source, "gateway");
	check_required(out, at, source, "system");
	check_required(out, at, source, "volumeName");
}

/* In name order, for bsearch. */
static const struct source {
	const char *name;
	check *run;
} sources[] = {
	{ "awsElasticBlockStore", aws_disk },
	{ "azureDisk", azure_disk },
	{ "azureFile", azure_file },
	{ "cephfs", cephfs },
	{ "cinder", cinder },
	{ "fc", fc },
	{ "flexVolume", flex_volume },
	{ "flocker", flocker },
	{ "gcePersistentDisk", gce_disk },
	{ "glusterfs", glusterfs },
	{ "hostPath", host_path },
	{ "iscsi", iscsi },
	{ "nfs", nfs },
	{ "photonPersistentDisk", photon },
	{ "portworxVolume", portworx },
	{ "quobyte", quobyte },
	{ "rbd", rbd },
	{ "scaleIO", scale_io },
	{ "storageos", storageos },
	{ "vsphereVolume", vsphere },
};

static int
by_name(const void *key, const void *source)
{
	return strcmp(key, ((const struct source *)source)->name);
}

bool
check_volume_source(struct causes *out, const struct path *at, const char *name,
    const json_t *source, bool persistent)
{
	const struct source *s = bsearch(name, sources, COUNT(sources), sizeof *sources, by_name);

	if (s)
		s->run(out, at, source, persistent);
	return s;
}
