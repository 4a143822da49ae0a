#ifndef ORCH_CLUSTER_CLUSTER_H
#define ORCH_CLUSTER_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/proc.h"

/*
 * A cluster on this machine, under one data folder (orch-up(1), orch-down(1)):
 *	DIR/			the store's data, admin.kubeconfig, store.sock
 *	DIR/node-N/		a node's images, containers and pod logs
 *	DIR/log/NAME.log	what each process says
 *	DIR/run/lock		locked by the keeper as long as it lives
 *	DIR/run/cluster.json	what follows, for orch-down and for a look
 *
 * The keeper is a process of orch-up that stays: it starts the others and starts
 * one again that ends, with back-off.
 */
enum { CLUSTER_PROCESSES = 64 };

struct process {
	char *name;	    /* "store", "deployment", "node-1" */
	char **argv, **env; /* NULL-terminated */
	struct proc proc;
	double started, again; /* monotonic; again: when to start it next, 0: it runs */
	double delay;	       /* seconds to wait before the next start */
	unsigned restarts;
};

struct cluster {
	char *dir; /* absolute */
	char *listen;
	int nodes;	 /* 0: none */
	bool namespaces; /* each node in a network namespace of its own */
	int block;	 /* 10.BLOCK.0.0/16 is this cluster's; 0: no network */
	char id[9]; /* short, from the data folder: part of names of interfaces and namespaces */
	struct proc keeper;
	struct process process[CLUSTER_PROCESSES];
	size_t nprocess;
};

/* From the data folder's name; makes it absolute.  Folders need not exist. */
void cluster_init(struct cluster *c, const char *dir);
void cluster_release(struct cluster *c);

/* Where a cluster lives unless told otherwise: /var/lib/orch for root, else
 * $XDG_STATE_HOME/orch or ~/.local/state/orch.  A new string. */
char *cluster_default_dir(void);

char *cluster_file(const struct cluster *c, const char *name); /* "DIR/name", a new string */
int cluster_save(const struct cluster *c, struct err *err);    /* DIR/run/cluster.json */
int cluster_load(struct cluster *c, struct err *err);	       /* NOT_FOUND: no cluster here */

/* Add a process; argv's first is one of our programs.  Everything is copied. */
void cluster_add(
    struct cluster *c, const char *name, const char *const *argv, const char *const *env);

/*
 * The lock on DIR/run, which orch-up takes, its keeper holds and orch-down takes when that has
 * ended: CONFLICT when another has it.  Without `create` it must be there.
 */
int cluster_lock(const struct cluster *c, bool create, int *ret, struct err *err);

/* Is every program there that a node needs?  UNAVAILABLE names all that are missing. */
int cluster_needs(const struct cluster *c, const char *runtime, struct err *err);

/* End all that runs on the nodes; what runs under conmon outlives its orch-node. */
int cluster_clean_nodes(const struct cluster *c, struct err *err);

/*
 * The keeper's life: start all, keep them up until SIGTERM or SIGINT, then end them, the store
 * last.  `ready` is a descriptor that gets one line, "ok" or an error, after the first start.
 */
int cluster_keep(struct cluster *c, int ready, struct err *err);

/* End every process that is still there (the loops first, the store last), also without a keeper.
 */
int cluster_stop(struct cluster *c, struct err *err);

/* The network under the nodes (network.c): claim a free 10.B.0.0/16 (the one that is ours already,
 * if there is one), and for `namespaces` one netns a node on a bridge of the host.  Undoing what is
 * not there is no error. */
int cluster_network_claim(struct cluster *c, struct err *err);
int cluster_network_up(const struct cluster *c, struct err *err);
int cluster_network_down(const struct cluster *c, struct err *err);
void cluster_network_release(
    const struct cluster *c); /* the claim: when nothing uses it any more */
char *cluster_netns(
    const struct cluster *c, int node); /* the name of node N's namespace; a new string */

#endif
