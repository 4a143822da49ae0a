#ifndef ORCH_API_RESOURCES_H
#define ORCH_API_RESOURCES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Amounts of many resources: an object from names to quantities, as resources.requests has it.
 * Amounts are counted in thousandths, in 64 bits.
 */
void resources_add(json_t *sum, const json_t *more);	  /* each name's amount */
void resources_subtract(json_t *sum, const json_t *less); /* may become negative */
void resources_raise(json_t *most, const json_t *other);  /* the larger of each */
/* An amount plus n whole ones of something. */
void resources_count(json_t *sum, const char *name, int64_t n);
bool resources_same(const json_t *a, const json_t *b);
/* "a=1,b=2Gi", in the order of names. */
void resources_print(const json_t *list, struct buf *out);
/* The names of a list in their order; new, NULL-terminated, the strings are the list's. */
const char **resources_names(const json_t *list);

/*
 * What a Pod's containers have altogether of "requests" or "limits" (KEP-753, KEP-2837): the sum
 * of those that run together, or what an init container has where that is more; what the Pod says
 * of itself wins.  `overhead` adds that of its runtime class.  New.
 */
json_t *pod_resources(const json_t *pod, const char *which, bool overhead);
/*
 * A Pod as it counts while its resources change: each container, and the Pod itself, with the
 * largest of what is asked for, what its node has allocated and what it has; without the first
 * where the node can never give it (KEP-1287).  The Pod itself when these are the same; another
 * reference, or new.
 */
json_t *pod_held(const json_t *pod);
/* The same without what the Pod says of itself. */
json_t *containers_resources(const json_t *pod, const char *which);

#endif
