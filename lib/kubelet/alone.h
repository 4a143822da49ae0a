#ifndef ORCH_KUBELET_ALONE_H
#define ORCH_KUBELET_ALONE_H

#include <stdio.h>

#include "node/agent.h"

/* A node without a server: pods out of a stream, with the ConfigMaps and Secrets beside them;
 * their statuses are printed as an object stream. */
struct alone;

struct alone *alone_new(const char *node);
void alone_free(struct alone *a); /* accepts NULL */

/* All of the stream; `name` is for messages. */
int alone_read(struct alone *a, FILE *f, const char *name, struct err *err);
/* Hand its pods to the agent, in their order. */
int alone_run(struct alone *a, struct agent *agent, struct err *err);

struct agent_hooks alone_hooks(struct alone *a);
bool alone_failed(const struct alone *a); /* has a pod failed? */

#endif
