#ifndef ORCH_API_CONVERT_METRICS_H
#define ORCH_API_CONVERT_METRICS_H

#include "api/convert.h"

/*
 * The metrics of an autoscaler in the flat form that autoscaling/v1 keeps them in, as a list:
 * {"type":"Pods","pods":{"metricName":"q","targetAverageValue":"10"}}.
 */
enum metrics { METRICS_WANTED, METRICS_MEASURED };

/* A list of version 2 made flat; new.  Of wanted ones all but the use of cpu time, which has a
 * field of its own. */
json_t *metrics_flat(enum metrics which, const json_t *metrics);
/* And back; new, or NULL when there is none, or one that Go would not read. */
json_t *metrics_read(enum metrics which, const json_t *flat);

bool metric_is_cpu(const json_t *metric); /* of version 2 */

/* The members of v with these names (ended by NULL), in this order; new. */
json_t *members_in_order(const json_t *v, const char *const *names);

#endif
