#include "serve/bytes.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"

struct bytes *
bytes_alloc(size_t len)
{
	struct bytes *b = xmalloc(sizeof *b + len + 1);

	atomic_init(&b->refs, 1);
	b->len = len;
	b->data[len] = '\0';
	return b;
}

struct bytes *
bytes_new(const void *data, size_t len)
{
	struct bytes *b = bytes_alloc(len);

	if (len > 0)
		memcpy(b->data, data, len);
	return b;
}

struct bytes *
bytes_ref(struct bytes *b)
{
	atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

void
bytes_unref(struct bytes *b)
{
	/* acq_rel: whoever frees has seen all that the other holders did. */
	if (b && atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1)
		free(b);
}
