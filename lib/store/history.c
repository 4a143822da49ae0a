/* The recent past: one event per revision, in a ring. */
#include <string.h>

#include "base/mem.h"
#include "store/cache_impl.h"

void
event_release(struct event *e)
{
	object_unref(e->object);
	object_unref(e->old);
}

static void
grow(struct cache *c)
{
	uint64_t cap = c->cap ? c->cap * 2 : 1024;
	struct event *ring = xcalloc(cap, sizeof *ring);

	for (uint64_t r = c->first; r < c->next; r++)
		ring[r & (cap - 1)] = c->ring[r & (c->cap - 1)];
	free(c->ring);
	c->ring = ring;
	c->cap = cap;
}

void
cache_begin(struct cache *c)
{
	pthread_rwlock_wrlock(&c->lock);
}

void
cache_end(struct cache *c)
{
	pthread_rwlock_unlock(&c->lock);
}

void
cache_apply(struct cache *c, struct table *t, struct object *o, enum event_type type, int64_t now)
{
	struct event e = { .revision = o->revision, .time = now, .type = type, .table = t };

	if (!c->next)
		c->first = c->next = o->revision;
	e.object = object_ref(o);
	e.old = type == EVENT_DELETED ? table_take(t, o) : table_put(c, t, o);
	if (e.old)
		c->old_bytes += e.old->body->len;
	if (type == EVENT_DELETED)
		c->old_bytes += o->body->len;
	if (c->next - c->first >= c->cap)
		grow(c);
	c->ring[o->revision & (c->cap - 1)] = e;
	c->next = o->revision + 1;
	c->revision = o->revision;
	t->changed = o->revision;
}

void
cache_load(struct cache *c, struct table *t, struct object *o)
{
	object_unref(table_put(c, t, o));
}

void
cache_loaded(struct cache *c, uint64_t compacted, uint64_t revision)
{
	if (!c->next)
		c->first = c->next = revision + 1;
	if (c->first > compacted + 1 && c->next > c->first)
		return; /* a gap would be a damaged log; what is there counts */
	c->revision = revision;
}

int
cache_events(struct cache *c, uint64_t revision, struct event *out, size_t n)
{
	size_t got = 0;

	pthread_rwlock_rdlock(&c->lock);
	if (revision + 1 < c->first) {
		pthread_rwlock_unlock(&c->lock);
		return -ERR_EXPIRED;
	}
	for (uint64_t r = revision + 1; r < c->next && got < n; r++) {
		struct event *e = &out[got++];

		*e = c->ring[r & (c->cap - 1)];
		object_ref(e->object);
		if (e->old)
			object_ref(e->old);
	}
	pthread_rwlock_unlock(&c->lock);
	return (int)got;
}

static bool
keep(const struct cache *c, const struct history_limits *l, int64_t now)
{
	uint64_t n = c->next - c->first;
	const struct event *e = &c->ring[c->first & (c->cap - 1)];

	if (n <= 1)
		return true; /* the newest change carries the counter over a restart */
	if (n > l->events || c->old_bytes > l->bytes)
		return false;
	return n <= l->least || e->time + l->seconds > now;
}

uint64_t
cache_trim(struct cache *c, const struct history_limits *l, int64_t now, size_t most)
{
	struct event *gone = xcalloc(most, sizeof *gone);
	size_t n = 0;
	uint64_t compacted;

	pthread_rwlock_wrlock(&c->lock);
	while (n < most && c->first < c->next && !keep(c, l, now)) {
		struct event *e = &c->ring[c->first++ & (c->cap - 1)];

		if (e->old)
			c->old_bytes -= e->old->body->len;
		if (e->type == EVENT_DELETED)
			c->old_bytes -= e->object->body->len;
		gone[n++] = *e;
	}
	compacted = c->first ? c->first - 1 : 0;
	pthread_rwlock_unlock(&c->lock);
	for (size_t i = 0; i < n; i++)
		event_release(&gone[i]);
	free(gone);
	return compacted;
}
