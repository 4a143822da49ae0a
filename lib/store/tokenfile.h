#ifndef ORCH_STORE_TOKENFILE_H
#define ORCH_STORE_TOKENFILE_H

#include "store/issuer.h"

/*
 * Tokens that a person made up, as kube-apiserver's --token-auth-file has them: a line each of
 *
 *	token,user,uid,"group1,group2"
 *
 * where the groups may be left out, and any field may stand in quotes.  Read once.
 */
struct tokens;

int tokens_open(struct tokens **ret, const char *file, struct err *err);
void tokens_free(struct tokens *t);					 /* accepts NULL */
struct identity *tokens_find(const struct tokens *t, const char *token); /* new ref, or NULL */

#endif
