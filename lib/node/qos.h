#ifndef ORCH_NODE_QOS_H
#define ORCH_NODE_QOS_H

#include "node/cgroup.h"
#include "node/host.h"

/*
 * The cgroup tree of a node by quality of service, with the kubelet's figures.  Below /orch/KEY are
 * the guaranteed pods; `burstable` has as much weight as its pods ask for together, and
 * `besteffort` the least that there is.  A pod's group holds its containers to what the pod as a
 * whole may have.
 */

/* Of a pod's group.  A bound on processor time or memory only where every container has one, or the
 * pod itself has. */
struct cgroup_limits qos_limits(const json_t *pod);

int64_t qos_shares(int64_t milli); /* of so many thousandths of a processor */

/* Make the group of a pod. */
int qos_make(const struct host *h, const json_t *pod, struct err *err);

/* `burstable` weighs what its pods ask for, in thousandths of a processor. */
int qos_weigh(const struct host *h, int64_t burstable, struct err *err);

/* All pods together keep off what memory and process ids are reserved. */
int qos_fence(const struct host *h, struct err *err);

#endif
