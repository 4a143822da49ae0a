#ifndef ORCH_API_SHOWN_H
#define ORCH_API_SHOWN_H

#include "api/cause.h"

/*
 * Values as messages show them.  Where Kubernetes refuses a whole struct it prints the one that it
 * works with inside: every field by its name in Go, in the order of that struct, what is not set
 * as null, "" or 0.  Types of metadata (label selectors) look as on the wire.
 *
 * A type is called by its name in the schema ("core.v1.PodSpec"); "[]" in front makes a list of it.
 */
json_t *shown(const char *type, const json_t *value); /* new */

/* refuse_value with a value of this type. */
void refuse_shown(struct causes *out, const struct path *at, const char *type, const json_t *value,
    const char *fmt, ...) PRINTF(5, 6);

/* What changed, as Kubernetes tells it: the lines of a unified diff of both; new. */
char *shown_diff(const char *type, const json_t *before, const json_t *now);

#endif
