/* Which settings make sense for the operating system that a Pod says it needs. */
#include <string.h>

#include "api/meta.h"
#include "api/rules_pod.h"
#include "base/mem.h"

static void
no_windows_options(void *ctx, const struct path *at, const json_t *container)
{
	if (get(container, "securityContext", "windowsOptions"))
		refuse_forbidden(ctx, AT(AT(at, "securityContext"), "windowsOptions"),
		    "windows options cannot be set for a linux pod");
}

static void
check_linux(struct causes *out, const struct path *at, const json_t *spec)
{
	if (get(spec, "securityContext", "windowsOptions"))
		refuse_forbidden(out, AT(AT(at, "securityContext"), "windowsOptions"),
		    "windows options cannot be set for a linux pod");
	each_container(at, spec, no_windows_options, out);
}

static void
refuse_set(struct causes *out, const struct path *at, const json_t *obj, const char *const *keys)
{
	for (; *keys; keys++) {
		const json_t *v = json_object_get(obj, *keys);

		if (v && !(json_is_array(v) && !json_array_size(v)))
			refuse_forbidden(out, AT(at, *keys), "cannot be set for a windows pod");
	}
}

static void
no_linux_options(void *ctx, const struct path *at, const json_t *container)
{
	static const char *const keys[] = { "appArmorProfile", "seLinuxOptions", "seccompProfile",
		"capabilities", "readOnlyRootFilesystem", "privileged", "allowPrivilegeEscalation",
		"procMount", "runAsUser", "runAsGroup", NULL };

	refuse_set(
	    ctx, AT(at, "securityContext"), json_object_get(container, "securityContext"), keys);
}

static void
check_windows(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const inside[] = { "appArmorProfile", "seLinuxOptions", "seccompProfile",
		"fsGroup", "fsGroupChangePolicy", "sysctls", "runAsUser", "runAsGroup",
		"supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy", NULL };
	static const char *const flags[] = { "hostPID", "hostIPC" };
	static const char *const pointers[] = { "hostUsers", "shareProcessNamespace", NULL };

	refuse_set(
	    out, AT(at, "securityContext"), json_object_get(spec, "securityContext"), inside);
	refuse_set(out, at, spec, pointers);
	for (size_t i = 0; i < COUNT(flags); i++)
		if (truth(json_object_get(spec, flags[i])))
			refuse_forbidden(out, AT(at, flags[i]), "cannot be set for a windows pod");
	each_container(at, spec, no_linux_options, out);
}

void
check_system(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const known[] = { "linux", "windows", NULL };
	const json_t *os = json_object_get(spec, "os");
	const char *name = text(os, "name");

	if (!json_is_object(os))
		return;
	if (!*name)
		refuse_required(out, AT(AT(at, "os"), "name"), "cannot be empty");
	else if (!strcmp(name, "linux"))
		check_linux(out, at, spec);
	else if (!strcmp(name, "windows"))
		check_windows(out, at, spec);
	else
		refuse_unsupported(out, AT(at, "os"), name, known);
}
