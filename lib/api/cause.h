#ifndef ORCH_API_CAUSE_H
#define ORCH_API_CAUSE_H

#include <jansson.h>

#include "api/path.h"
#include "api/validate.h"

/*
 * The words in which Kubernetes refuses a field (apimachinery field.Error).  `detail` and
 * `fmt` come after the standard part; a detail may be "".
 */
void refuse_required(struct causes *out, const struct path *at, const char *detail);
void refuse_forbidden(struct causes *out, const struct path *at, const char *fmt, ...) PRINTF(3, 4);
void refuse_value(struct causes *out, const struct path *at, const json_t *value, const char *fmt,
    ...) PRINTF(4, 5);
void refuse_text(struct causes *out, const struct path *at, const char *value, const char *fmt, ...)
    PRINTF(4, 5);
void refuse_number(
    struct causes *out, const struct path *at, json_int_t value, const char *fmt, ...) PRINTF(4, 5);
void refuse_duplicate(struct causes *out, const struct path *at, const char *value);
void refuse_duplicate_value(struct causes *out, const struct path *at, const json_t *value);
void refuse_duplicate_why(
    struct causes *out, const struct path *at, const json_t *value, const char *detail);
void refuse_not_found(struct causes *out, const struct path *at, const char *value);
void refuse_too_long(struct causes *out, const struct path *at, size_t max);
void refuse_too_many(struct causes *out, const struct path *at, size_t n, size_t max);
void refuse_unsupported(
    struct causes *out, const struct path *at, const char *value, const char *const *values);

void refuse_unsupported_value(
    struct causes *out, const struct path *at, const json_t *value, const char *const *values);

/* A copy with its keys in order, as Go shows maps; new. */
json_t *sorted_copy(const json_t *value);

void causes_truncate(struct causes *c, size_t n); /* forget what came after the first n */

void text_quote(struct buf *b, const char *s); /* as Go's %q: "a\x01b" */

#endif
