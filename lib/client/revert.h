#ifndef ORCH_CLIENT_REVERT_H
#define ORCH_CLIENT_REVERT_H

#include "client/client.h"

/*
 * Write the content that an object had once: as a new version of the one that is there now (NULL:
 * as a new object), refused with CONFLICT when that one has changed since it was read.
 *
 * Its status is not touched, nor what only a server sets.  *ret gets the object as it then is.
 * 1 when something was written, 0 when it has that content already.
 */
int revert_object(struct client *c, const json_t *then, const json_t *now, const char *query,
    bool look, json_t **ret, struct err *err);

#endif
