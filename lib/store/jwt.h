#ifndef ORCH_STORE_JWT_H
#define ORCH_STORE_JWT_H

#include <jansson.h>

#include "base/err.h"

/*
 * Signed tokens: JSON Web Tokens (RFC 7519) in the compact form of RFC 7515, signed with the one
 * key of a data folder.  What is in them is no business of this part.
 *
 * The key is DIR/pki/sa.key, made at first start (ECDSA P-256); one that is put there may also be
 * RSA of 2048 bits or more.  Its kind alone says which algorithm a token must have: what a token's
 * header says is compared with that, never followed.
 */
struct jwt_keys;

int jwt_keys_open(struct jwt_keys **ret, const char *dir, struct err *err);
void jwt_keys_free(struct jwt_keys *k);		     /* accepts NULL */
const char *jwt_algorithm(const struct jwt_keys *k); /* "ES256" or "RS256" */
const char *jwt_key_id(const struct jwt_keys *k);    /* base64url of SHA-256 of the public key */
json_t *jwt_key_set(const struct jwt_keys *k);	     /* the JWK set of RFC 7517; new */

/* claims as a token; *ret is new. */
int jwt_sign(struct jwt_keys *k, const json_t *claims, char **ret, struct err *err);

enum { JWT_BYTES = 64 << 10 }; /* longer texts are no tokens */

/* The claims of what looks like a token, of which nothing is checked yet; NULL for what is none.
 * New. */
json_t *jwt_peek(const char *token);

/* 0 when the token is signed by our key; UNAUTHORIZED otherwise, with the cause. */
int jwt_verify(struct jwt_keys *k, const char *token, struct err *err);

#endif
