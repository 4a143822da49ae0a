#ifndef ORCH_KUBELET_BYHAND_H
#define ORCH_KUBELET_BYHAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/proc.h"
#include "control/world.h"
#include "node/host.h"

/*
 * Pods by hand: no cluster, no node that goes on; each pod has a folder of its own, and a process
 * that looks after it, its keeper.
 *
 *	ROOT/NAME/		the data folder of a node of one pod (host.h), and
 *	ROOT/NAME/pod.json	the pod with its status, as last known
 *	ROOT/NAME/keeper.json	which process keeps it: pid and start time
 *	ROOT/NAME/keeper.log	what that one says, in the background
 *
 * NAME is the pod's, with "NAMESPACE_" before it when that is not "default".
 */
struct byhand {
	char *root, *name;
	char *folder; /* ROOT/NAME */
};

/* The folder of a pod by its name, whether it is there or not. INVALID for what is no name. */
int byhand_find(struct byhand *ret, const char *root, const char *name, struct err *err);
void byhand_name(const json_t *pod, char buf[static 512]);
void byhand_release(struct byhand *b);

bool byhand_exists(const struct byhand *b);
/* Its keeper, when that lives. */
bool byhand_keeper(const struct byhand *b, struct proc *ret);
/* The pod with its status, new; NOT_FOUND when there is none of that name. */
int byhand_pod(const struct byhand *b, json_t **ret, struct err *err);
/* All that are there, in the order of their names, until `each` returns non-zero, which is
 * returned. */
int byhand_each(
    const char *root, int (*each)(void *arg, const struct byhand *b), void *arg, struct err *err);

/* Remove all of it from the machine; the keeper must be gone. */
int byhand_remove(const struct byhand *b, struct err *err);

/* Print what a container has said, its runs one after the other; follow: until the keeper ends. */
int byhand_log(
    const struct byhand *b, const json_t *pod, const char *container, bool follow, struct err *err);

/*
 * The OCI configuration that the runtime would be given for a container; new.  Its paths are those
 * of the folder below root, where nothing is touched.  The calling process gets a mount namespace
 * of its own.
 */
int byhand_bundle(const char *root, const struct host_options *o, json_t *pod, struct world *world,
    const json_t *container, json_t **config, struct err *err);

/*
 * Be the keeper of a pod until it has ended, or we are told to end it: SIGTERM or SIGINT within its
 * grace period, a second one at once.  Containers are gone then, the folder is left.
 */
struct keeping {
	struct host_options host; /* name, data and pod_cidr are filled in */
	const json_t *pod;	  /* complete, as workload_pod() makes it */
	struct world *world;	  /* ConfigMaps and Secrets beside it */
	bool show;		  /* what containers say goes to stdout and stderr */
	bool give_up;		  /* end when it cannot be begun, rather than try again for ever */
	/* Its status has changed; something went wrong.  Each may be NULL. */
	void (*changed)(void *arg, const json_t *status);
	void (*warning)(void *arg, const char *reason, const char *message);
	void *arg;
};
/* *status: the last one, new.  UNAVAILABLE or INVALID when it could not be begun. */
int byhand_keep(const struct byhand *b, const struct keeping *k, json_t **status, struct err *err);

/* What a shell should see of an ended pod: the code of the first container that failed. */
int byhand_exit(const json_t *status);

#endif
