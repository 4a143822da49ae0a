#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/files.h"
#include "node/names.h"
#include "node/network.h"
#include "node/pidspace.h"
#include "node/qos.h"
#include "node/runtime.h"
#include "node/sandbox.h"
#include "node/userspace.h"
#include "node/volume.h"

static const struct {
	const char *name;
	int flag;
} spaces[] = { { "net", CLONE_NEWNET }, { "ipc", CLONE_NEWIPC }, { "uts", CLONE_NEWUTS } };

bool
pod_host_network(const json_t *pod)
{
	return truth(get(pod, "spec", "hostNetwork"));
}

static bool
own_space(const json_t *pod, int flag)
{
	if (flag == CLONE_NEWIPC)
		return !truth(get(pod, "spec", "hostIPC"));
	return !pod_host_network(pod); /* the node's hostname goes with its network */
}

/* Keep one of this process's namespaces alive at a path. */
static int
pin(const char *name, const char *path, struct err *err)
{
	autofree char *self = xasprintf("/proc/self/ns/%s", name);
	autoclose int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || mount(self, path, NULL, MS_BIND, NULL) < 0)
		return err_sys(err, errno, "cannot pin the %s namespace at '%s'", name, path);
	return 0;
}

/* What the CNI plugin "loopback" does, without starting a program for it. */
static int
raise_loopback(struct err *err)
{
	autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = { .ifr_name = "lo" };

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &lo) < 0)
		return err_sys(err, errno, "cannot find the pod's loopback interface");
	lo.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		return err_sys(err, errno, "cannot raise the pod's loopback interface");
	return 0;
}

/* spec.securityContext.sysctls, which are of the pod's namespaces. */
static int
set_sysctls(const json_t *pod, struct err *err)
{
	json_t *one;
	size_t i;
	int r;

	json_array_foreach (get(pod, "spec", "securityContext", "sysctls"), i, one) {
		autofree char *path = xasprintf("/proc/sys/%s", text(one, "name"));
		const char *value = text(one, "value");

		if (strstr(path, ".."))
			return err_set(
			    err, ERR_INVALID, "sysctl '%s' has a bad name", text(one, "name"));
		for (char *p = path + strlen("/proc/sys/"); *p; p++)
			if (*p == '.')
				*p = '/';
		if ((r = file_write(path, value, strlen(value), 0, err)) < 0)
			return err_wrap(err, "sysctl '%s'", text(one, "name"));
	}
	return 0;
}

/* New namespaces, pinned below `folder`; this process is back in its own network afterwards. */
static int
make_spaces(const struct host *h, const json_t *pod, const char *folder, struct err *err)
{
	autoclose int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	char name[HOSTNAME_TEXT];
	int flags = 0, r;

	for (size_t i = 0; i < COUNT(spaces); i++)
		flags |= own_space(pod, spaces[i].flag) ? spaces[i].flag : 0;
	if (home < 0)
		return err_sys(err, errno, "cannot find the node's network");
	if (pod_maps_users(pod) && (r = userspace_make(h, meta_uid(pod), flags, err)) < 0)
		return r;
	if (!pod_maps_users(pod) && unshare(flags) < 0)
		return err_sys(err, errno, "cannot make the pod's namespaces");
	if ((r = pod_kernel_name(h, pod, name, err)) < 0)
		return r;
	if ((flags & CLONE_NEWUTS) && sethostname(name, strlen(name)) < 0)
		return err_sys(err, errno, "cannot set the hostname '%s'", name);
	if ((r = set_sysctls(pod, err)) < 0 ||
	    ((flags & CLONE_NEWNET) && (r = raise_loopback(err)) < 0))
		return r;
	for (size_t i = 0; i < COUNT(spaces); i++) {
		autofree char *path = xasprintf("%s/%s", folder, spaces[i].name);

		if ((flags & spaces[i].flag) && (r = pin(spaces[i].name, path, err)) < 0)
			return r;
	}
	if (setns(home, CLONE_NEWNET) < 0)
		return err_sys(err, errno, "cannot return to the node's network");
	return 0;
}

static int
make_shm(const struct host *h, const char *uid, struct err *err)
{
	autofree char *path = host_path(h, "pods/%s/shm", uid);
	int r;

	if ((r = mkdir_all(path, 0755, err)) < 0)
		return r;
	if (mount("shm", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m") < 0)
		return err_sys(err, errno, "cannot mount '%s'", path);
	return 0;
}

static int
make(const struct host *h, const json_t *pod, const json_t *sources, char **ip, bool *mounting,
    struct err *err)
{
	const char *uid = meta_uid(pod);
	autofree char *ns = host_path(h, "pods/%s/ns", uid), *net = xasprintf("%s/net", ns);
	autofree char *address = NULL;
	int r;

	if ((r = mkdir_all(ns, 0711, err)) < 0 || (r = qos_make(h, pod, err)) < 0)
		return r;
	if ((r = runtime_choose(h, pod, sources, err)) < 0 ||
	    (r = make_spaces(h, pod, ns, err)) < 0)
		return r;
	/* Before the network: what a volume waits for may be long in coming. */
	if ((r = volumes_up(h, pod, sources, "", err)) < 0) {
		*mounting = true;
		return r;
	}
	if ((pod_shares_processes(pod) && (r = pidspace_make(h, pod, err)) < 0))
		return r;
	if (pod_host_network(pod))
		address = xstrdup(h->o.address ? h->o.address : "");
	else if ((r = network_add(h, pod, net, &address, err)) < 0)
		return err_wrap(err, "cannot set up the pod's network");
	if ((r = names_write(h, pod, address, err)) < 0 || (r = make_shm(h, uid, err)) < 0)
		return r;
	*ip = steal(address);
	return 0;
}

int
sandbox_up(const struct host *h, const json_t *pod, const json_t *sources, char **ip,
    bool *mounting, struct err *err)
{
	autofree char *ns = host_path(h, "pods/%s/ns", meta_uid(pod));
	struct err ignored;
	int r;

	/* Half a sandbox that a crash left. */
	if (file_exists(ns) && (r = sandbox_down(h, meta_uid(pod), err)) < 0)
		return r;
	if ((r = make(h, pod, sources, ip, mounting, err)) < 0)
		sandbox_down(h, meta_uid(pod), &ignored);
	return r;
}

static bool
pinned(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

static bool
mounted(const char *path)
{
	autofree char *above = xasprintf("%s/..", path);
	struct stat a, b;

	return stat(path, &a) == 0 && stat(above, &b) == 0 && a.st_dev != b.st_dev;
}

bool
sandbox_alive(const struct host *h, const json_t *pod)
{
	autofree char *shm = host_path(h, "pods/%s/shm", meta_uid(pod));

	if (!mounted(shm)) /* with the host's network and IPC it is all that there is */
		return false;
	for (size_t i = 0; i < COUNT(spaces); i++) {
		autofree char *path = host_path(h, "pods/%s/ns/%s", meta_uid(pod), spaces[i].name);

		if (own_space(pod, spaces[i].flag) && !pinned(path))
			return false;
	}
	if (pod_maps_users(pod) && !userspace_alive(h, meta_uid(pod)))
		return false;
	return !pod_shares_processes(pod) || pidspace_alive(h, meta_uid(pod));
}

int
sandbox_down(const struct host *h, const char *uid, struct err *err)
{
	static const char *const parts[] = { "shm", "layers", "ns", "etc", "volumes",
		"containers" };
	autofree char *net = host_path(h, "pods/%s/ns/net", uid), *group = host_cgroup(h, uid);
	int r;

	if ((r = cgroup_remove(&h->cgroups, group, err)) < 0)
		return r;
	if (file_exists(net)) {
		if ((r = network_del(h, uid, pinned(net) ? net : "", err)) < 0)
			return r;
	}
	for (size_t i = 0; i < COUNT(spaces); i++) {
		autofree char *path = host_path(h, "pods/%s/ns/%s", uid, spaces[i].name);

		umount2(path, MNT_DETACH);
	}
	pidspace_end(h, uid);
	userspace_end(h, uid);
	volumes_down(h, uid);
	for (size_t i = 0; i < COUNT(parts); i++) {
		autofree char *path = host_path(h, "pods/%s/%s", uid, parts[i]);

		umount2(path, MNT_DETACH);
		if ((r = tree_remove(path, err)) < 0)
			return r;
	}
	return 0;
}
