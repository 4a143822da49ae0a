#ifndef ORCH_API_PROGRESS_H
#define ORCH_API_PROGRESS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * How far the rollout of a Deployment, DaemonSet or StatefulSet is, in the words of `kubectl
 * rollout status`, which scripts know.  1: done, 0: going on, both with a line in msg (without
 * '\n'). Negative: it has failed (DIFFERS), or there is nothing to be told of such an object
 * (BAD_REQUEST).
 */
int progress_of(const json_t *obj, struct buf *msg, struct err *err);

/* Does a Pod say what keeps it from running?  The first such thing, appended to `why`. */
bool progress_trouble(const json_t *pod, struct buf *why);

#endif
