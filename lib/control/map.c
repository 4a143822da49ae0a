#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "control/map.h"

/*
 * Open addressing with linear probing; cap is a power of two and at most three quarters full.  A
 * removal closes the gap it leaves, so there are no tombstones to slow down a
 * world whose objects come and go for weeks.
 */
static struct map_slot *
probe(const struct map *m, const void *key, size_t len, uint64_t hash)
{
	size_t i = hash & (m->cap - 1);

	for (;; i = (i + 1) & (m->cap - 1)) {
		struct map_slot *s = &m->slot[i];

		if (!s->key || (s->hash == hash && s->len == len && memcmp(s->key, key, len) == 0))
			return s;
	}
}

static void
grow(struct map *m)
{
	struct map old = *m;

	m->cap = old.cap ? old.cap * 2 : 16;
	m->slot = xcalloc(m->cap, sizeof *m->slot);
	for (size_t i = 0; i < old.cap; i++)
		if (old.slot[i].key)
			*probe(m, old.slot[i].key, old.slot[i].len, old.slot[i].hash) = old.slot[i];
	free(old.slot);
}

void *
map_get(const struct map *m, const void *key, size_t len)
{
	const struct map_slot *s;

	if (!m->n)
		return NULL;
	s = probe(m, key, len, text_hash(key, len, TEXT_HASH_SEED));
	return s->key ? s->value : NULL;
}

struct map_slot *
map_at(struct map *m, const void *key, size_t len)
{
	uint64_t hash = text_hash(key, len, TEXT_HASH_SEED);
	struct map_slot *s;

	if ((m->n + 1) * 4 > m->cap * 3)
		grow(m);
	s = probe(m, key, len, hash);
	if (!s->key) {
		*s = (struct map_slot){ xmalloc(len + 1), len, hash, NULL };
		memcpy(s->key, key, len);
		s->key[len] = '\0';
		m->n++;
	}
	return s;
}

void *
map_take(struct map *m, const void *key, size_t len)
{
	struct map_slot *s;
	size_t hole, mask = m->cap - 1;
	void *value;

	if (!m->n)
		return NULL;
	s = probe(m, key, len, text_hash(key, len, TEXT_HASH_SEED));
	if (!s->key)
		return NULL;
	value = s->value;
	free(s->key);
	s->key = NULL;
	m->n--;
	hole = (size_t)(s - m->slot);
	for (size_t i = (hole + 1) & mask; m->slot[i].key; i = (i + 1) & mask) {
		size_t home = m->slot[i].hash & mask;

		/* It may move back into the hole unless its home lies behind the hole. */
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		m->slot[hole] = m->slot[i];
		m->slot[i].key = NULL;
		hole = i;
	}
	return value;
}

void
map_release(struct map *m, void (*free_value)(void *))
{
	for (size_t i = 0; i < m->cap; i++) {
		if (!m->slot[i].key)
			continue;
		if (free_value)
			free_value(m->slot[i].value);
		free(m->slot[i].key);
	}
	free(m->slot);
	*m = (struct map){ 0 };
}
