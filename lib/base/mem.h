#ifndef ORCH_BASE_MEM_H
#define ORCH_BASE_MEM_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"

/*
 * Allocation that does not fail: out of memory aborts the process.  Every
 * caller frees with free(3).
 */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
void *xreallocarray(void *p, size_t n, size_t size); /* overflow of n * size aborts too */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) PRINTF(1, 2);

/* Room for one more in an array that doubles: GROW(items, n, cap) before items[n++] = x. */
#define GROW(items, n, cap)                                                       \
	do {                                                                      \
		if ((n) >= (cap)) {                                               \
			(cap) = (cap) ? (cap)*2 : 8;                              \
			(items) = xreallocarray((items), (cap), sizeof *(items)); \
		}                                                                 \
	} while (0)

/* Released when the variable leaves its scope: autofree char *s = xstrdup("x"); */
static inline void
autofree_p(void *p)
{
	free(*(void **)p);
}
static inline void
autoclose_p(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void
autofclose_p(FILE **f)
{
	if (*f)
		fclose(*f);
}
#define autofree __attribute__((cleanup(autofree_p)))
#define autoclose __attribute__((cleanup(autoclose_p)))
#define autofclose __attribute__((cleanup(autofclose_p)))

/* The value, leaving NULL behind: hands ownership out of an autofree variable. */
#define steal(p)                                     \
	({                                           \
		__typeof__(p) *stolen_from = &(p);   \
		__typeof__(p) stolen = *stolen_from; \
		*stolen_from = NULL;                 \
		stolen;                              \
	})

#define COUNT(a) (sizeof(a) / sizeof *(a))

#endif
