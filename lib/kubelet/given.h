#ifndef ORCH_KUBELET_GIVEN_H
#define ORCH_KUBELET_GIVEN_H

#include <jansson.h>

#include "control/world.h"

/* Objects that come with pods in one stream, where no cluster has looked after them. */

/* Keep one as a server would: in its namespace, a Secret's stringData as data.  Takes it. */
void given_put(struct world *w, json_t *obj);
/* One by what the agent calls its kind, new; NULL when there is none. */
json_t *given_get(const struct world *w, const char *kind, const char *ns, const char *name);

/*
 * What a cluster's volume controllers would do for a pod that is to run: its ephemeral claims are
 * made, and each of its claims is bound to the PersistentVolume that it names or, of those that
 * nobody has claimed and that fit, the smallest.  All of the stream must be in the world.
 */
void given_bind(struct world *w, const json_t *pod);

#endif
