#ifndef ORCH_API_BOUNDS_H
#define ORCH_API_BOUNDS_H

#include <jansson.h>

#include "base/buf.h"

/* What a schema of OpenAPI v3 allows of a value, beyond its type: for people. */

/* The schema of a field ("spec.rules.host"; "" for the whole), borrowed; NULL when it names none.
 * Lists and maps are stepped through as in orch-explain: a path names what is in them. */
const json_t *bounds_find(const json_t *schema, const char *path);

/* One line each, "1 to 253 characters", "matches ^[a-z]+$"; of a list or map also what is said of
 * what is in it ("each: ..."). */
void bounds_print(const json_t *schema, struct buf *out);

#endif
