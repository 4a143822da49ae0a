#ifndef ORCH_CLIENT_MEMBER_H
#define ORCH_CLIENT_MEMBER_H

#include "client/client.h"

/* What a node says to a server about itself.  The objects come from lib/node, which knows no
 * server. */

/* Create the Node, or bring an older one's labels, annotations and pod network up to date. */
int node_register(struct client *c, const json_t *node, struct err *err);

/* Renew the Lease; made when it is not there, owned by the Node of the same name (NOT_FOUND when
 * that is not there either). */
int node_renew(struct client *c, const json_t *lease, struct err *err);

/* Record an Event.  What was said before is counted, not said again: `again` makes the merge patch
 * for that, a new reference. */
int node_event(struct client *c, const json_t *event,
    json_t *(*again)(const json_t *event, const json_t *old), struct err *err);

#endif
