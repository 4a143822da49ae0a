#ifndef ORCH_SCHEDULE_SCHEDULE_H
#define ORCH_SCHEDULE_SCHEDULE_H

#include <jansson.h>
#include <stdbool.h>

#include "control/control.h"
#include "control/world.h"

/*
 * The scheduler: which node for which pod.  Pure: Nodes and Pods are told to it, decisions
 * come out.  It keeps flat arrays of numbers (snapshot.h) and, for every kind of pod
 * that asks for the same, the verdict on each node, brought up to date node by node.
 *
 *	a filter:	scheduler_read(s, world); schedule_pending(); schedule_pod() for each
 *	a daemon:	scheduler_node(), scheduler_pod(), ..._gone() as things change; the same
 *
 * Filters and scores have the names and rules of the scheduler framework's plugins.
 */
struct scheduler;

enum scoring {
	SCORE_LEAST,
	SCORE_MOST
}; /* which nodes NodeResourcesFit likes: empty or full ones */

struct scheduler *scheduler_new(
    const char *name, enum scoring scoring); /* spec.schedulerName; borrowed */
void scheduler_free(struct scheduler *s);    /* accepts NULL */

void scheduler_read(struct scheduler *s, const struct world *w); /* every Node and Pod of a world */
/* Is new or has changed.  Returns whether it matters here: a heartbeat does not. */
bool scheduler_node(struct scheduler *s, const json_t *node);
bool scheduler_pod(struct scheduler *s, const json_t *pod);
void scheduler_node_gone(struct scheduler *s, const char *name);
bool scheduler_pod_gone(
    struct scheduler *s, const char *ns, const char *name); /* was it on a node? */

/* A namespace's labels, which namespaceSelector of pod affinity asks for. */
void scheduler_namespace(struct scheduler *s, const json_t *ns);

/*
 * schedule_pod() counts a pod on its node from then on.  When binding it was refused, take that
 * back. Nothing happens when scheduler_pod() has shown it bound meanwhile.
 */
void scheduler_forget(struct scheduler *s, const char *ns, const char *name);

size_t scheduler_nodes(const struct scheduler *s); /* how many there are */

/* Is it this scheduler's to place: no node yet (nor assumed), alive, named for us, no gate? */
bool schedule_wants(const struct scheduler *s, const json_t *pod);

/* Those of a world, in the order to place them: highest spec.priority, then oldest, then by
 * namespace and name.  A new array of borrowed pods; *n their number. */
const json_t **schedule_pending(const struct scheduler *s, const struct world *w, size_t *n);

/*
 * Decide on one pod and plan it: bind and an event; or, when nothing fits, the PodScheduled
 * condition (if it is not there already) and an event.  Returns the node's name (borrowed), NULL
 *when there is none.  *why (may be NULL) gets a new explanation:
 *	{"pod":"default/web-1","node":"n2","message":"...",
 *	 "nodes":[{"node":"n1","filter":"TaintToleration","reason":"node(s) had untolerated taint
 *{a: b}"},
 *		  {"node":"n2","scores":{"NodeResourcesFit":71,...},"total":471}, ...]}
 */
const char *schedule_pod(
    struct scheduler *s, const struct world *w, const json_t *pod, struct plan *out, json_t **why);

#endif
