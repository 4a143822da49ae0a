#ifndef ORCH_STORE_BASE64URL_H
#define ORCH_STORE_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* base64url without padding, RFC 4648 section 5. */
void base64url_encode(struct buf *out, const void *data, size_t len);
/* Strict: no padding, nothing between, and no bits behind the last byte. */
bool base64url_decode(struct buf *out, const char *text, size_t len);

#endif
