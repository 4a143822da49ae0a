#ifndef ORCH_METRICS_GATHER_H
#define ORCH_METRICS_GATHER_H

#include "client/client.h"
#include "metrics/figures.h"

/*
 * Asks the nodes of a cluster for their figures, through the API server
 * (nodes/NAME/proxy/metrics/resource), and keeps what they said last.
 *
 * A few threads, each with one node at a time: as many as there are nodes, at most GATHER_WORKERS.
 * Nodes that did not answer have a quarter of the threads at a time (one at least), so that many of
 * them delay the others no more than a few; from the second time on they are asked less often, down
 * to a quarter.
 */
enum { GATHER_WORKERS = 16 };

struct gather;

struct gather_options {
	double resolution;    /* seconds between two questions to a node */
	double first;	      /* and between the first two of one that is new */
	unsigned rounds;      /* ask each node so often, if it answers; 0: for ever */
	const char *selector; /* of nodes; NULL: all */
};

/* c is borrowed, and only its clones are used: it stays the caller's thread's. */
int gather_open(
    struct gather **ret, struct client *c, const struct gather_options *o, struct err *err);
void gather_close(struct gather *g); /* gives up what is being asked; accepts NULL */

/* Look which nodes there are; to be called again from time to time, by one thread. */
int gather_nodes(struct gather *g, struct client *c, struct err *err);

/* With rounds: wait until all have been asked so often.  How many have not answered. */
size_t gather_wait(struct gather *g);

/* Has every node been asked twice, or failed to answer, since it was seen first? */
bool gather_settled(struct gather *g);

/*
 * What is known now.  Nodes and pods are sorted by name (by namespace, then name); what a node said
 * does not count from when it fails to answer until it answers again.
 */
struct snapshot {
	struct snapshot_node {
		char *name;
		struct figures *figures;
	} * node;
	size_t n;
	struct snapshot_pod {
		const struct entry *entry;
		size_t n; /* of its containers */
	} * pod;
	size_t npods;
};
/* pods: sort them, too. */
void snapshot_take(struct gather *g, bool pods, struct snapshot *ret);
void snapshot_release(struct snapshot *s);
const struct figures *snapshot_node(const struct snapshot *s, const char *name); /* or NULL */
/* False: nothing is known of it.  Of many pods, take the snapshot with pods; of one, without. */
bool snapshot_pod(
    const struct snapshot *s, const char *ns, const char *name, struct snapshot_pod *ret);

#endif
