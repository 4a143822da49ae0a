#ifndef ORCH_NODE_EVICT_H
#define ORCH_NODE_EVICT_H

#include "node/pressure.h"

/*
 * Pods end before the machine does (the kubelet's node-pressure eviction).  Whoever uses more than
 * it asked for goes first, then the less important, then who uses most beyond what it asked for; of
 * process ids nobody asks for any.
 */
struct candidate {
	const json_t *pod;
	int64_t used; /* of what is short */
	bool known;   /* is `used` known? */
};

/* Which is to go before the other?  For qsort(3): negative for x. */
int evict_order(enum signal_of s, const struct candidate *x, const struct candidate *y);

#define EVICT_SHORT "The node was low on resource: " /* how these begin: */
/* The words of its status; `used` of its containers: their names to bytes. */
char *evict_message(
    enum signal_of s, const json_t *pod, int64_t threshold, int64_t available, const json_t *used);

struct agent;
/* Look whether somebody has to go, when it is time; lowers *wake to the next look. */
void evict_due(struct agent *a, double now, double *wake);

#endif
