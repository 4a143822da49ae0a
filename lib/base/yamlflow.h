#ifndef ORCH_BASE_YAMLFLOW_H
#define ORCH_BASE_YAMLFLOW_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"

/* The parts of yamlblock.h that stand between quotes and brackets, all on one line.  *p is where
 * the quote or bracket stands and moves behind its end; NULL for whatever is not simple. The text
 * ends with a newline. */

/* The text between quotes, in scratch. */
const char *yaml_quoted(const char **p, struct buf *scratch, size_t *len);

/* [a, "b", {c: d}] or {a: b, "c": [d]}: a new value. */
json_t *yaml_flow(const char **p, struct buf *scratch, int depth);

#endif
