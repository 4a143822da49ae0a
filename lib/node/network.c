#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/proc.h"
#include "node/files.h"
#include "node/network.h"

static char *
ptp_config(const struct host *h)
{
	autofree char *name = xasprintf("orch-%s", h->key);
	autofree char *folder = host_path(h, "cni");
	json_auto_t *config =
	    json_pack("{s:s, s:s, s:s, s:b, s:{s:s, s:s, s:[[{s:s}]], s:[{s:s}]}}", "cniVersion",
		"1.0.0", "name", name, "type", "ptp", "ipMasq", 0, "ipam", "type", "host-local",
		"dataDir", folder, "ranges", "subnet", h->o.pod_cidr ? h->o.pod_cidr : "0.0.0.0/0",
		"routes", "dst", "0.0.0.0/0");
	autobuf struct buf b = BUF_INIT;

	json_add(&b, config);
	return buf_detach(&b);
}

/*
 * Held by every plugin of a pod as long as it runs, also when who started it has been killed: one
 * that still adds an address when another is to remove it would leave it behind.
 */
static int
hold_network(const struct host *h, const char *uid)
{
	autofree char *path = host_path(h, "pods/%s/network", uid);
	int fd = open(path, O_RDWR | O_CREAT, 0600); /* plugins are to inherit it */
	struct timespec pause = { 0, 10000000 };

	/* one that hangs is not waited for for ever */
	for (int tries = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && tries < 1500; tries++)
		nanosleep(&pause, NULL);
	return fd;
}

/* A plugin says what went wrong as JSON on its stdout. */
static int
plugin(const struct host *h, const char *name, const char *command, const char *interface,
    const char *config, struct buf *out, struct err *err)
{
	autofree char *path = xasprintf("%s/%s", h->o.cni_path, name);
	const char *argv[] = { path, NULL };
	json_auto_t *said = NULL;
	int r;

	setenv("CNI_COMMAND", command, 1);
	setenv("CNI_IFNAME", interface, 1);
	if ((r = proc_run_within(argv, config, out, h->o.runtime_timeout, err)) == 0)
		return 0;
	said = out->len ? json_loadb(out->data, out->len, 0, NULL) : NULL;
	if (*text(said, "msg"))
		return err_set(err, ERR_INTERNAL, "CNI plugin '%s': %s", name, text(said, "msg"));
	return err_wrap(err, "CNI plugin '%s'", name);
}

static void
parameters(const struct host *h, const char *uid, const char *netns)
{
	setenv("CNI_CONTAINERID", uid, 1);
	setenv("CNI_NETNS", netns, 1);
	setenv("CNI_PATH", h->o.cni_path, 1);
	unsetenv("CNI_ARGS");
}

/* The host ports of containers that run on, as portmap's runtimeConfig has them. */
static json_t *
host_ports(const json_t *pod)
{
	static const char *const lists[] = { "initContainers", "containers" };
	json_t *all = json_array(), *c, *port;
	size_t i, k;

	for (size_t l = 0; l < COUNT(lists); l++)
		json_array_foreach (get(pod, "spec", lists[l]), i, c) {
			if (l == 0 && strcmp(text(c, "restartPolicy"), "Always") != 0)
				continue;
			json_array_foreach (get(c, "ports"), k, port) {
				const char *protocol = text(port, "protocol");
				const char *lower = strcmp(protocol, "UDP") == 0    ? "udp"
						    : strcmp(protocol, "SCTP") == 0 ? "sctp"
										    : "tcp";

				if (num(get(port, "hostPort"), 0) == 0)
					continue;
				json_array_append_new(
				    all, json_pack("{s:I, s:I, s:s, s:s}", "hostPort",
					     num(get(port, "hostPort"), 0), "containerPort",
					     num(get(port, "containerPort"), 0), "protocol", lower,
					     "hostIP", text(port, "hostIP")));
			}
		}
	return all;
}

static char *
portmap_config(const struct host *h, json_t *ports, json_t *result)
{
	autofree char *name = xasprintf("orch-%s", h->key);
	json_auto_t *config = json_pack("{s:s, s:s, s:s, s:b, s:{s:b}, s:O*, s:{s:O*}}",
	    "cniVersion", "1.0.0", "name", name, "type", "portmap", "snat", 1, "capabilities",
	    "portMappings", 1, "prevResult", result, "runtimeConfig", "portMappings", ports);
	autobuf struct buf b = BUF_INIT;

	json_add(&b, config);
	return buf_detach(&b);
}

/* What portmap was told: without it, it removes nothing. */
static char *
ports_mark(const struct host *h, const char *uid)
{
	return host_path(h, "pods/%s/hostports", uid);
}

static int
open_ports(const struct host *h, const json_t *pod, json_t *result, struct err *err)
{
	autofree char *mark = ports_mark(h, meta_uid(pod)), *config = NULL;
	json_auto_t *ports = host_ports(pod);
	autobuf struct buf out = BUF_INIT, said = BUF_INIT;
	int r;

	if (json_array_size(ports) == 0)
		return 0;
	config = portmap_config(h, ports, result);
	json_add(&said, ports);
	if ((r = file_write(mark, said.data, said.len, 0600, err)) < 0)
		return r;
	return plugin(h, "portmap", "ADD", "eth0", config, &out, err);
}

int
network_add(const struct host *h, const json_t *pod, const char *netns, char **ip, struct err *err)
{
	autofree char *config = ptp_config(h);
	autobuf struct buf out = BUF_INIT;
	json_auto_t *result = NULL;
	const char *address;
	autoclose int held = -1;
	int r;

	if (!h->o.pod_cidr)
		return err_set(err, ERR_UNAVAILABLE,
		    "the network is not ready: the server has not said yet which addresses this "
		    "node has for pods");
	held = hold_network(h, meta_uid(pod));
	parameters(h, meta_uid(pod), netns);
	if ((r = plugin(h, "ptp", "ADD", "eth0", config, &out, err)) < 0)
		return r;
	result = json_loadb(out.data, out.len, 0, NULL);
	address = text(json_array_get(get(result, "ips"), 0), "address");
	if (!*address)
		return err_set(err, ERR_INTERNAL, "CNI plugin 'ptp' gives no address");
	if ((r = open_ports(h, pod, result, err)) < 0)
		return r;
	*ip = xstrndup(address, strcspn(address, "/"));
	return 0;
}

static int
close_ports(const struct host *h, const char *uid, struct err *err)
{
	autofree char *mark = ports_mark(h, uid), *config = NULL;
	json_auto_t *ports = json_load_file(mark, 0, NULL);
	autobuf struct buf out = BUF_INIT;
	int r;

	if (!ports) /* none, or cut off before portmap was asked */
		return 0;
	config = portmap_config(h, ports, NULL);
	if ((r = plugin(h, "portmap", "DEL", "eth0", config, &out, err)) < 0)
		return r;
	return tree_remove(mark, err);
}

int
network_del(const struct host *h, const char *uid, const char *netns, struct err *err)
{
	autofree char *config = ptp_config(h);
	autoclose int held = hold_network(h, uid);
	autobuf struct buf out = BUF_INIT;
	int r;

	(void)held;
	/* An empty CNI_NETNS: the namespace is lost, give the address back all the same. */
	parameters(h, uid, file_exists(netns) ? netns : "");
	if ((r = close_ports(h, uid, err)) < 0)
		return r;
	return plugin(h, "ptp", "DEL", "eth0", config, &out, err);
}
