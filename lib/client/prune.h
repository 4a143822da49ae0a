#ifndef ORCH_CLIENT_PRUNE_H
#define ORCH_CLIENT_PRUNE_H

#include <jansson.h>

#include "client/write.h"

/*
 * Deleting what was applied before and is no longer wanted.  Left alone: what has a controller,
 * what is going already, and what belongs to an applyset other than the one that is asked for.
 */
struct prune {
	struct client *client;
	const char *selector;	    /* among the objects with these labels */
	const char *applyset;	    /* members of the one with this id; NULL: see manager */
	const char *manager;	    /* what this one has applied (or anyone, client-side) */
	const json_t *kept;	    /* by apply_key(): these stay */
	json_t *kinds, *namespaces; /* where to look; sets of "Deployment.apps" and names */
	enum dry dry;
	void (*said)(void *arg, const struct kind *k, const json_t *obj, int r,
	    const struct err *err); /* told of each that was deleted (r 0) or could not be */
	void *arg;
};

/* The kinds that are looked at when no applyset says which: the workloads and what belongs to
 * them. */
void prune_usual_kinds(json_t *kinds);

/* In the reverse order of installation.  Fails when a list cannot be read. */
int prune_run(struct prune *p, struct err *err);

#endif
