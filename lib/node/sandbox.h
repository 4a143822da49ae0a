#ifndef ORCH_NODE_SANDBOX_H
#define ORCH_NODE_SANDBOX_H

#include "node/host.h"

/*
 * What the containers of a pod share: its network, IPC and UTS namespaces, kept alive by bind
 * mounts below DATA/pods/UID/ns instead of by a process, its volumes, /dev/shm, /etc/hosts and the
 * like, and its cgroup.  All of these are for forked processes (job.h).
 */

/* Make it all; *ip gets the pod's address (the node's with hostNetwork), a new string.
 * sources: the ConfigMaps and Secrets it refers to, by "ConfigMap/name" (volume.h).  On failure
 * nothing is left, and *mounting says whether it was the volumes that failed. */
int sandbox_up(const struct host *h, const json_t *pod, const json_t *sources, char **ip,
    bool *mounting, struct err *err);

/* Undo it, whatever of it is there; everything of the pod but its logs and its folder's
 * state files goes.  Containers must have ended: what is left in the cgroup is killed. */
int sandbox_down(const struct host *h, const char *uid, struct err *err);

/* Are the namespaces still pinned?  Not after a reboot. */
bool sandbox_alive(const struct host *h, const json_t *pod);

bool pod_host_network(const json_t *pod);

#endif
