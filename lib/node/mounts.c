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
bind(json_t *mounts, const char *from, const char *to, bool readonly, const char *propagation)
{
	json_array_append_new(
	    mounts, json_pack("{s:s, s:s, s:s, s:[s, s, s]}", "destination", to, "type", "bind",
			"source", from, "options", "rbind", propagation, readonly ? "ro" : "rw"));
}

static const char *
propagation(const json_t *mount)
{
	const char *how = text(mount, "mountPropagation");

	if (strcmp(how, "Bidirectional") == 0)
		return "rshared";
	return strcmp(how, "HostToContainer") == 0 ? "rslave" : "rprivate";
}

/* Make the folders of a subPath inside the volume, never through a link that leads out of it. */
static int
make_below(const char *volume, const char *sub, struct err *err)
{
	autofree char *part = xstrdup(sub);

	for (char *p = part;; p++) {
		char c = *p;
		autoclose int at = -1;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		at = open_inside(volume, part, O_PATH);
		if (at < 0 && errno == ENOENT) {
			char *slash = strrchr(part, '/');
			autofree char *parent =
			    slash ? xstrndup(part, (size_t)(slash - part)) : xstrdup(".");
			autoclose int up = open_inside(volume, parent, O_PATH | O_DIRECTORY);

			if (up < 0 || mkdirat(up, slash ? slash + 1 : part, 0750) < 0)
				return err_sys(err, errno, "cannot create subPath '%s'", sub);
		}
		*p = c;
		if (c == '\0')
			return 0;
	}
}

/* The real path of a subPath: what the name leads to now, resolved inside the volume. */
static int
sub_path(const struct making_of *m, const json_t *mount, char **path, struct err *err)
{
	const char *expr = text(mount, "subPathExpr");
	autofree char *sub = NULL, *self = NULL;
	json_auto_t *env = NULL;
	autoclose int fd = -1;
	char real[4096];
	ssize_t n;
	int r;

	if (!*text(mount, "subPath") && !*expr)
		return 0;
	if (*expr && (r = environment_make(m, &env, err)) < 0)
		return r;
	sub = *expr ? environment_expand(expr, env) : xstrdup(text(mount, "subPath"));
	if (!name_is_below(sub))
		return err_set(err, ERR_INVALID, "subPath '%s' leads out of its volume", sub);
	if ((r = make_below(*path, sub, err)) < 0)
		return r;
	if ((fd = open_inside(*path, sub, O_PATH)) < 0)
		return err_sys(err, errno, "cannot open subPath '%s'", sub);
	self = xasprintf("/proc/self/fd/%d", fd);
	if ((n = readlink(self, real, sizeof real - 1)) < 0)
		return err_sys(err, errno, "cannot open subPath '%s'", sub);
	free(*path);
	*path = xstrndup(real, (size_t)n);
	return 0;
}

static int
add_volumes(const struct making_of *m, json_t *mounts, struct err *err)
{
	json_t *mount;
	size_t i;
	int r;

	json_array_foreach (get(m->container, "volumeMounts"), i, mount) {
		autofree char *path = NULL;
		bool readonly =
		    truth(get(mount, "readOnly")) || volume_readonly(m->pod, text(mount, "name"));

		if ((r = volume_path(m->host, m->pod, text(mount, "name"), &path, err)) < 0 ||
		    (r = sub_path(m, mount, &path, err)) < 0)
			return r;
		if (!file_exists(path) && mkdir(path, 0755) < 0)
			return err_sys(
			    err, errno, "volume '%s': cannot use '%s'", text(mount, "name"), path);
		bind(mounts, path, text(mount, "mountPath"), readonly, propagation(mount));
	}
	return 0;
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

	if ((r = add_volumes(m, own, err)) < 0 || (r = file_write(message, "", 0, 0666, err)) < 0)
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
		bind(mounts, shm, "/dev/shm", false, "rprivate");
	for (size_t i = 0; i < COUNT(files); i++) {
		autofree char *from = host_path(m->host, "pods/%s/etc/%s", uid, files[i]);
		autofree char *to = xasprintf("/etc/%s", files[i]);

		if (!mounted(own, to))
			bind(mounts, from, to, false, "rprivate");
	}
	bind(mounts, message, *log ? log : "/dev/termination-log", false, "rprivate");
	json_array_extend(mounts, own);
	*ret = steal(mounts);
	return 0;
}
