/* The snapshot of all kinds, and when an old one may go. */
#include "api/registry.h"

#include <stdlib.h>
#include <string.h>

#include "api/tables.h"
#include "base/mem.h"

struct snapshot {
	uint64_t generation;
	const struct kind **all, **custom, **resources;
	size_t n, ncustom;
};

static _Atomic(struct snapshot *) current; /* NULL: nothing but what is built in */

/* --- reading --- */

const struct kind *const *
registry_kinds(size_t *n)
{
	const struct snapshot *s = current;

	*n = s ? s->n : served_kinds;
	return s ? (const struct kind *const *)s->all : table_of_served;
}

const struct kind *const *
registry_custom(size_t *n)
{
	const struct snapshot *s = current;

	*n = s ? s->ncustom : 0;
	return s ? (const struct kind *const *)s->custom : NULL;
}

const struct kind *const *
registry_resources(size_t *n)
{
	const struct snapshot *s = current;

	*n = s ? s->ncustom : 0;
	return s ? (const struct kind *const *)s->resources : NULL;
}

uint64_t
registry_generation(void)
{
	const struct snapshot *s = current;

	return s ? s->generation : 0;
}

/* -1, 0 or 1 as strcmp(), for a text that ends after len bytes. */
static int
compare_group(const char *group, const char *text, size_t len)
{
	int c = strncmp(group, text, len);

	return c ? c : group[len] != '\0';
}

size_t
registry_place(const char *group, size_t len, const char *version)
{
	size_t from = 0, to;
	const struct kind *const *k = registry_custom(&to);

	while (from < to) { /* the first that is not before it */
		size_t mid = from + (to - from) / 2;
		int c = compare_group(k[mid]->group, group, len);

		c = c || !version ? c : strcmp(k[mid]->version, version);
		if (c < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

bool
registry_group(const char *group, const char *version)
{
	size_t n, at = registry_place(group, strlen(group), version);
	const struct kind *const *k = registry_custom(&n);

	return at < n && strcmp(k[at]->group, group) == 0 &&
	       (!version || strcmp(k[at]->version, version) == 0);
}

/* --- epochs --- */

enum { EPOCHS = 64 };

struct retired {
	uint64_t epoch;
	void (*release)(void *what);
	void *what;
	struct retired *next;
};

static _Atomic uint64_t epoch = EPOCHS;
static _Atomic long inside[EPOCHS]; /* of each epoch, modulo */
static struct retired *waiting;	    /* the changing thread's */
static size_t nwaiting;

unsigned
registry_enter(void)
{
	for (;;) {
		uint64_t e = epoch;

		inside[e % EPOCHS]++;
		if (epoch == e) /* else it may have ended before we were counted */
			return (unsigned)(e % EPOCHS);
		inside[e % EPOCHS]--;
	}
}

void
registry_leave(unsigned e)
{
	inside[e]--;
}

void
registry_retire(void (*release)(void *what), void *what)
{
	struct retired *r = xcalloc(1, sizeof *r);

	*r = (struct retired){ epoch, release, what, waiting };
	waiting = r;
	nwaiting++;
}

/* The oldest epoch that somebody is in, or the current one. */
static uint64_t
oldest(void)
{
	uint64_t now = epoch;

	for (uint64_t e = now - EPOCHS + 1; e < now; e++)
		if (inside[e % EPOCHS] > 0)
			return e;
	return now;
}

size_t
registry_reap(void)
{
	struct retired **link = &waiting, *r;
	uint64_t now = epoch, least;

	/* the next epoch uses the place of the one EPOCHS before it, which must be over */
	if (waiting && waiting->epoch == now && inside[(now + 1) % EPOCHS] == 0)
		epoch = now + 1;
	least = oldest();
	while ((r = *link)) {
		if (r->epoch >= least) {
			link = &r->next;
			continue;
		}
		*link = r->next;
		r->release(r->what);
		free(r);
		nwaiting--;
	}
	return nwaiting;
}

/* --- changing --- */

static void
snapshot_free(void *what)
{
	struct snapshot *s = what;

	free(s->all);
	free(s->custom);
	free(s->resources);
	free(s);
}

static int
by_kind(const void *a, const void *b)
{
	const struct kind *k = *(const struct kind *const *)a, *l = *(const struct kind *const *)b;
	int c = strcmp(k->group, l->group);

	c = c ? c : strcmp(k->version, l->version);
	return c ? c : strcmp(k->kind, l->kind);
}

static int
by_resource(const void *a, const void *b)
{
	const struct kind *k = *(const struct kind *const *)a, *l = *(const struct kind *const *)b;
	int c = strcmp(k->group, l->group);

	c = c ? c : strcmp(k->version, l->version);
	return c ? c : strcmp(k->plural, l->plural);
}

static const struct kind **
copy(const struct kind *const *kinds, size_t n)
{
	const struct kind **ret = xcalloc(n + 1, sizeof *ret);

	if (n)
		memcpy(ret, kinds, n * sizeof *ret);
	return ret;
}

void
registry_set(const struct kind *const *kinds, size_t n)
{
	struct snapshot *s = xcalloc(1, sizeof *s), *old = current;
	size_t b = 0, c = 0;

	s->generation = registry_generation() + 1;
	s->ncustom = n;
	s->custom = copy(kinds, n);
	s->resources = copy(kinds, n);
	if (n)
		qsort(s->resources, n, sizeof *s->resources, by_resource);
	s->all = xcalloc(served_kinds + n + 1, sizeof *s->all);
	while (b < served_kinds || c < n) {
		bool built_in =
		    c == n || (b < served_kinds && by_kind(&table_of_served[b], &kinds[c]) < 0);

		s->all[s->n++] = built_in ? table_of_served[b++] : kinds[c++];
	}
	current = s;
	if (old)
		registry_retire(snapshot_free, old);
}
