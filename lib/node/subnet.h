#ifndef ORCH_NODE_SUBNET_H
#define ORCH_NODE_SUBNET_H

#include "base/err.h"

/*
 * A small network for pods that no cluster gives one: the first of the /28 in 10.85.0.0/16 that
 * nobody on this machine has a route to and no other orch program has taken.  It is ours until the
 * descriptor *lock is closed.  *cidr: new.  UNAVAILABLE when all are taken.
 */
int subnet_take(char **cidr, int *lock, struct err *err);

#endif
