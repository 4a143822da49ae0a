#ifndef ORCH_CLIENT_THREEWAY_H
#define ORCH_CLIENT_THREEWAY_H

#include <jansson.h>

#include "api/schema.h"

/*
 * Apply on the client's side, as kubectl does it, so that both can work on the same objects: what
 * was applied last (the annotation below), what is applied now and what is there give what should
 * be there.
 */
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

/*
 * A new object: `live` with the fields of `wanted` set, and the fields of `last` (may be NULL) that
 * `wanted` no longer has removed.  Fields that nobody applied stay.  Lists are merged by the merge
 * keys of the schema (k NULL or a custom resource: replaced).
 */
json_t *threeway_merge(
    const struct kind *k, const json_t *last, const json_t *wanted, const json_t *live);

/* The JSON merge patch (RFC 7396) that makes `to` of `from`; NULL when they are the same.
 * Quantities that are the same amount count as the same. */
json_t *merge_patch_between(const struct kind *k, const json_t *from, const json_t *to);

/* Remove what only a server sets: status, uid, resourceVersion, ... and the annotation itself. */
void strip_server_fields(json_t *obj);

/* The text of the annotation: the object without it, as kubectl writes it; a new string. */
char *last_applied_text(const json_t *obj);

#endif
