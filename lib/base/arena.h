#ifndef ORCH_BASE_ARENA_H
#define ORCH_BASE_ARENA_H

#include <stddef.h>

/*
 * Memory that is given back all at once: for the many small pieces of one computation.
 * Out of memory aborts, as everywhere.
 */
struct arena {
	struct arena_block *block; /* the newest, in which there may be room */
	size_t used, size;	   /* of it */
	size_t total;		   /* of all */
};

#define ARENA_INIT            \
	{                     \
		NULL, 0, 0, 0 \
	}

void *arena_alloc(struct arena *a, size_t size);	      /* not zeroed; aligned for anything */
char *arena_text(struct arena *a, const char *s, size_t len); /* a copy, ended by a NUL */
void arena_release(struct arena *a);

#define autoarena __attribute__((cleanup(arena_release)))

#endif
