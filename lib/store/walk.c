/*
 * Walking a table, now or as it was at an older revision: the state then is the
 * state now with everything that changed since put back.
 */
#include <string.h>

#include "base/mem.h"
#include "store/cache_impl.h"

/* What a key was at the older revision: old is NULL when it was not there. */
struct past {
	const struct object *key;
	struct object *old;
	uint64_t order;
};

static int
by_key(const struct object *a, const struct object *b)
{
	int d = strcmp(object_namespace(a), object_namespace(b));

	return d ? d : strcmp(object_name(a), object_name(b));
}

static int
by_key_and_order(const void *a, const void *b)
{
	const struct past *x = a, *y = b;
	int d = by_key(x->key, y->key);

	return d ? d : (x->order > y->order) - (x->order < y->order);
}

/* The first change of each key after `revision` says what it was before. */
static size_t
collect_past(struct cache *c, const struct walk *w, struct past **ret)
{
	struct past *p = NULL;
	size_t n = 0, cap = 0, kept = 0;

	for (uint64_t r = w->revision + 1; r < c->next; r++) {
		struct event *e = &c->ring[r & (c->cap - 1)];

		if (e->table != w->table ||
		    (w->namespace && strcmp(w->namespace, object_namespace(e->object)) != 0))
			continue;
		GROW(p, n, cap);
		p[n++] = (struct past){ e->object, e->old, r };
	}
	if (n)
		qsort(p, n, sizeof *p, by_key_and_order);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || by_key(p[i].key, p[kept - 1].key) != 0)
			p[kept++] = p[i];
	*ret = p;
	return kept;
}

static bool
behind(const struct walk *w, const struct object *o)
{
	int d;

	if (!w->after_name)
		return true;
	d = strcmp(object_namespace(o), w->after_namespace);
	return d > 0 || (d == 0 && strcmp(object_name(o), w->after_name) > 0);
}

static void
walk_locked(const struct walk *w, const struct past *past, size_t npast,
    bool (*each)(void *arg, struct object *o), void *arg)
{
	const char *ns = w->after_name ? w->after_namespace : w->namespace ? w->namespace : "";
	struct node *n = table_seek(w->table, ns, w->after_name ? w->after_name : "", NULL);
	size_t i = 0;

	while (i < npast && !behind(w, past[i].key))
		i++;
	while (n || i < npast) {
		int d = !n ? 1 : i >= npast ? -1 : by_key(n->object, past[i].key);
		struct object *o = d < 0 ? n->object : past[i].old;

		if (d < 0 && w->namespace && strcmp(object_namespace(o), w->namespace) != 0) {
			if (i >= npast)
				return;
			n = NULL; /* the namespace ends here, but older objects of it may follow */
			continue;
		}
		if (o && behind(w, o) && !each(arg, o))
			return;
		if (d <= 0)
			n = n->next[0];
		if (d >= 0)
			i++;
	}
}

int
cache_walk(struct cache *c, const struct walk *w, bool (*each)(void *arg, struct object *o),
    void *arg, uint64_t *revision, struct err *err)
{
	struct past *past = NULL;
	size_t npast = 0;

	pthread_rwlock_rdlock(&c->lock);
	*revision = w->revision ? w->revision : c->revision;
	if (w->revision && w->revision + 1 < c->first) {
		pthread_rwlock_unlock(&c->lock);
		return err_set(
		    err, ERR_EXPIRED, "The resourceVersion for the provided list is too old.");
	}
	if (w->revision)
		npast = collect_past(c, w, &past);
	walk_locked(w, past, npast, each, arg);
	pthread_rwlock_unlock(&c->lock);
	free(past);
	return 0;
}
