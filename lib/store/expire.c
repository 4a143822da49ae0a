#include "store/expire.h"

#include <string.h>

#include "base/mem.h"

struct found {
	struct table *table;
	uint64_t upto;
	struct object **object;
	size_t n, cap, most;
};

void
expiry_note(struct expiry *e, int64_t now, uint64_t revision)
{
	int64_t step = e->seconds / 32 + 1;

	if (e->n && now < e->past[e->n - 1].time + step)
		return;
	if (e->n == COUNT(e->past)) {
		memmove(&e->past[0], &e->past[1], sizeof e->past - sizeof e->past[0]);
		e->n--;
	}
	e->past[e->n].time = now;
	e->past[e->n++].revision = revision;
}

/* What was the newest revision long enough ago: everything up to it was not written since. */
static uint64_t
expired_revision(const struct expiry *e, int64_t now)
{
	uint64_t revision = 0;

	for (size_t i = 0; i < e->n && e->past[i].time + e->seconds <= now; i++)
		revision = e->past[i].revision;
	return revision;
}

static bool
collect(void *arg, struct object *o)
{
	struct found *f = arg;

	if (o->revision > f->upto)
		return true;
	GROW(f->object, f->n, f->cap);
	f->object[f->n++] = object_ref(o);
	return f->n < f->most;
}

static void
done(struct write *w)
{
	write_release(w);
	free(w);
}

struct write *
expiry_deletions(struct expiry *e, struct cache *cache, int64_t now, size_t most)
{
	struct found f = { .upto = expired_revision(e, now), .most = most };
	struct write *list = NULL;
	struct table *t;
	size_t ntables;

	if (f.upto == 0)
		return NULL;
	t = cache_tables(cache, &ntables);
	for (size_t i = 0; i < ntables; i++) {
		struct walk walk = { .table = &t[i] };
		uint64_t revision;
		struct err err;

		if (strcmp(t[i].kind->kind, "Event") != 0)
			continue;
		f.n = 0;
		cache_walk(cache, &walk, collect, &f, &revision, &err);
		for (size_t k = 0; k < f.n; k++) {
			struct write *w = xcalloc(1, sizeof *w);

			draft_copy(&w->draft, f.object[k]);
			w->table = &t[i];
			w->expect = f.object[k]->revision;
			w->deletes = true;
			w->done = done;
			w->next = list;
			list = w;
			object_unref(f.object[k]);
		}
	}
	free(f.object);
	return list;
}
