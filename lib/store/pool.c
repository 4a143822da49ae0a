/* A hash table of the numbers that are not free. */
#include "store/pool.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct entry {
	struct entry *next;
	struct number number;
	unsigned holders;
	bool reserved;
};

struct pool {
	pthread_mutex_t lock;
	struct entry **slot;
	size_t nslots; /* a power of two */
	size_t n;
};

enum { SLOTS = 64 };

struct pool *
pool_new(void)
{
	struct pool *p = xcalloc(1, sizeof *p);

	pthread_mutex_init(&p->lock, NULL);
	p->nslots = SLOTS;
	p->slot = xcalloc(p->nslots, sizeof *p->slot);
	return p;
}

void
pool_free(struct pool *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->nslots; i++) {
		while (p->slot[i]) {
			struct entry *next = p->slot[i]->next;

			free(p->slot[i]);
			p->slot[i] = next;
		}
	}
	free(p->slot);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static struct entry **
place(struct pool *p, const struct number *n)
{
	return &p->slot[text_hash(n->byte, sizeof n->byte, TEXT_HASH_SEED) & (p->nslots - 1)];
}

/* Where the pointer to it stands, or would stand. */
static struct entry **
find(struct pool *p, const struct number *n)
{
	struct entry **e = place(p, n);

	while (*e && memcmp((*e)->number.byte, n->byte, sizeof n->byte) != 0)
		e = &(*e)->next;
	return e;
}

static void
grow(struct pool *p)
{
	struct entry **old = p->slot;
	size_t n = p->nslots;

	p->nslots *= 2;
	p->slot = xcalloc(p->nslots, sizeof *p->slot);
	for (size_t i = 0; i < n; i++) {
		while (old[i]) {
			struct entry *e = old[i], **at = place(p, &e->number);

			old[i] = e->next;
			e->next = *at;
			*at = e;
		}
	}
	free(old);
}

static struct entry *
find_or_add(struct pool *p, const struct number *n)
{
	struct entry **e = find(p, n);

	if (*e)
		return *e;
	if (p->n >= p->nslots) {
		grow(p);
		e = find(p, n);
	}
	*e = xcalloc(1, sizeof **e);
	(*e)->number = *n;
	p->n++;
	return *e;
}

static void
remove_free(struct pool *p, struct entry **e)
{
	struct entry *gone = *e;

	if (gone->reserved || gone->holders > 0)
		return;
	*e = gone->next;
	free(gone);
	p->n--;
}

bool
pool_reserve(struct pool *p, const struct number *n)
{
	bool free_one;

	pthread_mutex_lock(&p->lock);
	free_one = !*find(p, n);
	if (free_one)
		find_or_add(p, n)->reserved = true;
	pthread_mutex_unlock(&p->lock);
	return free_one;
}

void
pool_cancel(struct pool *p, const struct number *n)
{
	struct entry **e;

	pthread_mutex_lock(&p->lock);
	e = find(p, n);
	if (*e) {
		(*e)->reserved = false;
		remove_free(p, e);
	}
	pthread_mutex_unlock(&p->lock);
}

void
pool_hold(struct pool *p, const struct number *n)
{
	pthread_mutex_lock(&p->lock);
	find_or_add(p, n)->holders++;
	pthread_mutex_unlock(&p->lock);
}

void
pool_drop(struct pool *p, const struct number *n)
{
	struct entry **e;

	pthread_mutex_lock(&p->lock);
	e = find(p, n);
	if (*e && (*e)->holders > 0) {
		(*e)->holders--;
		remove_free(p, e);
	}
	pthread_mutex_unlock(&p->lock);
}

bool
pool_has(struct pool *p, const struct number *n)
{
	bool has;

	pthread_mutex_lock(&p->lock);
	has = *find(p, n) != NULL;
	pthread_mutex_unlock(&p->lock);
	return has;
}

size_t
pool_count(struct pool *p)
{
	size_t n;

	pthread_mutex_lock(&p->lock);
	n = p->n;
	pthread_mutex_unlock(&p->lock);
	return n;
}
