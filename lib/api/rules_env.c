/* Environment variables, and the fields of a Pod that they and volumes can show. */
#include <string.h>

#include "api/rules_pod.h"
#include "base/mem.h"

/* "metadata.labels['app']" */
static bool
subscript(const char *path, const char *field)
{
	size_t n = strlen(field), len = strlen(path);

	return !strncmp(path, field, n) && len > n + 4 && !strncmp(path + n, "['", 2) &&
	       !strcmp(path + len - 2, "']");
}

void
check_field_ref(struct causes *out, const struct path *at, const json_t *ref, bool in_volume)
{
	static const char *const env[] = { "metadata.name", "metadata.namespace", "metadata.uid",
		"spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs",
		"status.podIP", "status.podIPs", NULL };
	static const char *const volume[] = { "metadata.annotations", "metadata.labels",
		"metadata.name", "metadata.namespace", "metadata.uid", NULL };
	static const char *const more[] = { "metadata.annotations", "metadata.labels",
		"spec.restartPolicy", "spec.schedulerName", "spec.hostNetwork", "status.phase",
		"status.nominatedNodeName", NULL };
	const char *path = text(ref, "fieldPath");
	const char *const *allowed = in_volume ? volume : env;

	if (!*path) {
		refuse_required(out, AT(at, "fieldPath"), "");
		return;
	}
	if (subscript(path, "metadata.labels") || subscript(path, "metadata.annotations"))
		return;
	for (const char *const *a = allowed; *a; a++)
		if (!strcmp(path, *a))
			return;
	for (size_t i = 0; i < COUNT(more) - 1; i++)
		if (!strcmp(path, more[i])) {
			refuse_unsupported(out, AT(at, "fieldPath"), path, allowed);
			return;
		}
	for (const char *const *a = env; *a; a++)
		if (!strcmp(path, *a)) {
			refuse_unsupported(out, AT(at, "fieldPath"), path, allowed);
			return;
		}
	refuse_text(out, AT(at, "fieldPath"), path,
	    "error converting fieldPath: field label not supported: %s", path);
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
	if (!*resource)
		refuse_required(out, AT(at, "resource"), "");
	else if (strncmp(resource, "limits.hugepages-", 17) &&
		 strncmp(resource, "requests.hugepages-", 19))
		check_one_of(out, at, ref, "resource", known);
}

static void
check_key_ref(struct causes *out, const struct path *at, const json_t *ref)
{
	if (check_required(out, at, ref, "key"))
		check_config_key(out, AT(at, "key"), text(ref, "key"));
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
	n += !!json_object_get(from, "fileKeyRef");
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
