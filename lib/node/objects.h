#ifndef ORCH_NODE_OBJECTS_H
#define ORCH_NODE_OBJECTS_H

#include <jansson.h>
#include <stdint.h>

/* What a node writes to a server, as objects; all new references. */

/* A pod's new status as a merge patch: what we no longer say is taken away; for this uid only. */
json_t *pod_status_patch(const json_t *pod, const json_t *status);

/* An Event about a pod, of type Normal or Warning; the same words about the same pod have the same
 * name. NULL when a text is no UTF-8. */
json_t *pod_event(const json_t *pod, const char *field, const char *node, const char *type,
    const char *reason, const char *message, int64_t now_us);

/* One about the node itself. */
json_t *node_own_event(
    const char *node, const char *type, const char *reason, const char *message, int64_t now_us);

/* The merge patch that counts it once more. */
json_t *pod_event_again(const json_t *event, const json_t *old);

/* The node's Lease, held from now. */
json_t *node_lease(const char *node, int64_t now_us);

/* Without a server: give a pod the namespace, uid and node that one would have given it. */
void pod_complete(json_t *pod, const char *node);

#endif
