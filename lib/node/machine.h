#ifndef ORCH_NODE_MACHINE_H
#define ORCH_NODE_MACHINE_H

#include "node/host.h"

/* This machine as a Node object describes it. */

/* The whole Node to register: labels, podCIDR, status. */
json_t *machine_node(const struct host *h, int64_t now);

/*
 * Its status alone, going on from `old` (the status before, or NULL): a condition's
 * lastTransitionTime stays while it does not change.
 */
json_t *machine_status(const struct host *h, const json_t *old, int64_t now);

/* What of it is for pods: `allocatable` of its status. */
json_t *machine_allocatable(const struct host *h);

/* Do two differ in more than the time of the heartbeat? */
bool machine_status_changed(const json_t *a, const json_t *b);

/* The first address of this network namespace that is not a loopback one, else 127.0.0.1; a new
 * string. */
char *machine_address(void);

/* Enter a network namespace: a path, or a name below /run/netns. */
int machine_enter_netns(const char *netns, struct err *err);

#endif
