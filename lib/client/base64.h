#ifndef ORCH_CLIENT_BASE64_H
#define ORCH_CLIENT_BASE64_H

#include <stdbool.h>

#include "base/buf.h"

/* Standard base64 (RFC 4648 section 4).  Decoding skips white space; false when it is none. */
bool base64_decode(struct buf *out, const char *text);
void base64_encode(struct buf *out, const void *data, size_t len);

#endif
