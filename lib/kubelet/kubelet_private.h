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
	const char *cidr; /* as the administrator wants it, or NULL */
	bool joined;	  /* the Node is registered, watches are open */
	double join_at;	  /* when that is to be tried again */
	bool settled;
	json_t *events;	   /* to be posted when nothing is more urgent */
	double beat, full; /* when the next heartbeat, the next whole status is due */
	bool not_ready;	   /* as the Node said last */
	bool silent;	   /* the server did not take the last heartbeat: said so */
	json_t *seen;	   /* what pods were made of, as last seen: "Kind/namespace/name" */
	struct metric *statuses, *errors;

	struct manifests *manifests; /* NULL: no static pods */
	json_t *statics;	     /* by uid, as manifests_read() gave them */
	json_t *static_status;	     /* theirs, by uid */
	json_t *mirrors;	     /* the server's, by "namespace/name" */
	double mirrors_due;	     /* when mirrors are to be looked at again */
};

const struct kind *core_kind(const char *kind); /* of group "", version v1 */

/* join.c: register and watch, when the server is there.  0 also when it is not; an error is for
 * good.
 */
int join_step(struct kubelet *k, struct err *err);

/* report.c: the Node and its Lease. */
int report_register(struct kubelet *k, struct err *err);
void report_beat(struct kubelet *k); /* sets k->beat */

/* statics.c: static pods and their mirrors. */
void statics_step(struct kubelet *k);
bool statics_is_mirror(const json_t *pod);
void statics_mirror(struct kubelet *k, const char *type, const json_t *mirror); /* heard of */
/* The status of a static pod: true when it is one. */
bool statics_status(struct kubelet *k, const json_t *pod, const json_t *status);

/* services.c: what containers are told of Services. */
json_t *object_identity(const json_t *obj); /* who it is, of which version; new */
json_t *services_keep(const json_t *service);
json_t *services_list(void *arg, const json_t *pod); /* the agent's hook */

/* hooks.c */
void hooks_post_events(struct kubelet *k);

#endif
