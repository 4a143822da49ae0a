#ifndef ORCH_API_TABLES_H
#define ORCH_API_TABLES_H

#include "api/schema.h"

/*
 * What tools/schema.c makes; only lib/api/schema.c looks at it.  The first served_kinds
 * of table_of_kinds have a resource, the rest are bodies of subresources, lists and
 * options; both parts are in group, version, kind order.
 */
extern const struct kind table_of_kinds[];
extern const size_t served_kinds, all_kinds;

extern const struct kind *const table_of_served[];    /* the first of table_of_kinds */
extern const struct kind *const table_of_resources[]; /* served, in group, version, plural order */
extern const struct type *const table_of_types[];     /* named, in name order */
extern const size_t named_types;

#endif
