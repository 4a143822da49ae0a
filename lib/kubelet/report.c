/* The Node and its Lease. */
#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/member.h"
#include "kubelet/kubelet_private.h"
#include "node/machine.h"
#include "node/objects.h"

enum { HEARTBEAT = 10, STATUS_EVERY = 300, RETRY = 2 };

int
report_register(struct kubelet *k, struct err *err)
{
	json_auto_t *node = machine_node(k->host, clock_now());
	int r = node_register(k->client, node, err);

	if (r == 0)
		k->full = 0; /* a create leaves status out */
	return r;
}

/* The server's state is what counts: others (the node controller) write conditions too. */
static int
send_status(struct kubelet *k, struct err *err)
{
	json_auto_t *node = NULL, *status = NULL, *patch = NULL;
	double now = clock_monotonic();
	int r;

	if ((r = client_get(k->client, core_kind("Node"), NULL, k->name, &node, err)) < 0)
		return r;
	status = machine_status(k->host, get(node, "status"), clock_now());
	if (now < k->full && !machine_status_changed(status, get(node, "status")))
		return 0;
	patch = json_pack("{s:O}", "status", status);
	if ((r = client_patch(k->client, core_kind("Node"), NULL, k->name, "status",
		 "application/merge-patch+json", patch, NULL, NULL, err)) == 0)
		k->full = now + STATUS_EVERY;
	return r;
}

void
report_beat(struct kubelet *k)
{
	json_auto_t *lease = node_lease(k->name, clock_now_us());
	struct err err;
	int r = node_renew(k->client, lease, &err);

	if (r == 0)
		r = send_status(k, &err);
	if (r == -ERR_NOT_FOUND && (r = report_register(k, &err)) == 0)
		r = send_status(k, &err);
	k->beat = clock_monotonic() + (r == 0 ? HEARTBEAT : RETRY);
	if (r < 0 && !k->silent) {
		log_line("cannot send the heartbeat: %s", err.msg);
	} else if (r == 0 && k->silent) {
		log_line("the server takes heartbeats again");
		k->events_at = 0;
	}
	k->silent = r < 0;
	if (r < 0)
		metric_add(k->errors, 1);
}
