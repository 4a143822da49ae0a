#ifndef ORCH_SCHEDULE_TOPOLOGY_H
#define ORCH_SCHEDULE_TOPOLOGY_H

#include "schedule/snapshot.h"

/*
 * Topologies: a label key of nodes ("topology.kubernetes.io/zone"), whose values are its domains.
 * Both get numbers, so that counting pods by domain is adding in an array.
 */
enum { NO_DOMAIN = -1 };

unsigned topology_number(
    struct scheduler *s, const char *key);		 /* new ones are read from every node */
void topology_read(struct scheduler *s, struct node *n); /* its labels are new */
void topologies_release(struct scheduler *s);

/* A number for each domain of some topologies, 0 at first. */
struct counts {
	const struct scheduler *s;
	int64_t **of; /* by topology; NULL: all 0 */
};
void counts_init(struct counts *c, const struct scheduler *s);
void counts_release(struct counts *c);
void counts_add(struct counts *c, unsigned topology, const struct node *n, int64_t amount);
int64_t counts_get(const struct counts *c, unsigned topology, const struct node *n);
int64_t counts_sum(const struct counts *c, const struct node *n); /* over all topologies */

#endif
