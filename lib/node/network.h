#ifndef ORCH_NODE_NETWORK_H
#define ORCH_NODE_NETWORK_H

#include "node/host.h"

/*
 * A pod's network by CNI plugins (CNI specification 1.0.0): ptp with host-local
 * addresses out of the node's pod CIDR, and portmap for pods with host ports.  Call in a forked
 * process: the plugins' parameters travel in the environment.
 */

/* Join the namespace pinned at `netns` to the network, and lead the pod's host ports to it; *ip
 * gets its address, a new string. */
int network_add(
    const struct host *h, const json_t *pod, const char *netns, char **ip, struct err *err);
/* Undo it, also half of it, also when the namespace has gone: the address is free again. */
int network_del(const struct host *h, const char *uid, const char *netns, struct err *err);

#endif
