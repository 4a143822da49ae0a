#ifndef ORCH_BASE_BYTES_H
#define ORCH_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>

/* Byte strings as JSON holds them: standard base64 with padding (RFC 4648 section 4). */
char *bytes_encode(const void *data, size_t len); /* new */

/* Is it base64?  Line ends are allowed anywhere, as in Go; otherwise *bad is the offset of the
 * mistake. */
bool bytes_valid(const char *text, size_t *bad);

/* The bytes, new, and their number; NULL when it is no base64. */
unsigned char *bytes_decode(const char *text, size_t *len);

#endif
