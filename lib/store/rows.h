#ifndef ORCH_STORE_ROWS_H
#define ORCH_STORE_ROWS_H

#include "base/err.h"
#include "store/form.h"
#include "store/object.h"

/*
 * A list as a Table, as metadata alone or in protobuf, row by row from the bytes that are kept: no
 * tree of the whole list is ever made.
 */

/*
 * The whole answer.  meta: the list's metadata as JSON; body[0..n): objects as object.h describes
 * them.
 */
struct bytes *rows_encode(const struct shape *s, const struct kind *k, const char *meta,
    struct bytes *const *body, size_t n, int64_t now);

/* The same in protobuf: the list, or metadata alone (by its version a PartialObjectMetadataList).
 * NULL: an object could not be encoded. */
struct bytes *rows_protobuf(const struct shape *s, const struct kind *k, const char *meta,
    struct bytes *const *body, size_t n, struct err *err);

/*
 * A list of whole objects in protobuf as pieces to be sent one after the other: an array (the
 * caller's) of references.  NULL: an object could not be encoded.
 */
struct bytes **rows_messages(const struct kind *k, const char *meta, struct object *const *o,
    size_t n, size_t *npieces, struct err *err);

#endif
