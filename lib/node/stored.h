#ifndef ORCH_NODE_STORED_H
#define ORCH_NODE_STORED_H

#include "node/pod.h"

/* What is on the disk of it: counted by walking, since no file system is sure to have quotas. */
struct stored {
	int64_t bytes, inodes; /* of the disk; a file of several names counts once among them */
	bool partial;	       /* there is more */
};

/*
 * Add all below a folder, itself included, to *ret; what is missing is nothing.  Stays on its file
 * system, and ends early at `until` (clock_monotonic).  Folders may be as deep, and be moved about
 * while it looks, as they like.
 */
void stored_below(const char *folder, double until, struct stored *ret);

/*
 * What a pod stores: {"containers": {NAME: {"rootfs": [bytes, inodes], "logs": [...]}}, "volumes":
 * {NAME: [...]}, "total": [...]}: the writable layers and logs of its containers, and the volumes
 * that are made for it.  The total is of the node's disk: not what is in memory, but also what was
 * left by runs before these.  New.
 */
json_t *stored_of(const struct host *h, const struct pod *p, double until);
int64_t stored_bytes(const json_t *pair);
int64_t stored_inodes(const json_t *pair);

/* Does the node's disk hold what is in it (an emptyDir on disk, a ConfigMap)? */
bool stored_here(const json_t *volume);

/* Is there anything of which it may store only so much? */
bool stored_limited(const json_t *pod);
/* The words of its eviction, if it stores more than it may: a new string, else NULL. */
char *stored_exceeds(const json_t *pod, const json_t *stored);

#endif
