#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "kubelet/kubelet_private.h"
#include "kubelet/manifests.h"

int
kubelet_open(struct kubelet **ret, struct host *host, struct err *err)
{
	struct client *client;
	int r = client_open(&client, err);

	if (r < 0)
		return r;
	*ret = xcalloc(1, sizeof **ret);
	**ret = (struct kubelet){ .host = host,
		.name = host->o.name,
		.client = client,
		.events = json_array(),
		.seen = json_object(),
		.statics = json_object(),
		.static_status = json_object(),
		.mirrors = json_object(),
		.statuses = metric_new("orch_node_status_updates_total", "counter",
		    "Statuses sent to the server.", NULL),
		.errors = metric_new("orch_node_errors_total", "counter",
		    "Requests to the server that failed.", NULL) };
	return 0;
}

void
kubelet_close(struct kubelet *k)
{
	if (!k)
		return;
	cache_close(k->cache);
	client_close(k->client);
	json_decref(k->events);
	json_decref(k->seen);
	json_decref(k->statics);
	json_decref(k->static_status);
	json_decref(k->mirrors);
	manifests_close(k->manifests);
	free(k);
}

struct client *
kubelet_client(struct kubelet *k)
{
	return k->client;
}

/* The Node as the server has it, NULL when it has none; waits for the server. */
static int
find_node(struct kubelet *k, json_t **ret, struct err *err)
{
	bool said = false;

	*ret = NULL;
	for (;;) {
		int r = client_get(k->client, core_kind("Node"), NULL, k->name, ret, err);

		if (r == 0 || r == -ERR_NOT_FOUND)
			return 0;
		if (err_exit(err->code) != 3)
			return r;
		if (!said)
			log_line("waiting for %s: %s", client_server(k->client), err->msg);
		said = true;
		sleep(1);
	}
}

int
kubelet_join(struct kubelet *k, const char *cidr, struct err *err)
{
	json_auto_t *node = NULL;
	int r = find_node(k, &node, err);

	if (r < 0)
		return r;
	if (!cidr)
		cidr = *text(node, "spec", "podCIDR") ? text(node, "spec", "podCIDR") : POD_CIDR;
	if ((r = host_set_cidr(k->host, cidr, err)) < 0)
		return r;
	return report_register(k, err);
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

int
kubelet_manifests(struct kubelet *k, const char *folder, int *fd, struct err *err)
{
	int r = manifests_open(&k->manifests, folder, k->name, err);

	if (r == 0)
		*fd = manifests_fd(k->manifests);
	return r;
}

int
kubelet_follow(struct kubelet *k, struct agent *a, struct err *err)
{
	autofree char *fields = xasprintf("spec.nodeName=%s", k->name);
	struct list_options o = { .fields = fields };
	int r;

	k->agent = a;
	if ((r = cache_open(&k->cache, k->client, err)) < 0 ||
	    (r = cache_add(k->cache, core_kind("Pod"), NULL, &o, err)) < 0 ||
	    (r = cache_add_kind(k->cache, core_kind("Service"), CACHE_OPTIONAL, err)) < 0)
		return r;
	cache_on_change(k->cache, pod_changed, k);
	statics_step(k); /* before those that nobody wants are ended */
	return 0;
}

int
kubelet_step(struct kubelet *k, double wait, int fd, struct err *err)
{
	double beat;
	int r;

	hooks_post_events(k);
	statics_step(k);
	if (k->shutting_down != k->host->shutting_down) { /* no new pods, as early as can be */
		k->shutting_down = k->host->shutting_down;
		k->beat = 0;
	}
	beat = k->beat - clock_monotonic();
	if (beat <= 0) {
		report_beat(k);
		return 0;
	}
	if ((r = cache_wait(k->cache, wait < beat ? wait : beat, fd, err)) < 0)
		return r;
	if (!k->settled && cache_synced(k->cache)) {
		k->settled = true;
		agent_settle(k->agent);
	}
	return 0;
}
