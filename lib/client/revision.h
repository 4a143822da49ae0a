#ifndef ORCH_CLIENT_REVISION_H
#define ORCH_CLIENT_REVISION_H

#include "client/client.h"

/*
 * The revisions of a workload's template: of a Deployment its ReplicaSets, of a DaemonSet or
 * StatefulSet its ControllerRevisions.
 */
#define CHANGE_CAUSE "kubernetes.io/change-cause"

struct revision {
	long long number;
	json_t *obj; /* the ReplicaSet or ControllerRevision */
};
struct revisions {
	struct revision *item; /* oldest first */
	size_t n, cap;
};

/* owner is the object as the server has it, of kind k. */
int revisions_read(struct revisions *r, struct client *c, const struct kind *k, const json_t *owner,
    struct err *err);
void revisions_release(struct revisions *r);

/* The revision of this number, 0: the one before the latest; NOT_FOUND. */
int revisions_find(
    const struct revisions *r, long long number, const struct revision **ret, struct err *err);

/* The owner as that revision would make it; new. */
int revision_restored(json_t **ret, const struct kind *k, const json_t *owner,
    const struct revision *rev, struct err *err);

/* The same as a patch of the owner as it is now: its type and body (new).  *patch NULL when its
 * template is that one already. */
int revision_patch(const struct kind *k, const json_t *owner, const struct revision *rev,
    const char **type, json_t **patch, struct err *err);

#endif
