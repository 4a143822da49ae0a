#ifndef ORCH_KUBELET_KUBELET_PRIVATE_H
#define ORCH_KUBELET_KUBELET_PRIVATE_H

#include "base/metrics.h"
#include "client/cache.h"
#include "kubelet/kubelet.h"

/* What the files of this folder share; others use kubelet.h. */
struct kubelet {
	struct host *host;
	const char *name; /* the host's */
	struct client *client;
	struct cache *cache;
	struct agent *agent;
	bool settled;
	json_t *events;	   /* to be posted when nothing is more urgent */
	double beat, full; /* when the next heartbeat, the next whole status is due */
	bool silent;	   /* the server did not take the last heartbeat: said so */
	json_t *seen;	   /* what pods were made of, as last seen: "Kind/namespace/name" */
	struct metric *statuses, *errors;
};

const struct kind *core_kind(const char *kind); /* of group "", version v1 */

/* report.c: the Node and its Lease. */
int report_register(struct kubelet *k, struct err *err);
void report_beat(struct kubelet *k); /* sets k->beat */

/* hooks.c */
void hooks_post_events(struct kubelet *k);

#endif
