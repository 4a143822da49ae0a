/* The definitions as they were last looked at, and the thread that looks at what has changed. */
#include "store/definitions.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/meta.h"
#include "api/registry.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/definitions_private.h"

enum {
	BATCH = 32,	       /* definitions that are served, and written, at a time */
	WEIGHT_MOST = 8 << 20, /* bytes that compiled schemas should take together ... */
	WEIGHT_ALL = 64 << 20, /* and must not for long, be they used or not */
	SWEEP = 60,	       /* how often those that nobody uses are looked for, in seconds */
	SWEEP_HEAVY = 2,       /* and how often when they are too heavy */
	SLACK = 8 << 20,       /* bytes that the allocator may keep for later */
	TIDY = 1,	       /* how often this is looked at, in seconds */
	TIDY_BUSY = 30	       /* and while somebody writes */
};

/* --- names --- */

static json_t *
names_of(const struct known *k)
{
	return k->names ? json_loads(k->names, 0, NULL) : NULL;
}

static const char *
group_of(const struct known *k)
{
	const char *dot = strchr(k->name, '.'); /* its name says the group */

	return dot ? dot + 1 : "";
}

/* Whoever was refused a name may get it now. */
static void
look_again(struct definitions *d, const struct known *but)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->known[i] != but && d->known[i]->refused)
			d->known[i]->revision = 0;
}

/* The names that it has are given back, and it gets those that it can have now.  Returns whether
 * its status has changed. */
static bool
settle(struct definitions *d, struct known *k, json_t *crd)
{
	json_auto_t *had = names_of(k);
	const json_t *names;
	struct taken taken;
	autofree char *text = NULL;
	char now[40];
	bool changed;

	groups_remove(d->groups, group_of(k), had);
	taken = groups_taken(d->groups, group_of(k));
	changed = !meta_deleting(crd) && definition_settle(crd, &taken, call_now(now));
	names = get(crd, "status", "acceptedNames");
	groups_add(d->groups, group_of(k), names);
	k->refused = !definition_condition(crd, "NamesAccepted");
	text = names ? json_dumps(names, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	if (strcmp(text ? text : "", k->names ? k->names : "") != 0)
		look_again(d, k);
	free(k->names);
	k->names = steal(text);
	return changed;
}

/* --- one definition --- */

/* Kinds that are replaced. */
struct replaced {
	struct definition *item[BATCH];
	size_t n;
};

/* Nothing new is made of what is being deleted. */
static void
close_ending(struct known *k, const json_t *crd)
{
	for (size_t i = 0; k->definition && i < k->definition->n; i++)
		k->definition->custom[i].terminating = definition_condition(crd, "Terminating");
}

/* Served first, said so then: who reads that it is established finds it. */
static void
look_at(struct definitions *d, struct known *k, struct object *o, struct replaced *replaced,
    struct volley *v)
{
	json_auto_t *crd = definition_outline(o);
	struct definition *before = NULL;
	bool changed;

	k->revision = o->revision;
	k->ending = meta_deleting(crd) && meta_has_finalizer(crd, DEFINITION_FINALIZER);
	changed = settle(d, k, crd);
	if (definition_established(crd))
		before = definition_serve(d, k, o, crd);
	if (before)
		replaced->item[replaced->n++] = before;
	close_ending(k, crd);
	if (changed)
		volley_status(v, o, crd);
	else if (k->ending)
		k->ending = definition_end(d, k, o, crd, v);
}

/* What was looked at is served from now on, and says so. */
static void
conclude(struct definitions *d, struct replaced *replaced, struct volley *v)
{
	if (d->unpublished)
		definitions_publish(d);
	while (replaced->n > 0)
		definition_detach(d, replaced->item[--replaced->n], false);
	volley_wait(v);
}

static void
known_free(struct known *k)
{
	free(k->names);
	free(k->basis);
	free(k->name);
	free(k);
}

/* Those that are there no more. */
static void
forget(struct definitions *d, struct known **gone, size_t n)
{
	definitions_publish(d);
	for (size_t i = 0; i < n; i++) {
		json_auto_t *had = names_of(gone[i]);

		groups_remove(d->groups, group_of(gone[i]), had);
		if (gone[i]->definition)
			definition_detach(d, gone[i]->definition, true);
		known_free(gone[i]);
	}
	look_again(d, NULL);
}

/* --- all of them --- */

/* From here on known[i] is what is known of all->object[i]. */
static void
match(struct definitions *d, const struct gathered *all)
{
	struct known **next = xcalloc(all->n + 1, sizeof *next), **old = d->known;
	struct known **gone = xcalloc(d->n + 1, sizeof *gone);
	size_t at = 0, ngone = 0, n = d->n;

	for (size_t i = 0; i < all->n; i++) {
		const char *name = object_name(all->object[i]);

		while (at < n && strcmp(old[at]->name, name) < 0)
			gone[ngone++] = old[at++];
		if (at < n && strcmp(old[at]->name, name) == 0) {
			next[i] = old[at++];
		} else {
			next[i] = xcalloc(1, sizeof *next[i]);
			next[i]->name = xstrdup(name);
		}
	}
	while (at < n)
		gone[ngone++] = old[at++];
	d->known = next;
	d->n = all->n;
	if (ngone)
		forget(d, gone, ngone);
	free(gone);
	free(old);
}

/* All that have changed.  Returns whether something is still to be waited for. */
static bool
look(struct definitions *d)
{
	struct volley v = { .definitions = d };
	struct replaced replaced = { .n = 0 };
	size_t looked = 0;
	bool waits = false;

	d->looked = d->table->changed;
	struct gathered all = objects_gather(d, d->table);

	match(d, &all);
	for (size_t i = 0; i < d->n; i++) {
		struct known *k = d->known[i];

		if (k->revision == all.object[i]->revision && !k->ending)
			continue;
		look_at(d, k, all.object[i], &replaced, &v);
		if (++looked % BATCH == 0)
			conclude(d, &replaced, &v);
	}
	conclude(d, &replaced, &v);
	for (size_t i = 0; i < d->n; i++)
		waits |= d->known[i]->ending || d->known[i]->revision == 0;
	gathered_release(&all);
	return waits;
}

/* Schemas that nobody uses any more; soon where they are many. */
static void
sweep(struct definitions *d)
{
	bool heavy = definition_weight() > WEIGHT_MOST, all = definition_weight() > WEIGHT_ALL;

	if (clock_monotonic() - d->swept < (heavy ? SWEEP_HEAVY : SWEEP))
		return;
	d->swept = clock_monotonic();
	for (size_t i = 0; i < d->n; i++)
		if (d->known[i]->definition)
			definition_forget(d->known[i]->definition, all);
}

/* --- the thread --- */

/*
 * Trees of JSON are much larger than what is kept of them, and the allocator keeps their room for
 * the next ones.  The system gets it back when nothing was written for a while, and now and then
 * while there is.
 */
static void
give_back(struct definitions *d)
{
	uint64_t revision = cache_revision(d->server->cache);
	double now = clock_monotonic();
	bool quiet = revision == d->seen;
	size_t unused;

	if (now - d->tidied < TIDY)
		return;
	d->tidied = now;
	d->seen = revision;
	if (!quiet && now - d->gave < TIDY_BUSY)
		return;
	unused = mallinfo2().fordblks; /* what was given back stays in it */
	if (unused > d->unused + SLACK) {
		malloc_trim(0);
		d->gave = now;
		d->unused = unused;
	} else if (unused < d->unused) {
		d->unused = unused;
	}
}

/* Returns whether to stop. */
static bool
wait_for_change(struct definitions *d, bool soon)
{
	struct timespec until;
	bool stop;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += soon ? 20000000 : 900000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&d->lock);
	if (!d->changed && !d->stop)
		pthread_cond_timedwait(&d->wake, &d->lock, &until);
	d->changed = false;
	stop = d->stop;
	pthread_mutex_unlock(&d->lock);
	return stop;
}

static void *
definitions_thread(void *arg)
{
	struct definitions *d = arg;
	bool waits = true; /* for the end of what was being deleted when the store stopped */

	while (!wait_for_change(d, waits)) {
		if (waits || d->looked != d->table->changed)
			waits = look(d);
		sweep(d);
		waits |= registry_reap() > 0;
		give_back(d);
	}
	return NULL;
}

void
definitions_changed(struct definitions *d)
{
	if (!d || d->looked == d->table->changed)
		return;
	pthread_mutex_lock(&d->lock);
	d->changed = true;
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
}

/* What is established is served before anybody asks. */
static void
serve_all(struct definitions *d)
{
	struct gathered all = objects_gather(d, d->table);

	match(d, &all);
	for (size_t i = 0; i < d->n; i++) {
		struct known *k = d->known[i];
		json_auto_t *crd = definition_outline(all.object[i]);
		const json_t *names = get(crd, "status", "acceptedNames");

		groups_add(d->groups, group_of(k), names);
		k->names = names ? json_dumps(names, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
		if (definition_established(crd))
			(void)definition_serve(d, k, all.object[i], crd);
		close_ending(k, crd);
	}
	definitions_publish(d);
	gathered_release(&all);
}

int
definitions_start(struct definitions **ret, struct server *s, struct err *err)
{
	struct definitions *d = xcalloc(1, sizeof *d);
	int r;

	d->server = s;
	d->kind = kind_find("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
	d->table = cache_table(s->cache, d->kind);
	d->groups = groups_new();
	d->looked = UINT64_MAX; /* whatever is there has to be looked at once */
	pthread_mutex_init(&d->lock, NULL);
	clock_cond_init(&d->wake);
	serve_all(d);
	if ((r = pthread_create(&d->thread, NULL, definitions_thread, d)) != 0) {
		free(d);
		return err_sys(err, r, "cannot start the thread of definitions");
	}
	*ret = d;
	return 0;
}

void
definitions_stop(struct definitions *d)
{
	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
}

void
definitions_free(struct definitions *d)
{
	if (!d)
		return;
	registry_set(NULL, 0);
	for (size_t i = 0; i < d->n; i++) {
		definition_release(d->known[i]->definition);
		known_free(d->known[i]);
	}
	free(d->known);
	groups_free(d->groups);
	(void)registry_reap();
	pthread_mutex_destroy(
	    &d->lock); /* the commit thread has told us of changes until its end */
	pthread_cond_destroy(&d->wake);
	free(d);
}
