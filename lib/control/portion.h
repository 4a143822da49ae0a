#ifndef ORCH_CONTROL_PORTION_H
#define ORCH_CONTROL_PORTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * An IntOrString as Kubernetes means it: a number, or a percentage ("25%") of total, rounded up or
 * down.  What is negative counts as 0.  False when it is neither; *ret is left alone then.
 */
bool portion(const json_t *v, int64_t total, bool up, int64_t *ret);

#endif
