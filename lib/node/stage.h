#ifndef ORCH_NODE_STAGE_H
#define ORCH_NODE_STAGE_H

#include "node/spec.h"

/*
 * What a container of a pod with a user namespace of its own is made of, with its ids mapped
 * (userspace.h), where the runtime can reach it: that works as a user who may not look into the
 * data folder.  STAGE is an empty folder, and a tmpfs in the mount namespace of a container alone.
 */
#define STAGE "/run/orch/stage"

int stage_empty(struct err *err); /* in a mount namespace of one's own */

/* Move the root and all that is bind-mounted there, and have the OCI configuration say so. */
int stage_make(const struct making_of *m, json_t *config, struct err *err);

/* The pipes of a container's first process are another user's: let it open them again, as
 * /dev/stdout. */
void stage_open_output(const json_t *pod, pid_t pid);

/*
 * Change to the folder of layers, for an overlay with their short names (127 of them must fit into
 * a page).  A pod with a user namespace of its own gets them mapped, mounted at `at` until
 * layers_leave, which is of no account to overlays that were made of them.
 */
int layers_enter(const struct host *h, const json_t *pod, const char *at, struct err *err);
void layers_leave(const json_t *pod, const char *at);

#endif
