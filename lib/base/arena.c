/* Blocks that double, in a chain. */
#include "base/arena.h"

#include <stdalign.h>
#include <string.h>

#include "base/mem.h"

enum { FIRST = 992, LARGEST = 1 << 20 }; /* malloc is quickest below 1 KB */

struct arena_block {
	struct arena_block *older;
	max_align_t data[];
};

void *
arena_alloc(struct arena *a, size_t size)
{
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (size > a->size - a->used) {
		size_t next = a->size ? a->size * 2 : FIRST;
		struct arena_block *b;

		next = next > LARGEST ? LARGEST : next;
		next = next < size ? size : next;
		b = xmalloc(sizeof *b + next);
		b->older = a->block;
		a->block = b;
		a->size = next;
		a->used = 0;
		a->total += next;
	}
	a->used += size;
	return (char *)a->block->data + a->used - size;
}

char *
arena_text(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

void
arena_release(struct arena *a)
{
	while (a->block) {
		struct arena_block *older = a->block->older;

		free(a->block);
		a->block = older;
	}
	a->used = a->size = a->total = 0;
}
