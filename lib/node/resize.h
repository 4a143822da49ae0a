#ifndef ORCH_NODE_RESIZE_H
#define ORCH_NODE_RESIZE_H

#include "node/pod.h"

struct agent;

/*
 * The cpu and memory of a pod change while it runs (KEP-1287, KEP-5419), with the kubelet's words.
 *
 *	asked for	in p->given, as the server has it
 *	allocated	in p->object: the node has room for it; all else on the node looks there
 *	actuated	with each container, and of the pod as a whole in p->resize.group: what the
 *			cgroups were told
 *
 * All but the first is in the record on disk: a node that is ended in between goes on from there.
 */

/* What was given, with the resources that `held` has: `given` itself, another reference, when these
 * are the same. */
json_t *resize_allocated(json_t *given, const json_t *held);

/* The record. */
json_t *resize_save(const struct resize *r);
void resize_load(struct resize *r, const json_t *record);
/* It is begun with what is allocated now. */
void resize_born(const struct pod *p, struct container *c);

/* What is to be done for what runs to have what is allocated: STEP_RESIZE, STEP_AGAIN or none. */
enum step resize_next(const struct pod *p, double now, size_t *which, double *wake);
bool resize_missing(const struct pod *p); /* not all has it yet */
/* Does this one run, with other resources than those allocated?  And is it to begin again then? */
bool resize_outdated(const struct pod *p, const struct container *c);
bool resize_begins_again(const struct pod *p, const struct container *c);
/* The resources of a container with the limits that it has of its pod.  New. */
json_t *resize_effective(const json_t *pod, const json_t *container);
/* What the pod's cgroup is to be told: no less than what any container still has. */
struct cgroup_limits resize_goal(const struct pod *p);
/* The larger of each; 0, which is no bound, is the largest. */
struct cgroup_limits resize_most(struct cgroup_limits a, struct cgroup_limits b);

/* resize_work.c: allocate what there is room for, in the kubelet's order; tell the cgroups. */
void resize_decide(struct agent *a, double now);
int resize_begin(struct pod *p, double now, struct err *err);
void resize_done(
    struct agent *a, struct pod *p, int r, const json_t *result, const struct err *err, double now);
void resize_again(struct agent *a, struct pod *p, struct container *c, double now); /* STEP_AGAIN */
void resize_settle(struct agent *a, struct pod *p, double now); /* done with it? */

/* resize_status.c: what the status says of it. */
bool resize_condition(const char *type); /* one of ours */
void resize_conditions(const struct pod *p, json_t *list, const char *now);
void resize_shown(const struct pod *p, const struct container *c, json_t *status);
void resize_shown_pod(const struct pod *p, json_t *status);

#endif
