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

const char *evict_resource(enum signal_of s); /* what is short then: "memory" */

struct agent;
struct pod;
/* Who is to go; NULL: nobody may.  `stored` by uid what they store (stored_of), for the signals of
 * the disk. */
struct pod *evict_choose(const struct agent *a, enum signal_of s, const json_t *stored);
void evict_pod(struct agent *a, struct pod *p, enum signal_of s, int urgency,
    const struct pressure *is, const json_t *stored, double now);

/* relieve.c: look whether something is short, when it is time; lowers *wake to the next look. */
void evict_due(struct agent *a, double now, double *wake);
void relief_done(struct agent *a);

#endif
