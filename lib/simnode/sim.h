#ifndef ORCH_SIMNODE_SIM_H
#define ORCH_SIMNODE_SIM_H

#include "client/client.h"

/*
 * Pretend nodes: thousands in one thread.  Each has a Node, a Lease that is renewed, and the pods
 * that are bound to it, which begin, run and end as nothing but times and chances say.
 *
 * One watch brings all pods; of those on these nodes a few hundred bytes are kept.  Writes go over
 * a few connections, at most so many a second, heartbeats before pods; while the server is away
 * one request at a time asks for it.
 */
struct range {
	double min, max;
};

struct sim_options {
	unsigned nodes;
	const char *prefix; /* nodes are PREFIX0, PREFIX1, ... */
	const char *cpu, *memory;
	int pods;		       /* that a node takes */
	const json_t *labels, *taints; /* an object, an array */
	struct range start, run, stop; /* seconds until a pod runs, ends, has stopped */
	double failure;		       /* the chance that a run ends in failure */
	double heartbeat;	       /* seconds between two of a node */
	double silence;		       /* the chance, at a heartbeat, that a node falls silent */
	struct range silent;	       /* for so long */
	double backoff;		       /* seconds before the second run of what failed */
	double qps;		       /* requests a second */
	unsigned connections;
	unsigned long long seed;
};
enum { SIM_NODES_MOST = 32768, SIM_PODS_MOST = 250 };

struct sim;

int sim_open(struct sim **ret, struct client *c, const struct sim_options *o, struct err *err);
void sim_close(struct sim *s); /* accepts NULL */

/* Go on for a moment, until fd is readable at the latest.  Negative only when the server does not
 * let us have nodes. */
int sim_step(struct sim *s, int fd, struct err *err);

/* Delete the Nodes and their Leases: 1 when all have gone, 0: go on calling it instead of
 * sim_step(). */
int sim_remove(struct sim *s, int fd);

#endif
