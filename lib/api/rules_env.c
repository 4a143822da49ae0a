/* Environment variables, and the fields of a Pod that they and volumes can show. */
#include <ctype.h>
#include <string.h>

#include "api/rules_pod.h"
#include "base/mem.h"
#include "base/text.h"

/* "app" of "metadata.labels['app']"; new, NULL: it has none. */
static char *
subscript(const char *path, const char *field)
{
	size_t n = strlen(field), len = strlen(path);

	if (strncmp(path, field, n) || len < n + 4 || strncmp(path + n, "['", 2) ||
	    strcmp(path + len - 2, "']"))
		return NULL;
	return xstrndup(path + n + 2, len - n - 4);
}

/* Fields of a Pod that can be shown somewhere, if not here. */
static bool
known_field(const char *path)
{
	static const char *const known[] = { "metadata.annotations", "metadata.labels",
		"metadata.name", "metadata.namespace", "metadata.uid", "spec.hostNetwork",
		"spec.nodeName", "spec.restartPolicy", "spec.schedulerName",
		"spec.serviceAccountName", "status.hostIP", "status.hostIPs",
		"status.nominatedNodeName", "status.phase", "status.podIP", "status.podIPs", NULL };

	return text_in(path, known);
}

void
check_field_ref(struct causes *out, const struct path *at, const json_t *ref, bool in_volume)
{
	static const char *const env[] = { "metadata.name", "metadata.namespace", "metadata.uid",
		"spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs",
		"status.podIP", "status.podIPs", NULL };
	static const char *const volume[] = { "metadata.annotations", "metadata.labels",
		"metadata.name", "metadata.namespace", "metadata.uid", NULL };
	const char *path = text(ref, "fieldPath"), *version = text(ref, "apiVersion");
	autofree char *label = subscript(path, "metadata.labels");
	autofree char *note = subscript(path, "metadata.annotations");

	if (!*path)
		refuse_required(out, AT(at, "fieldPath"), "");
	else if (*version && strcmp(version, "v1"))
		refuse_text(out, AT(at, "fieldPath"), path,
		    "error converting fieldPath: unsupported pod version: %s", version);
	else if (label)
		check_qualified_name(out, at, label);
	else if (note) {
		for (char *p = note; *p; p++)
			*p = (char)tolower((unsigned char)*p);
		check_qualified_name(out, at, note);
	} else if (!known_field(path))
		refuse_text(out, AT(at, "fieldPath"), path,
		    "error converting fieldPath: field label not supported: %s", path);
	else if (!text_in(path, in_volume ? volume : env))
		refuse_unsupported(out, AT(at, "fieldPath"), path, in_volume ? volume : env);
}

static void
check_divisor(struct causes *out, const struct path *at, const char *resource, const char *divisor)
{
	static const char *const cpu[] = { "1", "1m", NULL };
	static const char *const sizes[] = { "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi",
		"1Gi", "1Ti", "1Pi", "1Ei", NULL };
	static const struct {
		const char *word, *name;
	} kinds[] = { { ".memory", "memory" }, { ".ephemeral-storage", "local ephemeral storage" },
		{ ".hugepages-", "hugepages" } };

	if (!*divisor || !strcmp(divisor, "0"))
		return;
	if (strstr(resource, ".cpu") && !text_in(divisor, cpu))
		refuse_text(out, AT(at, "divisor"), resource,
		    "only divisor's values 1m and 1 are supported with the cpu resource");
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strstr(resource, kinds[i].word) && !text_in(divisor, sizes))
			refuse_text(out, AT(at, "divisor"), resource,
			    "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, "
			    "1Pi, 1Ei are supported with the %s resource",
			    kinds[i].name);
}

void
check_resource_field_ref(
    struct causes *out, const struct path *at, const json_t *ref, bool in_volume)
{
	static const char *const known[] = { "limits.cpu", "limits.ephemeral-storage",
		"limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory",
		NULL };
	const char *resource = text(ref, "resource");

	if (in_volume && !*text(ref, "containerName"))
		refuse_required(out, AT(at, "containerName"), "");
	else if (!*resource)
		refuse_required(out, AT(at, "resource"), "");
	else if (strncmp(resource, "limits.hugepages-", 17) &&
		 strncmp(resource, "requests.hugepages-", 19))
		check_one_of(out, at, ref, "resource", known);
	check_divisor(out, at, resource, text(ref, "divisor"));
}

static void
check_key_ref(struct causes *out, const struct path *at, const json_t *ref)
{
	check_dns_subdomain(out, AT(at, "name"), text(ref, "name"));
	if (check_required(out, at, ref, "key"))
		check_config_key(out, AT(at, "key"), text(ref, "key"));
}

/* A variable of a file in one of the Pod's volumes. */
static void
check_file_ref(struct causes *out, const struct path *at, const json_t *ref)
{
	if (check_required(out, at, ref, "key"))
		check_env_name(out, AT(at, "key"), text(ref, "key"));
	if (check_required(out, at, ref, "volumeName"))
		check_dns_label(out, AT(at, "volumeName"), text(ref, "volumeName"));
	if (check_required(out, at, ref, "path"))
		check_own_path(out, AT(at, "path"), text(ref, "path"));
}

static void
check_env_source(struct causes *out, const struct path *at, const json_t *var)
{
	const json_t *from = json_object_get(var, "valueFrom"), *ref;
	size_t n = 0;

	if (!json_is_object(from))
		return;
	if ((ref = json_object_get(from, "fieldRef")) && ++n)
		check_field_ref(out, AT(at, "fieldRef"), ref, false);
	if ((ref = json_object_get(from, "resourceFieldRef")) && ++n)
		check_resource_field_ref(out, AT(at, "resourceFieldRef"), ref, false);
	if ((ref = json_object_get(from, "configMapKeyRef")) && ++n)
		check_key_ref(out, AT(at, "configMapKeyRef"), ref);
	if ((ref = json_object_get(from, "secretKeyRef")) && ++n)
		check_key_ref(out, AT(at, "secretKeyRef"), ref);
	if ((ref = json_object_get(from, "fileKeyRef")) && ++n)
		check_file_ref(out, AT(at, "fileKeyRef"), ref);
	if (!n)
		refuse_text(out, at, "",
		    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
		    "`secretKeyRef` or "
		    "`fileKeyRef`");
	else if (*text(var, "value"))
		refuse_text(out, at, "", "may not be specified when `value` is not empty");
	else if (n > 1)
		refuse_text(out, at, "", "may not have more than one field specified at a time");
}

void
check_env(struct causes *out, const struct path *at, const json_t *env)
{
	size_t i;
	json_t *var;

	json_array_foreach (env, i, var) {
		const struct path *here = ITEM(at, i);

		if (check_required(out, here, var, "name"))
			check_env_name(out, AT(here, "name"), text(var, "name"));
		check_env_source(out, AT(here, "valueFrom"), var);
	}
}

void
check_env_from(struct causes *out, const struct path *at, const json_t *list)
{
	static const char *const sources[] = { "configMapRef", "secretRef" };
	size_t i;
	json_t *from;

	json_array_foreach (list, i, from) {
		const struct path *here = ITEM(at, i);
		size_t n = 0;

		if (*text(from, "prefix"))
			check_env_name(out, AT(here, "prefix"), text(from, "prefix"));
		for (size_t s = 0; s < COUNT(sources); s++) {
			const json_t *ref = json_object_get(from, sources[s]);

			if (!ref)
				continue;
			n++;
			if (check_required(out, AT(here, sources[s]), ref, "name"))
				check_dns_subdomain(
				    out, AT(AT(here, sources[s]), "name"), text(ref, "name"));
		}
		/* Kubernetes names the list here, not the item. */
		if (!n)
			refuse_text(
			    out, at, "", "must specify one of: `configMapRef` or `secretRef`");
		else if (n > 1)
			refuse_text(
			    out, at, "", "may not have more than one field specified at a time");
	}
}
