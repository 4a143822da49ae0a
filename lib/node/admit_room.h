#ifndef ORCH_NODE_ADMIT_ROOM_H
#define ORCH_NODE_ADMIT_ROOM_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/*
 * The last word on whether a pod may be here: a scheduler may have been wrong, or there was none
 * (spec.nodeName).  Both give NULL, or the reason (new) and *message (new).
 */

/* Is there room for it beside the others, in `allocatable` of a Node's status? */
char *room_refuses(const json_t *pod, const json_t *const *others, size_t n,
    const json_t *allocatable, char **message);

/* Does it want a node like this one?  A Node, as the server has it. */
char *node_refuses(const json_t *pod, const json_t *node, char **message);

bool evict_spares(const json_t *pod); /* one that the node or the cluster cannot do without */

/* Is something short, in the words of a Node's conditions ("MemoryPressure"), a NULL-terminated
 * list, that it would make worse? */
char *pressure_refuses(const json_t *pod, const char *const *conditions, char **message);

#endif
