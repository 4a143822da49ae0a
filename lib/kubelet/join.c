/* Becoming a node of a cluster, as soon as its server is there. */
#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "kubelet/kubelet_private.h"
#include "kubelet/manifests.h"

enum { AGAIN = 1 }; /* seconds */

/* The Node as the server has it, NULL when it has none. */
static int
find_node(struct kubelet *k, json_t **ret, struct err *err)
{
	int r = client_get(k->client, core_kind("Node"), NULL, k->name, ret, err);

	return r == -ERR_NOT_FOUND ? 0 : r;
}

/* Of what the server has for this node, unless the administrator wants something else. */
static int
take_network(struct kubelet *k, const json_t *node, struct err *err)
{
	const char *given = text(node, "spec", "podCIDR");
	const char *cidr = k->cidr ? k->cidr : *given ? given : POD_CIDR;

	if (k->host->o.pod_cidr && strcmp(k->host->o.pod_cidr, cidr) == 0)
		return 0;
	return host_set_cidr(k->host, cidr, err);
}

int
kubelet_network(struct kubelet *k, const char *cidr, struct err *err)
{
	k->cidr = cidr;
	if (cidr)
		return host_set_cidr(k->host, cidr, err);
	host_last_cidr(k->host);
	return 0;
}

static void
pod_changed(void *arg, const char *type, const json_t *obj, const json_t *old)
{
	struct kubelet *k = arg;
	struct err err;

	if (strcmp(text(obj, "kind"), "Pod") != 0)
		return;
	if (statics_is_mirror(obj)) {
		statics_mirror(k, type, obj);
		return;
	}
	if (old && strcmp(meta_uid(old), meta_uid(obj)) != 0)
		agent_drop(
		    k->agent, meta_uid(old)); /* another pod of the same name took its place */
	if (strcmp(type, "DELETED") == 0)
		agent_drop(k->agent, meta_uid(obj));
	else if (agent_set(k->agent, obj, &err) < 0)
		log_line("%s", err.msg);
}

/* The agent has the pods themselves: which of them are mirrors is all that we are to remember. */
static json_t *
less_of_pod(const json_t *pod)
{
	json_t *less = object_identity(pod);
	const char *mirror = meta_annotation(pod, STATIC_MIRROR);

	if (mirror)
		put(less, json_string(mirror), "metadata", "annotations", STATIC_MIRROR);
	return less;
}

static int
follow(struct kubelet *k, struct err *err)
{
	autofree char *fields = xasprintf("spec.nodeName=%s", k->name);
	struct list_options o = { .fields = fields };
	int r;

	if ((r = cache_open(&k->cache, k->client, err)) < 0 ||
	    (r = cache_add(k->cache, core_kind("Pod"), NULL, &o, err)) < 0 ||
	    (r = cache_add_kind(k->cache, core_kind("Service"), CACHE_OPTIONAL, err)) < 0)
		return r;
	cache_keep(k->cache, core_kind("Pod"), less_of_pod);
	cache_keep(k->cache, core_kind("Service"), services_keep);
	cache_on_change(k->cache, pod_changed, k);
	return 0;
}

int
join_step(struct kubelet *k, struct err *err)
{
	json_auto_t *node = NULL;
	int r;

	if (k->joined || clock_monotonic() < k->join_at)
		return 0;
	if ((r = find_node(k, &node, err)) == 0 && (r = take_network(k, node, err)) == 0 &&
	    (r = report_register(k, err)) == 0)
		r = follow(k, err);
	if (r < 0 && err_exit(err->code) != 3)
		return err_wrap(err, "cannot register node '%s'", k->name);
	if (r < 0) {
		if (!k->silent)
			log_line("waiting for %s: %s", client_server(k->client), err->msg);
		k->join_at = clock_monotonic() + AGAIN;
		k->silent = true;
		return 0;
	}
	k->joined = true;
	k->silent = false;
	log_line("node %s: joined %s, pods in %s", k->name, client_server(k->client),
	    k->host->o.pod_cidr);
	return 0;
}
