#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "node/files.h"
#include "node/huge.h"
#include "node/machine.h"
#include "node/pressure.h"
#include "node/runtime.h"
#include "node/spec.h"

enum { PODS = 110, IMAGES = 50, NAMES = 5 };

int
machine_enter_netns(const char *netns, struct err *err)
{
	autofree char *path =
	    strchr(netns, '/') ? xstrdup(netns) : xasprintf("/run/netns/%s", netns);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		return err_sys(err, errno, "cannot enter network namespace '%s'", netns);
	return 0;
}

char *
machine_address(void)
{
	struct ifaddrs *list, *i;
	char found[INET_ADDRSTRLEN] = "127.0.0.1";

	if (getifaddrs(&list) < 0)
		return xstrdup(found);
	for (i = list; i; i = i->ifa_next) {
		const struct sockaddr_in *in =
		    (const struct sockaddr_in *)(const void *)i->ifa_addr;

		/* veth: a pod's end in this namespace has the gateway's address */
		if (!in || in->sin_family != AF_INET || (i->ifa_flags & IFF_LOOPBACK) ||
		    !(i->ifa_flags & IFF_UP) || text_starts(i->ifa_name, "veth"))
			continue;
		inet_ntop(AF_INET, &in->sin_addr, found, sizeof found);
		break;
	}
	freeifaddrs(list);
	return xstrdup(found);
}

static json_t *
resources(const struct host *h)
{
	json_t *ret;
	struct statvfs fs = { 0 };
	struct sysinfo info;

	sysinfo(&info);
	statvfs(h->o.data, &fs);
	ret = json_pack("{s:o, s:o, s:o, s:o}", "cpu",
	    json_sprintf("%ld", sysconf(_SC_NPROCESSORS_ONLN)), "memory",
	    json_sprintf("%lluKi", (unsigned long long)info.totalram * info.mem_unit / 1024),
	    "ephemeral-storage",
	    json_sprintf("%lluKi", (unsigned long long)fs.f_blocks * fs.f_frsize / 1024), "pods",
	    json_sprintf("%d", h->o.max_pods ? h->o.max_pods : PODS));
	huge_add(ret, &h->cgroups, false);
	return ret;
}

/* Less what is reserved, and what must be left for nobody to be evicted. */
static void
take(json_t *resources, const char *name, int64_t reserved, const struct threshold *t)
{
	bool cpu = strcmp(name, "cpu") == 0;
	int64_t all =
	    cpu ? quantity_milli(get(resources, name)) : quantity_value(get(resources, name));
	int64_t left = t ? threshold_value(t, all) : 0;
	autofree char *text = NULL;

	if (reserved == 0 && left == 0)
		return;
	left = __builtin_add_overflow(left, reserved, &left) || left > all ? 0 : all - left;
	text = cpu ? quantity_print_milli(left, QUANTITY_DECIMAL)
		   : quantity_print_value(left, QUANTITY_BINARY);
	json_object_set_new(resources, name, json_string(text));
}

static int64_t
plus(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

json_t *
machine_allocatable(const struct host *h)
{
	const struct reserve *r = &h->o.reserve;
	json_t *all = resources(h);
	int64_t huge = huge_add(all, &h->cgroups, true); /* memory that is nothing else any more */

	take(all, "cpu", r->cpu, NULL);
	take(all, "memory", plus(r->memory, huge), &r->at[HARD][MEMORY_AVAILABLE]);
	take(all, "ephemeral-storage", r->storage, &r->at[HARD][NODEFS_AVAILABLE]);
	return all;
}

static const char *
first_line(const char *path, char buf[static 128])
{
	if (!file_line(path, buf, 128))
		buf[0] = '\0';
	return buf;
}

static char *
os_name(void)
{
	autofclose FILE *f = fopen("/etc/os-release", "re");
	char line[256], name[200] = "Linux";

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "PRETTY_NAME=\"%199[^\"]\"", name) == 1)
			break;
	return xstrdup(name);
}

static json_t *
node_info(const struct host *h)
{
	const char *runtime = h->o.runtime ? strrchr(h->o.runtime, '/') + 1 : "none";
	autofree char *os = os_name();
	char machine[128], uuid[128], boot[128];
	struct utsname u;

	uname(&u);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s}", "machineID",
	    first_line("/etc/machine-id", machine), "systemUUID",
	    first_line("/sys/class/dmi/id/product_uuid", uuid), "bootID",
	    first_line("/proc/sys/kernel/random/boot_id", boot), "kernelVersion", u.release,
	    "osImage", os, "containerRuntimeVersion",
	    json_sprintf("orch://%s+%s", ORCH_VERSION, runtime), "kubeletVersion",
	    "v1.36.0+orch-" ORCH_VERSION, "kubeProxyVersion", "", "operatingSystem", "linux",
	    "architecture", image_architecture());
}

/* By id: an image with several names is one; first its names by digest, as the kubelet has it. */
static int
add_image(void *arg, const struct image *image, struct err *err)
{
	json_t *all = arg, *one = json_object_get(all, image->id), *names, *name;
	autofree char *by_digest = image_status_id(image);
	size_t i, digests = 0;

	(void)err;
	if (!one) {
		json_object_set_new(all, image->id,
		    json_pack("{s:[], s:I}", "names", "sizeBytes", (json_int_t)image->size));
		one = json_object_get(all, image->id);
	}
	names = get(one, "names");
	json_array_foreach (names, i, name) {
		digests += strchr(str(name, ""), '@') != NULL;
		if (strcmp(str(name, ""), by_digest) == 0)
			by_digest[0] = '\0';
	}
	if (strchr(by_digest, '@'))
		json_array_insert_new(names, digests, json_string(by_digest));
	if (!strchr(image->ref, '@'))
		json_array_append_new(names, json_string(image->ref));
	while (json_array_size(names) > NAMES)
		json_array_remove(names, NAMES);
	return 0;
}

static int
larger_first(const void *a, const void *b)
{
	int64_t x = num(get(*(json_t *const *)a, "sizeBytes"), 0),
		y = num(get(*(json_t *const *)b, "sizeBytes"), 0);

	return (x < y) - (x > y);
}

/* The largest, as the scheduler wants to know them. */
static json_t *
images_here(const struct host *h)
{
	json_auto_t *all = json_object();
	json_t *ret = json_array(), *one, **item;
	struct err ignored;
	const char *id;
	size_t n = 0;

	image_each(h->images, add_image, all, &ignored);
	item = xcalloc(json_object_size(all) + 1, sizeof *item);
	json_object_foreach (all, id, one)
		item[n++] = one;
	qsort(item, n, sizeof *item, larger_first);
	for (size_t i = 0; i < n && i < IMAGES; i++)
		json_array_append(ret, item[i]);
	free(item);
	return ret;
}

static void
condition(json_t *node, const char *type, bool on, const char *reason, const char *message,
    const char *now)
{
	condition_set(node, type, on ? "True" : "False", reason, message, now);
	json_object_set_new(condition_find(node, type), "lastHeartbeatTime", json_string(now));
}

static void
conditions(const struct host *h, json_t *node, int64_t at)
{
	int64_t timer = (int64_t)clock_boot(); /* what h->pressed goes by */
	bool memory = pressure_felt(h, MEMORY_PRESSURE, timer);
	bool disk = pressure_felt(h, DISK_PRESSURE, timer);
	bool pids = pressure_felt(h, PID_PRESSURE, timer);
	char now[TIME_TEXT];

	time_print(at, now);
	condition(node, "MemoryPressure", memory,
	    memory ? "KubeletHasInsufficientMemory" : "KubeletHasSufficientMemory",
	    memory ? "there is too little memory" : "there is memory", now);
	condition(node, "DiskPressure", disk,
	    disk ? "KubeletHasDiskPressure" : "KubeletHasNoDiskPressure",
	    disk ? "there is too little disk space" : "there is disk space", now);
	condition(node, "PIDPressure", pids,
	    pids ? "KubeletHasInsufficientPID" : "KubeletHasSufficientPID",
	    pids ? "there are too few process ids" : "there are process ids", now);
	if (h->runtime_down)
		condition(node, "Ready", false, "KubeletNotReady", h->runtime_down, now);
	else if (h->shutting_down)
		condition(node, "Ready", false, "KubeletNotReady", "node is shutting down", now);
	else
		condition(node, "Ready", true, "KubeletReady", "orch-node is running", now);
}

/* What may be asked of each runtime; mounts are made read-only by us, whatever runs. */
static json_t *
handlers_here(const struct host *h)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->handlers; i++)
		json_array_append_new(
		    list, json_pack("{s:s, s:{s:b, s:b}}", "name", h->handler[i].name, "features",
			      "recursiveReadOnlyMounts", mount_sets_trees(), "userNamespaces",
			      h->handler[i].users));
	return list;
}

json_t *
machine_status(const struct host *h, const json_t *old, int64_t now)
{
	json_auto_t *node = json_pack("{s:{s:[]}}", "status", "conditions");
	json_t *status = get(node, "status");
	const char *address = h->o.address ? h->o.address : "127.0.0.1";

	if (json_is_array(get(old, "conditions")))
		json_object_set_new(status, "conditions", json_deep_copy(get(old, "conditions")));
	conditions(h, node, now);
	json_object_set_new(status, "capacity", resources(h));
	json_object_set_new(status, "allocatable", machine_allocatable(h));
	json_object_set_new(status, "addresses",
	    json_pack("[{s:s, s:s}, {s:s, s:s}]", "type", "InternalIP", "address", address, "type",
		"Hostname", "address", h->o.name));
	json_object_set_new(status, "nodeInfo", node_info(h));
	if (h->port)
		json_object_set_new(status, "daemonEndpoints",
		    json_pack("{s:{s:i}}", "kubeletEndpoint", "Port", h->port));
	json_object_set_new(status, "images", images_here(h));
	if (h->handlers)
		json_object_set_new(status, "runtimeHandlers", handlers_here(h));
	json_object_set_new(status, "features", json_pack("{s:b}", "supplementalGroupsPolicy", 1));
	return json_incref(status);
}

json_t *
machine_node(const struct host *h, int64_t now)
{
	autofree char *logs = host_path(h, "log/pods");
	json_t *node = json_pack("{s:s, s:s, s:{s:s, s:{s:s, s:s, s:s, s:s, s:s}, s:{s:s}}, s:{}}",
	    "apiVersion", "v1", "kind", "Node", "metadata", "name", h->o.name, "labels",
	    "kubernetes.io/hostname", h->o.name, "kubernetes.io/os", "linux", "kubernetes.io/arch",
	    image_architecture(), "beta.kubernetes.io/os", "linux", "beta.kubernetes.io/arch",
	    image_architecture(), "annotations", "orch.io/log-dir", logs, "spec");

	if (h->pin)
		put(node, json_string(h->pin), "metadata", "annotations", "orch.io/server-pin");
	if (h->o.pod_cidr) {
		put(node, json_string(h->o.pod_cidr), "spec", "podCIDR");
		put(node, json_pack("[s]", h->o.pod_cidr), "spec", "podCIDRs");
	}
	json_object_set_new(node, "status", machine_status(h, NULL, now));
	return node;
}

/* What we say, without what changes with every heartbeat. */
static json_t *
lasting(const json_t *status)
{
	static const char *const ours[] = { "addresses", "allocatable", "capacity", "conditions",
		"daemonEndpoints", "features", "images", "nodeInfo", "runtimeHandlers" };
	json_t *copy = json_object(), *c;
	size_t i;

	for (i = 0; i < COUNT(ours); i++)
		json_object_set_new(copy, ours[i], json_deep_copy(get(status, ours[i])));
	json_array_foreach (get(copy, "conditions"), i, c)
		json_object_del(c, "lastHeartbeatTime");
	json_array_foreach (get(copy, "runtimeHandlers"), i, c) /* a server may leave it out */
		if (!*text(c, "name"))
			json_object_del(c, "name");
	return copy;
}

bool
machine_status_changed(const json_t *a, const json_t *b)
{
	json_auto_t *x = lasting(a), *y = lasting(b);

	return !json_equal(x, y);
}
