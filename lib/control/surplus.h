#ifndef ORCH_CONTROL_SURPLUS_H
#define ORCH_CONTROL_SURPLUS_H

#include "control/world.h"

/*
 * Which of an owner's Pods can be spared best comes first.  In order of weight: not assigned to
 * a node; Pending, then phase Unknown; not ready; the lower
 * controller.kubernetes.io/pod-deletion-cost; on a node with more Pods of the same family; ready
 * for a shorter time; more restarts; younger.
 */
void surplus_order(const struct world *w, const json_t *owner, const json_t **pods, size_t n);

#endif
