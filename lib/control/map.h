#ifndef ORCH_CONTROL_MAP_H
#define ORCH_CONTROL_MAP_H

#include <stddef.h>
#include <stdint.h>

/* A hash table from bytes to pointers.  It owns its keys, not its values. */
struct map_slot {
	char *key; /* NULL: free.  Followed by a NUL that len does not count */
	size_t len;
	uint64_t hash;
	void *value;
};
struct map {
	struct map_slot *slot; /* to walk all: every slot below cap whose key is not NULL */
	size_t n, cap;
};

void *map_get(const struct map *m, const void *key, size_t len); /* NULL when missing */
/* Where the value of this key is kept; a new key starts with NULL.  Holds until the next new key.
 */
struct map_slot *map_at(struct map *m, const void *key, size_t len);
void *map_take(struct map *m, const void *key, size_t len);  /* removes; its value or NULL */
void map_release(struct map *m, void (*free_value)(void *)); /* free_value may be NULL */

#endif
