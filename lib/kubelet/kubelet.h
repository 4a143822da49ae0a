#ifndef ORCH_KUBELET_KUBELET_H
#define ORCH_KUBELET_KUBELET_H

#include "client/client.h"
#include "node/agent.h"

/*
 * A node of a cluster: carries between the API server (lib/client) and what runs on this machine
 * (lib/node), which know nothing of each other.  Pods that are bound to the node go to its agent;
 * their statuses, the Node, its Lease and Events go back.
 *
 *	kubelet_open(&k, host, &err)		connects to nothing yet: processes may still be
 *forked kubelet_network(k, cidr, &err) agent_open(&a, host, hooks by kubelet_hooks(k), &err)
 *	kubelet_run(k, a, &err)
 *	agent_step(a); kubelet_step(k, ...)	for ever
 *
 * The server may be away all the while: what ran before goes on, static pods begin.  As soon as it
 * is there the Node is registered, and its pods are heard of.
 */
struct kubelet;

int kubelet_open(struct kubelet **ret, struct host *host, struct err *err);
void kubelet_close(struct kubelet *k); /* accepts NULL */
struct client *kubelet_client(struct kubelet *k);

/*
 * Where pods get their addresses: `cidr`, else (NULL) what the server has for this node, else
 * POD_CIDR.  Until the server is there, what it was the last time; before the first time pods with
 * a network of their own wait.  `cidr` is borrowed for as long as k is there.
 */
int kubelet_network(struct kubelet *k, const char *cidr, struct err *err);
#define POD_CIDR "10.244.0.0/24"

struct agent_hooks kubelet_hooks(struct kubelet *k);

/* Static pods (manifests.h) out of a folder; before kubelet_run().  *fd becomes readable when it
 * changes: kubelet_step() is to be called then. */
int kubelet_manifests(struct kubelet *k, const char *folder, int *fd, struct err *err);

/* From now on the agent hears of its pods, when the server is there; it is settled once all are
 * known. */
int kubelet_run(struct kubelet *k, struct agent *a, struct err *err);

/*
 * Tell what there is to be told: events, heartbeat, status.  Then hear of pods for at most so many
 * seconds, or until fd is readable.  An error is for good.
 */
int kubelet_step(struct kubelet *k, double wait, int fd, struct err *err);

#endif
