#ifndef ORCH_NODE_PIDSPACE_H
#define ORCH_NODE_PIDSPACE_H

#include "node/host.h"

/*
 * spec.shareProcessNamespace: one PID namespace for the containers of a pod.  Such a namespace
 * lives as long as its first process, so there is one: a fork that has given back all memory but a
 * few pages, and what it could do: no capability, an empty root, the pod's other namespaces, no
 * descriptor.  It does nothing but let the kernel reap what is orphaned in the namespace.  It is of
 * the pod's cgroup, and outlives the node.
 */
bool pod_shares_processes(const json_t *pod);

/* Make it, pinned at pods/UID/ns/pid; the pod's other namespaces are pinned already. */
int pidspace_make(const struct host *h, const json_t *pod, struct err *err);
bool pidspace_alive(const struct host *h, const char *uid); /* does its first process run? */
void pidspace_end(const struct host *h, const char *uid);   /* and all that is in it; may be none */

#endif
