#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/files.h"
#include "node/spec.h"
#include "node/volume.h"

static const char base_mounts[] =
    "[{\"destination\":\"/"
    "proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
    "{\"destination\":\"/"
    "dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"strictatime\",\"mode="
    "755\",\"size=65536k\"]},"
    "{\"destination\":\"/dev/"
    "pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"nosuid\",\"noexec\","
    "\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"]},"
    "{\"destination\":\"/dev/"
    "mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\",\"options\":[\"nosuid\",\"noexec\","
    "\"nodev\"]}]";

static void
bind(json_t *mounts, const char *from, const char *to)
{
	json_array_append_new(
	    mounts, json_pack("{s:s, s:s, s:s, s:[s, s, s]}", "destination", to, "type", "bind",
			"source", from, "options", "rbind", "rprivate", "rw"));
}

static bool
mounted(const json_t *mounts, const char *path)
{
	json_t *one;
	size_t i;

	json_array_foreach (mounts, i, one)
		if (strcmp(text(one, "destination"), path) == 0)
			return true;
	return false;
}

int
mounts_make(const struct making_of *m, json_t **ret, struct err *err)
{
	static const char *const files[] = { "hosts", "hostname", "resolv.conf" };
	json_auto_t *mounts = json_loads(base_mounts, 0, NULL), *own = json_array();
	const char *log = text(m->container, "terminationMessagePath"), *uid = meta_uid(m->pod);
	bool privileged = truth(get(m->container, "securityContext", "privileged"));
	autofree char *shm = host_path(m->host, "pods/%s/shm", uid);
	autofree char *message = xasprintf("%s/termination-log", m->bundle);
	int r;

	if ((r = volume_mounts(m, own, err)) < 0 || (r = file_write(message, "", 0, 0666, err)) < 0)
		return r;
	chmod(message, 0666);
	json_array_append_new(mounts, json_pack("{s:s, s:s, s:s, s:[s, s, s, s]}", "destination",
					  "/sys", "type", "sysfs", "source", "sysfs", "options",
					  "nosuid", "noexec", "nodev", privileged ? "rw" : "ro"));
	json_array_append_new(
	    mounts, json_pack("{s:s, s:s, s:s, s:[s, s, s, s, s]}", "destination", "/sys/fs/cgroup",
			"type", "cgroup", "source", "cgroup", "options", "nosuid", "noexec",
			"nodev", "relatime", privileged ? "rw" : "ro"));
	if (!mounted(own, "/dev/shm"))
		bind(mounts, shm, "/dev/shm");
	for (size_t i = 0; i < COUNT(files); i++) {
		autofree char *from = host_path(m->host, "pods/%s/etc/%s", uid, files[i]);
		autofree char *to = xasprintf("/etc/%s", files[i]);

		if (!mounted(own, to))
			bind(mounts, from, to);
	}
	bind(mounts, message, *log ? log : "/dev/termination-log");
	json_array_extend(mounts, own);
	*ret = steal(mounts);
	return 0;
}
