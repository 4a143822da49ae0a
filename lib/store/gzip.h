#ifndef ORCH_STORE_GZIP_H
#define ORCH_STORE_GZIP_H

#include <stdbool.h>

#include "serve/bytes.h"
#include "serve/http.h"

/* Compressed answers (RFC 1952), as Kubernetes gives them: long ones, to who asks. */
enum { GZIP_LEAST = 128 * 1024 };

bool gzip_accepted(const struct http_exchange *x); /* by Accept-Encoding */
/* The parts one after the other, compressed; the parts stay the caller's. */
struct bytes *gzip_pack(struct bytes *const *parts, size_t n, int level);
/* The same for what is not there at once. */
struct gzip;
struct gzip *gzip_new(int level);
void gzip_add(struct gzip *g, const void *data, size_t len);
struct bytes *gzip_end(struct gzip *g); /* frees it */
/* What was packed, `len` bytes of it. */
struct bytes *gzip_unpack(const struct bytes *packed, size_t len);

#endif
