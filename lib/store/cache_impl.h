#ifndef ORCH_STORE_CACHE_IMPL_H
#define ORCH_STORE_CACHE_IMPL_H

#include "store/cache.h"

/* What cache.c, history.c and walk.c share; nobody else looks inside. */
enum { LEVELS = 16, BUCKETS = 1024 };

struct node {
	struct object *object;
	int level;
	struct node *next[];
};

struct cache {
	pthread_rwlock_t lock;
	const struct kind *kinds;
	_Atomic(struct table *) custom, views;
	struct table *bucket[BUCKETS]; /* both, by the hash of their prefix */
	struct table *found;	       /* the custom one found last by key, while loading */
	struct table *table;
	size_t ntables;
	size_t last; /* table found last by key, while loading */
	uint64_t revision;
	uint64_t seed;

	/* The history: revision r is ring[r & (cap - 1)]; kept are first <= r < next. */
	struct event *ring;
	uint64_t cap; /* a power of two */
	uint64_t first, next;
	size_t old_bytes; /* of replaced and deleted bodies that only the history holds */
};

struct node *table_seek(
    struct table *t, const char *ns, const char *name, struct node **path[LEVELS]);
struct object *table_put(struct cache *c, struct table *t, struct object *o);
struct object *table_take(struct table *t, const struct object *o);

#endif
