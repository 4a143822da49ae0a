#ifndef ORCH_CLIENT_DRAIN_GATHER_H
#define ORCH_CLIENT_DRAIN_GATHER_H

#include "client/cache.h"
#include "client/drain.h"

/*
 * Inside lib/client/drain.c: what it reads.
 */

/* Keep the pods of the nodes, and the budgets if the server shows them. */
int drain_keep(const struct drain *d, struct cache *cache, struct err *err);

/* A budget as it is now. */
void drain_know(struct drain *d, const json_t *budget, bool deleted);

/* Tell why a pod may not go, once as long as it is the same. */
void drain_explain(struct drain *d, const struct drain_pod *p);

#endif
