#ifndef ORCH_CONTROL_NUMBER_H
#define ORCH_CONTROL_NUMBER_H

#include "api/meta.h"

/*
 * A number that the API keeps in 32 bits, and that has not been checked when it comes from a pipe:
 * what lies outside is cut off, so that sums and products of a few do not overflow.
 */
static inline int64_t
clamp32(int64_t n)
{
	return n > INT32_MAX ? INT32_MAX : n < INT32_MIN ? INT32_MIN : n;
}
static inline int64_t
num32(const json_t *v, int32_t dflt)
{
	return clamp32(num(v, dflt));
}

#endif
