#ifndef ORCH_STORE_POOL_H
#define ORCH_STORE_POOL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Numbers that only one may have: addresses and ports.  A request reserves one while it prepares an
 * object; the object holds it once it is kept.  A number nobody reserves or holds is free.  All
 * functions may be called from any thread.
 */
struct pool;

struct number {
	unsigned char byte[16];
};

struct pool *pool_new(void);
void pool_free(struct pool *p); /* accepts NULL */

/* Reserve it for one request; false when somebody has it already. */
bool pool_reserve(struct pool *p, const struct number *n);
void pool_cancel(struct pool *p, const struct number *n); /* ends what pool_reserve began */

/* One more object that is kept has it, reserved or not; one less. */
void pool_hold(struct pool *p, const struct number *n);
void pool_drop(struct pool *p, const struct number *n);

bool pool_has(struct pool *p, const struct number *n);
size_t pool_count(struct pool *p); /* how many are not free */

#endif
