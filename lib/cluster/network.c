/*
 * The network under a cluster's nodes.
 *
 * A cluster has 10.BLOCK.0.0/16: node N's pods are 10.BLOCK.N.0/24.  With a namespace a
 * node, node N is 10.BLOCK.255.N on a bridge in this machine's own namespace, 10.BLOCK.255.254,
 * and everybody has routes to everybody's pods.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/mem.h"
#include "base/text.h"
#include "cluster/cluster.h"

enum { FIRST_BLOCK = 200, BLOCKS = 54 };
static const char CLAIMS[] =
    "/run/orch/network"; /* one file a block in use, holding the data folder */

char *
cluster_netns(const struct cluster *c, int node)
{
	return xasprintf("orch-%s-n%d", c->id, node);
}

/* Does any route of this machine lead into 10.BLOCK.0.0/16? */
static int
routed(int block, bool *ret, struct err *err)
{
	autofree char *range = xasprintf("10.%d.0.0/16", block);
	autobuf struct buf out = BUF_INIT;
	const char *argv[] = { "ip", "-4", "route", "show", "table", "all", "root", range, NULL };
	int r;

	if ((r = proc_run(argv, NULL, &out, err)) < 0)
		return r;
	*ret = out.len > 0;
	return 0;
}

static bool
ours(const char *file, const struct cluster *c)
{
	autobuf struct buf who = BUF_INIT;
	struct err err;

	return buf_read_file(&who, file, 4096, &err) == 0 && who.data &&
	       strcmp(who.data, c->dir) == 0;
}

/* A claim whose cluster has gone is no claim. */
static bool
claimed(const char *file)
{
	autobuf struct buf who = BUF_INIT;
	autofree char *state = NULL;
	struct err err;

	if (buf_read_file(&who, file, 4096, &err) < 0 || !who.data)
		return false;
	state = xasprintf("%s/run/cluster.json", who.data);
	return access(state, F_OK) == 0;
}

/* Two orch-up at once take turns here. */
static int
lock_claims(int *fd, struct err *err)
{
	autofree char *file = xasprintf("%s/lock", CLAIMS);
	int r;

	if ((r = mkdir_all(CLAIMS, 0755, err)) < 0)
		return r;
	*fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (*fd < 0 || flock(*fd, LOCK_EX) < 0)
		return err_sys(err, errno, "cannot lock '%s'", file);
	return 0;
}

int
cluster_network_claim(struct cluster *c, struct err *err)
{
	autoclose int lock = -1;
	unsigned start = (unsigned)text_hash(c->dir, strlen(c->dir), TEXT_HASH_SEED) % BLOCKS;
	int r;

	if ((r = lock_claims(&lock, err)) < 0)
		return r;
	/* after a crash: containers with addresses out of it may still be running */
	for (int block = FIRST_BLOCK; block < FIRST_BLOCK + BLOCKS; block++) {
		autofree char *file = xasprintf("%s/%d", CLAIMS, block);

		if (ours(file, c)) {
			c->block = block;
			return 0;
		}
	}
	for (unsigned i = 0; i < BLOCKS; i++) {
		int block = FIRST_BLOCK + (int)((start + i) % BLOCKS);
		autofree char *file = xasprintf("%s/%d", CLAIMS, block);
		bool busy;

		if (claimed(file))
			continue;
		if ((r = routed(block, &busy, err)) < 0)
			return r;
		if (busy)
			continue;
		if ((r = file_replace(file, c->dir, strlen(c->dir), 0644, err)) < 0)
			return r;
		c->block = block;
		return 0;
	}
	return err_set(err, ERR_UNAVAILABLE, "no network from 10.%d.0.0/16 to 10.%d.0.0/16 is free",
	    FIRST_BLOCK, FIRST_BLOCK + BLOCKS - 1);
}

/* Run lines of ip(8) as one batch. */
static int
ip_batch(const char *netns, const struct buf *lines, struct err *err)
{
	const char *here[] = { "ip", "-batch", "-", NULL };
	const char *there[] = { "ip", "-netns", netns, "-batch", "-", NULL };

	return proc_run(netns ? there : here, lines->data, NULL, err);
}

/* Forwarding inside a namespace: it starts out off. */
static int
forward(const char *netns, struct err *err)
{
	const char *argv[] = { "ip", "netns", "exec", netns, "sh", "-c",
		"echo 1 >/proc/sys/net/ipv4/ip_forward", NULL };

	return proc_run(argv, NULL, NULL, err);
}

static int
node_up(const struct cluster *c, int node, struct err *err)
{
	autofree char *ns = cluster_netns(c, node);
	autobuf struct buf in = BUF_INIT, out = BUF_INIT;
	int r;

	buf_printf(&out, "netns add %s\n", ns);
	buf_printf(&out, "link add o%sn%d type veth peer name eth0 netns %s\n", c->id, node, ns);
	buf_printf(&out, "link set o%sn%d master orch%s up\n", c->id, node, c->id);
	buf_printf(
	    &out, "route add 10.%d.%d.0/24 via 10.%d.255.%d\n", c->block, node, c->block, node);
	if ((r = ip_batch(NULL, &out, err)) < 0)
		return r;
	buf_printf(&in, "addr add 10.%d.255.%d/24 dev eth0\n", c->block, node);
	buf_puts(&in, "link set lo up\nlink set eth0 up\n");
	buf_printf(&in, "route add default via 10.%d.255.254\n", c->block);
	for (int i = 1; i <= c->nodes; i++)
		if (i != node)
			buf_printf(&in, "route add 10.%d.%d.0/24 via 10.%d.255.%d\n", c->block, i,
			    c->block, i);
	if ((r = ip_batch(ns, &in, err)) < 0)
		return r;
	return forward(ns, err);
}

int
cluster_network_up(const struct cluster *c, struct err *err)
{
	autobuf struct buf lines = BUF_INIT;
	int r;

	if (!c->namespaces)
		return 0;
	buf_printf(&lines, "link add orch%s type bridge\n", c->id);
	buf_printf(&lines, "addr add 10.%d.255.254/24 dev orch%s\n", c->block, c->id);
	buf_printf(&lines, "link set orch%s up\n", c->id);
	if ((r = ip_batch(NULL, &lines, err)) < 0)
		return r;
	for (int i = 1; i <= c->nodes; i++)
		if ((r = node_up(c, i, err)) < 0)
			return r;
	return 0;
}

static bool
exists(const char *folder, const char *name)
{
	autofree char *path = xasprintf("%s/%s", folder, name);

	return access(path, F_OK) == 0;
}

int
cluster_network_down(const struct cluster *c, struct err *err)
{
	autofree char *bridge = xasprintf("orch%s", c->id);
	const char *link_del[] = { "ip", "link", "del", bridge, NULL };
	int r = 0;

	for (int i = 1; i <= c->nodes && c->namespaces; i++) {
		autofree char *ns = cluster_netns(c, i);
		autofree char *veth = xasprintf("o%sn%d", c->id, i);
		const char *veth_del[] = { "ip", "link", "del", veth, NULL };
		const char *ns_del[] = { "ip", "netns", "del", ns, NULL };

		/* the veth by itself: a namespace lives on while anything holds it open */
		if (exists("/sys/class/net", veth) && proc_run(veth_del, NULL, NULL, err) < 0)
			r = -(int)err->code;
		if (exists("/run/netns", ns) && proc_run(ns_del, NULL, NULL, err) < 0)
			r = -(int)err->code;
	}
	if (exists("/sys/class/net", bridge) && proc_run(link_del, NULL, NULL, err) < 0)
		r = -(int)err->code;
	return r;
}

void
cluster_network_release(const struct cluster *c)
{
	autofree char *claim = xasprintf("%s/%d", CLAIMS, c->block);

	if (c->block && ours(claim, c))
		unlink(claim);
}
