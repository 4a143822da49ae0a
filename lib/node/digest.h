#ifndef ORCH_NODE_DIGEST_H
#define ORCH_NODE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Content digests as the OCI image specification writes them: "sha256:" and 64
 * lower-case hex digits.  sha256 is the only algorithm we take.
 */
enum { DIGEST_TEXT = 72 };

struct digest {
	void *hash;
};

void digest_init(struct digest *d);
void digest_add(struct digest *d, const void *data, size_t len);
/* The digest of what was added; d is released and may be initialised again. */
const char *digest_end(struct digest *d, char buf[static DIGEST_TEXT]);
const char *digest_of(const void *data, size_t len, char buf[static DIGEST_TEXT]);

bool digest_valid(const char *text);
const char *digest_hex(const char *text); /* the 64 digits; text must be valid */

#endif
