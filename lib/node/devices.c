/* volumeDevices: PersistentVolumes of mode Block, as device nodes in the container. */
#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/spec.h"
#include "node/volume.h"

static int
add(const struct making_of *m, const json_t *device, json_t *list, json_t *allow, struct err *err)
{
	const char *name = text(device, "name");
	autofree char *path = NULL;
	struct stat st;
	int r;

	if ((r = volume_path(m->host, m->pod, name, &path, err)) < 0)
		return r;
	if (stat(path, &st) < 0)
		return err_sys(err, errno, "volume '%s': cannot use '%s'", name, path);
	if (!S_ISBLK(st.st_mode))
		return err_set(
		    err, ERR_INVALID, "volume '%s': '%s' is no block device", name, path);
	json_array_append_new(
	    list, json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i}", "path",
		      text(device, "devicePath"), "type", "b", "major", (int)major(st.st_rdev),
		      "minor", (int)minor(st.st_rdev), "fileMode", (int)(st.st_mode & 0777), "uid",
		      (int)st.st_uid, "gid", (int)st.st_gid));
	json_array_append_new(
	    allow, json_pack("{s:b, s:s, s:i, s:i, s:s}", "allow", 1, "type", "b", "major",
		       (int)major(st.st_rdev), "minor", (int)minor(st.st_rdev), "access",
		       volume_readonly(m->pod, name) ? "r" : "rwm"));
	return 0;
}

int
devices_add(const struct making_of *m, json_t *spec, struct err *err)
{
	json_auto_t *list = json_array();
	json_t *allow = get(spec, "linux", "resources", "devices"), *device;
	size_t i;
	int r;

	json_array_foreach (get(m->container, "volumeDevices"), i, device)
		if ((r = add(m, device, list, allow, err)) < 0)
			return r;
	if (json_array_size(list))
		put(spec, json_incref(list), "linux", "devices");
	return 0;
}
