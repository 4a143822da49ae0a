#ifndef ORCH_API_QUOTA_H
#define ORCH_API_QUOTA_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/schema.h"

/*
 * What ResourceQuotas count.  Amounts are resource lists (api/resources.h) under the names that
 * spec.hard uses: "pods", "requests.cpu", "services.nodeports", "count/deployments.apps".
 */

/* What one object uses at the time now (a finished Pod uses no more than its name); new. */
json_t *quota_usage(const struct kind *k, const json_t *obj, int64_t now);

/* The part of hard whose names objects of this kind may use; new. */
json_t *quota_part(const struct kind *k, const json_t *hard);

/* The kind that a name of spec.hard counts, NULL when it is not known. */
const struct kind *quota_kind(const char *name);

/* Do all scopes of a quota cover the object? */
bool quota_covers(const json_t *quota, const struct kind *k, const json_t *obj);

/* What containers of a Pod must say because a quota bounds it (`part`, of quota_part), and do not:
 * "must specify limits.cpu for: a,b"; new, NULL when all is said. */
char *quota_missing(const struct kind *k, const json_t *part, const json_t *obj);

#endif
