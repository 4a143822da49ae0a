#ifndef ORCH_SERVE_BYTES_H
#define ORCH_SERVE_BYTES_H

#include <stddef.h>

/* Immutable bytes shared between threads; reference counts are atomic. */
struct bytes {
	_Atomic unsigned refs;
	size_t len;
	char data[]; /* followed by a NUL */
};
struct bytes *bytes_new(const void *data, size_t len); /* one reference */
struct bytes *bytes_alloc(size_t len); /* the same, to be filled in before it is shared */
struct bytes *bytes_ref(struct bytes *b);
void bytes_unref(struct bytes *b); /* accepts NULL */

#endif
