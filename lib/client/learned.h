#ifndef ORCH_CLIENT_LEARNED_H
#define ORCH_CLIENT_LEARNED_H

#include "api/learn.h"
#include "client/address.h"

/*
 * Learn the definition of a kind that discovery has found, from the server: *k becomes the kind
 * with its fields, columns and rules.  It stays what it was when it is built in, or when the server
 * shows no definition of it: an extension server's kind, or one that we may not read.
 */
void client_learn_kind(struct client *c, struct learn *l, const struct kind **k);
void targets_learn(struct targets *t, struct client *c, struct learn *l); /* of all of them */

#endif
