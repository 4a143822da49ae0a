#ifndef ORCH_CLIENT_MANIFEST_H
#define ORCH_CLIENT_MANIFEST_H

#include <jansson.h>

#include "api/schema.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * A manifest checked here, by the schema, where no server can be asked.  Kinds that are neither
 * built in nor learned have no schema here and pass.
 */
enum unknown { UNKNOWN_ERROR, UNKNOWN_WARN, UNKNOWN_IGNORE }; /* fields that the schema lacks */

/* The word after --unknown. */
int unknown_of(const char *word, enum unknown *ret, struct err *err);
/* The same for the server, as fieldValidation: "Strict", "Warn", "Ignore". */
const char *unknown_validation(enum unknown how);

/* Do its fields and their types fit?  What is only warned of comes in `warnings`, a line each. */
int manifest_fits(const struct kind *k, const json_t *obj, enum unknown how, struct buf *warnings,
    struct err *err);

/* Make it complete, in place, with the schema's defaults, and check the rules of its kind; as a
 * change of live when that is not NULL. */
int manifest_complete(const struct kind *k, json_t *obj, const json_t *live, struct err *err);

/* Both, of a new object. */
int manifest_check(const struct kind *k, const json_t *obj, enum unknown how, struct buf *warnings,
    struct err *err);

/* Take unknown fields out, in place, with a warning for each when they are to be warned of. */
void manifest_drop_unknown(
    const struct kind *k, json_t *obj, enum unknown how, struct buf *warnings);

#endif
