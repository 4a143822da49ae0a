#ifndef ORCH_NODE_RUNTIME_H
#define ORCH_NODE_RUNTIME_H

#include <stdbool.h>

#include "node/host.h"

/*
 * The OCI runtimes of a node: the one it chose, and those that a RuntimeClass may name as its
 * handler.  What a pod runs with is chosen for its sandbox (DATA/pods/UID/ns/runtime) and written
 * down for each container (BUNDLE/runtime), with the folder of its state: who comes later, with
 * other options, uses the same.
 */
struct handler {
	char *name; /* "": the default */
	char *path;
	bool tried, users; /* user namespaces work with it; only when it was tried */
	char *why;	   /* they do not */
};

/* Checks all of them; UNAVAILABLE names one that is not there or starts no container here. */
int runtimes_open(struct host *h, const struct host_options *o, struct err *err);
void runtimes_close(struct host *h);
/* Remove what no container needs. */
void runtimes_sweep(const struct host *h);
/* Find out what each of them can do, for the Node's status. */
void runtimes_try(struct host *h);

/* By its name; NULL when there is none. */
const struct handler *runtime_handler(const struct host *h, const char *name);

/*
 * The handler that a pod's RuntimeClass (among the sources) wants, written down.  Messages are as
 * the kubelet and containerd have them.
 */
int runtime_choose(const struct host *h, const json_t *pod, const json_t *sources, struct err *err);
/* Of a container: written down, and asked: its path; where it keeps what it knows of it, for none
 * makes sense of another's.  New strings. */
int runtime_note(const struct host *h, const char *uid, const char *bundle, struct err *err);
char *runtime_of_bundle(const struct host *h, const char *bundle);
char *runtime_state(const struct host *h, const char *bundle);

/* Run that of a container (NULL: the default) with its global options; arguments end with NULL.
 * UNAVAILABLE when it is not there any more; TIMEOUT when it takes more than `seconds` (0: it may
 * take as long as it likes). */
int runtime_run(const struct host *h, const char *bundle, const char *const *args, struct buf *out,
    double seconds, struct err *err);
int runtime_there(const char *runtime, struct err *err);

char *runtime_find(const char *program); /* by name or path: absolute and new, or NULL */

#endif
