/* Where containers see volumes: as folders, and as devices. */
#include <string.h>

#include "api/rules_pod.h"
#include "base/mem.h"
#include "base/text.h"

/* --- folders ---------------------------------------------------------------------------------- */

static void
check_propagation(
    struct causes *out, const struct path *at, const json_t *m, const json_t *container)
{
	static const char *const known[] = { "Bidirectional", "HostToContainer", "None", NULL };

	check_one_of(out, at, m, "mountPropagation", known);
	if (!strcmp(text(m, "mountPropagation"), "Bidirectional") &&
	    !truth(get(container, "securityContext", "privileged")))
		refuse_forbidden(out, AT(at, "mountPropagation"),
		    "Bidirectional mount propagation is available only to privileged containers");
}

static void
check_recursive(struct causes *out, const struct path *at, const json_t *m)
{
	static const char *const known[] = { "Disabled", "Enabled", "IfPossible", NULL };
	const char *mode = text(m, "recursiveReadOnly"), *propagation = text(m, "mountPropagation");

	check_one_of(out, at, m, "recursiveReadOnly", known);
	if (strcmp(mode, "Enabled") && strcmp(mode, "IfPossible"))
		return;
	if (!truth(json_object_get(m, "readOnly")))
		refuse_forbidden(out, AT(at, "recursiveReadOnly"),
		    "may only be specified when readOnly is true");
	if (*propagation && strcmp(propagation, "None"))
		refuse_forbidden(out, AT(at, "recursiveReadOnly"),
		    "may only be specified when mountPropagation is None or not specified");
}

/* The paths without an index are Kubernetes' own. */
static void
check_subpath(struct causes *out, const struct path *at, const struct path *here, const json_t *m,
    const json_t *volume)
{
	const char *path = text(m, "subPath"), *expr = text(m, "subPathExpr");

	if (json_object_get(volume, "image")) {
		if (*path)
			refuse_text(
			    out, AT(here, "subPath"), path, "not allowed in image volume sources");
		if (*expr)
			refuse_text(out, AT(here, "subPathExpr"), expr,
			    "not allowed in image volume sources");
	}
	check_local_path(out, AT(at, "subPath"), path);
	if (*expr && *path)
		refuse_text(out, AT(here, "subPathExpr"), expr,
		    "subPathExpr and subPath are mutually exclusive");
	check_local_path(out, AT(at, "subPathExpr"), expr);
}

void
check_mounts(
    struct causes *out, const struct path *at, const json_t *container, const struct pod_scope *pod)
{
	const json_t *mounts = json_object_get(container, "volumeMounts");
	const json_t *devices = json_object_get(container, "volumeDevices");
	json_auto_t *paths = json_object(), *names = set_of(devices, "name"),
		    *device_paths = set_of(devices, "devicePath");
	size_t i;
	json_t *m;

	json_array_foreach (mounts, i, m) {
		const struct path *here = ITEM(at, i);
		const char *name = text(m, "name"), *path = text(m, "mountPath");

		check_required(out, here, m, "name");
		if (!json_object_get(pod->volumes, name))
			refuse_not_found(out, AT(here, "name"), name);
		check_required(out, here, m, "mountPath");
		if (repeats(paths, path))
			refuse_text(out, AT(here, "mountPath"), path, "must be unique");
		if (json_object_get(names, name))
			refuse_text(
			    out, AT(here, "name"), name, "must not already exist in volumeDevices");
		if (json_object_get(device_paths, path))
			refuse_text(out, AT(here, "mountPath"), path,
			    "must not already exist as a path in volumeDevices");
		check_subpath(out, at, here, m, json_object_get(pod->volumes, name));
		check_propagation(out, at, m, container);
		check_recursive(out, at, m);
	}
}

/* --- devices ---------------------------------------------------------------------------------- */

static bool
is_block(const json_t *volume)
{
	return json_object_get(volume, "persistentVolumeClaim") ||
	       json_object_get(volume, "ephemeral");
}

static void
check_device_name(struct causes *out, const struct path *at, const char *name, json_t *names,
    const json_t *volume)
{
	if (!*name)
		refuse_required(out, at, "");
	if (json_object_get(names, name))
		refuse_text(out, at, name, "must be unique");
	if (volume && !is_block(volume))
		refuse_text(out, at, name,
		    "can only use volume source type of PersistentVolumeClaim or Ephemeral for "
		    "block mode");
	if (!volume)
		refuse_not_found(out, at, name);
}

static void
check_device_path(struct causes *out, const struct path *at, const char *path, json_t *paths)
{
	struct causes wrong = CAUSES_INIT;

	if (!*path)
		refuse_required(out, at, "");
	if (json_object_get(paths, path))
		refuse_text(out, at, path, "must be unique");
	check_no_backsteps(&wrong, at, path);
	if (wrong.n)
		refuse_text(out, at, path, "can not contain backsteps ('..')");
	else
		json_object_set_new(paths, path, json_true());
	causes_release(&wrong);
}

void
check_devices(
    struct causes *out, const struct path *at, const json_t *container, const struct pod_scope *pod)
{
	const json_t *devices = json_object_get(container, "volumeDevices");
	const json_t *mounts = json_object_get(container, "volumeMounts");
	json_auto_t *names = NULL, *paths = NULL, *mounted = NULL, *mount_paths = NULL;
	size_t i;
	json_t *d;

	if (!json_array_size(devices))
		return;
	names = json_object();
	paths = json_object();
	mounted = set_of(mounts, "name");
	mount_paths = set_of(mounts, "mountPath");
	json_array_foreach (devices, i, d) {
		const struct path *here = ITEM(at, i);
		const char *name = text(d, "name"), *path = text(d, "devicePath");

		check_device_name(
		    out, AT(here, "name"), name, names, json_object_get(pod->volumes, name));
		check_device_path(out, AT(here, "devicePath"), path, paths);
		if (json_object_get(mounted, name))
			refuse_text(
			    out, AT(here, "name"), name, "must not already exist in volumeMounts");
		if (json_object_get(mount_paths, path))
			refuse_text(out, AT(here, "devicePath"), path,
			    "must not already exist as a path in volumeMounts");
		if (*name)
			json_object_set_new(names, name, json_true());
	}
}
