#ifndef ORCH_KUBELET_WORKLOAD_H
#define ORCH_KUBELET_WORKLOAD_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* One pod out of a manifest that is for a cluster: what somebody can run by hand. */

/* A Pod, or one of the kinds that make pods by a template. */
bool workload_is(const json_t *obj);

/*
 * The Pod that it runs, as a server would keep it: checked, with defaults, of namespace "default"
 * unless it says another.  Of a template it has the workload's name, and `each` hears of what the
 * workload says beside it (path, why it is left out).  *ret: new.  INVALID with the causes.
 */
int workload_pod(const json_t *obj, json_t **ret,
    void (*each)(void *arg, const char *path, const char *why), void *arg, struct err *err);

#endif
