#ifndef ORCH_CLIENT_REWORK_H
#define ORCH_CLIENT_REWORK_H

#include "client/client.h"

/*
 * What orch-rollout does to a workload: each plans a patch of the object as it was read, without
 * writing anything.
 */
struct rework {
	const char *type; /* of the patch */
	json_t *patch;	  /* with the object's version; NULL: it is so already */
	json_t *then;	  /* the object as it will be; NULL with no patch */
	char so[128];	  /* with no patch: what is so, "already paused" */
};
void rework_release(struct rework *w);

/* Back to a revision, 0: the one before the latest. */
int rework_undo(struct rework *w, struct client *c, const struct kind *k, const json_t *obj,
    long long revision, struct err *err);
/* Again with the same template; now is seconds since the epoch. */
int rework_restart(struct rework *w, const json_t *obj, int64_t now, struct err *err);
int rework_pause(struct rework *w, const json_t *obj, bool paused, struct err *err);

/* Deployments, DaemonSets and StatefulSets are what has rollouts; else BAD_REQUEST. */
int rework_fits(const struct kind *k, struct err *err);

#endif
