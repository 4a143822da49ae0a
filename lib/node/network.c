#include <stdlib.h>
#include <string.h>

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
		"dataDir", folder, "ranges", "subnet", h->o.pod_cidr, "routes", "dst", "0.0.0.0/0");
	autobuf struct buf b = BUF_INIT;

	json_add(&b, config);
	return buf_detach(&b);
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
	if ((r = proc_run(argv, config, out, err)) == 0)
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

int
network_add(const struct host *h, const char *uid, const char *netns, char **ip, struct err *err)
{
	autofree char *config = ptp_config(h);
	autobuf struct buf out = BUF_INIT;
	json_auto_t *result = NULL;
	const char *address;
	int r;

	parameters(h, uid, netns);
	if ((r = plugin(h, "ptp", "ADD", "eth0", config, &out, err)) < 0)
		return r;
	result = json_loadb(out.data, out.len, 0, NULL);
	address = text(json_array_get(get(result, "ips"), 0), "address");
	if (!*address)
		return err_set(err, ERR_INTERNAL, "CNI plugin 'ptp' gives no address");
	*ip = xstrndup(address, strcspn(address, "/"));
	return 0;
}

int
network_del(const struct host *h, const char *uid, const char *netns, struct err *err)
{
	autofree char *config = ptp_config(h);
	autobuf struct buf out = BUF_INIT;

	/* An empty CNI_NETNS: the namespace is lost, give the address back all the same. */
	parameters(h, uid, file_exists(netns) ? netns : "");
	return plugin(h, "ptp", "DEL", "eth0", config, &out, err);
}
