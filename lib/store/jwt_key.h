#ifndef ORCH_STORE_JWT_KEY_H
#define ORCH_STORE_JWT_KEY_H

#include "base/buf.h"
#include "store/jwt.h"

/* The key behind tokens (GnuTLS); both from any thread.  Signatures are in JWS form (RFC 7518, 3.3
 * and 3.4): for ECDSA the two numbers, 32 bytes each. */
int jwt_key_sign(
    struct jwt_keys *k, const void *data, size_t len, struct buf *signature, struct err *err);
int jwt_key_verify(struct jwt_keys *k, const void *data, size_t len, const void *signature,
    size_t signature_len, struct err *err);

#endif
