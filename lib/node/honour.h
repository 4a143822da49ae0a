#ifndef ORCH_NODE_HONOUR_H
#define ORCH_NODE_HONOUR_H

#include <jansson.h>

/*
 * What a node without a cluster does of what a pod says, and what it leaves out.  Nothing is left
 * out in silence: `each` hears of every field (its path in the pod, and why; borrowed).  Fields
 * that have the value they would have without being written are not told.
 */
void honour_check(
    const json_t *pod, void (*each)(void *arg, const char *path, const char *why), void *arg);

#endif
