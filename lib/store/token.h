#ifndef ORCH_STORE_TOKEN_H
#define ORCH_STORE_TOKEN_H

#include <stdint.h>

#include "base/err.h"

/*
 * The continue token of a list: where the next page starts and which revision it shows.  It is
 * base64url of {"v":"meta.k8s.io/v1","rv":5,"start":"default/web"}; rv -1 is "now".
 */
struct token {
	uint64_t revision;	/* 0: now */
	char *namespace, *name; /* the last key of the page before */
};

int token_parse(struct token *t, const char *text, struct err *err);
void token_release(struct token *t);
char *token_print(const struct token *t); /* new */

#endif
