#ifndef ORCH_CLIENT_TAKEBACK_H
#define ORCH_CLIENT_TAKEBACK_H

#include <jansson.h>

#include "base/err.h"

/*
 * A write taken back.  Three states of an object are known: before the write, after it, and now,
 * when others may have written as well.
 */

/* The name in which takeback_content's result is to be written: what that write says of
 * owners is known to be of no interest. */
#define TAKEBACK_MANAGER "orch-undo"

/*
 * What the object has to become: as it is now, but what the write has changed as it was before.
 * What others have changed again since stays.  GONE when somebody has changed another part of
 * a list that the write has changed: these cannot be told apart.  Status, managers and what else a
 * server keeps are as now.
 */
int takeback_content(
    const json_t *before, const json_t *after, const json_t *now, json_t **ret, struct err *err);

/*
 * The managedFields that belong to it: those of before, but what others own since.  `was` is the
 * object before, and `now` after the content was taken back; `writer` the manager whose write it
 * was.  New.
 */
int takeback_managers(const json_t *before, const json_t *after, const json_t *was,
    const json_t *now, const char *writer, json_t **ret, struct err *err);

#endif
