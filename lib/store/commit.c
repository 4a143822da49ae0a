#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/commit.h"
#include "store/expire.h"

enum {
	BATCH = 512,
	SLOTS = 4 * BATCH,
	TRIM = 20000,
	COMPACT_LEAST = 64,
	COMPACT = 2048,
	EXPIRE = 500
};

struct commit {
	struct engine *engine;
	struct cache *cache;
	struct history_limits limits;
	struct follower follower;
	void (*changed)(void *arg);
	void *arg;

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct write *first, **last;
	bool stop;
	struct commit_stats stats; /* under lock */

	/* the thread's own */
	uint64_t revision;
	double next_trim, next_expiry;
	unsigned compact; /* changes at a time */
	struct expiry expiry;
	bool failing; /* said so already */
	uint64_t seen[SLOTS];
	size_t nseen;
};

struct batch {
	struct write *write[BATCH];
	struct object *object[BATCH];
	struct change change[BATCH];
	struct buf index[BATCH];
	char *key[BATCH];
	bool mark[BATCH]; /* not the write itself yet, but the mark before a deletion */
	size_t n;
};

void
write_release(struct write *w)
{
	draft_release(&w->draft);
	object_unref(w->object);
	w->object = NULL;
}

static const char *
write_namespace(const struct write *w)
{
	return w->draft.text.data;
}

static const char *
write_name(const struct write *w)
{
	return w->draft.text.data + strlen(w->draft.text.data) + 1;
}

/* --- loading --- */

static int
damaged(const struct change *ch, const char *why, struct err *err)
{
	return err_set(err, ERR_INTERNAL, "cannot read change %llu of '%s': %s",
	    (unsigned long long)ch->revision, ch->key, why);
}

static int
load_one(void *arg, const struct change *ch, uint64_t compacted, struct err *err)
{
	struct commit *c = arg;
	const char *rest;
	struct table *t;
	struct object *o;
	bool there;

	if (ch->revision > compacted &&
	    ch->revision != (c->revision > compacted ? c->revision : compacted) + 1)
		return damaged(ch, "the one before it is missing", err);
	c->revision = ch->revision;
	if (c->expiry.seconds)
		expiry_note(&c->expiry, ch->time, ch->revision);
	if (!(t = cache_table_of_key(c->cache, ch->key, &rest)))
		return damaged(ch, "no such kind in this version", err);
	o = object_restore(ch->revision, t->kind, ch->data, ch->len, ch->index, ch->index_len);
	if (!o)
		return damaged(ch, "it is not JSON", err);
	there = cache_peek(t, object_namespace(o), object_name(o)) != NULL;
	if (ch->revision > compacted)
		cache_apply(c->cache, t, o,
		    ch->deleted ? EVENT_DELETED
		    : there	? EVENT_MODIFIED
				: EVENT_ADDED,
		    ch->time);
	else if (!ch->deleted)
		cache_load(c->cache, t, o);
	object_unref(o);
	return 0;
}

/* --- one batch --- */

/* Is this key in the batch already?  Two keys with one hash count as the same: it only waits. */
static bool
first_of_key(struct commit *c, struct write *w)
{
	size_t slot;

	if (c->nseen >= SLOTS / 2)
		return false; /* many were refused: the table must not fill up */
	w->hash = text_hash(w->draft.text.data,
	    (size_t)(write_name(w) - w->draft.text.data) + strlen(write_name(w)),
	    (uint64_t)(uintptr_t)w->table);
	w->hash |= 1;
	for (slot = w->hash % SLOTS; c->seen[slot]; slot = (slot + 1) % SLOTS)
		if (c->seen[slot] == w->hash)
			return false;
	c->seen[slot] = w->hash;
	c->nseen++;
	return true;
}

static bool
as_expected(const struct write *w)
{
	const struct object *o = cache_peek(w->table, write_namespace(w), write_name(w));

	return (o ? o->revision : 0) == w->expect;
}

static void
add_change(
    struct commit *c, struct batch *b, struct write *w, uint64_t prev, bool mark, int64_t now)
{
	size_t i = b->n++;
	uint64_t revision = c->revision + b->n;
	struct object *o = draft_finish(&w->draft, revision);

	b->write[i] = w;
	b->object[i] = o;
	b->mark[i] = mark;
	b->key[i] = cache_key(w->table, o);
	b->index[i] = (struct buf)BUF_INIT;
	object_index(o, &b->index[i]);
	b->change[i] = (struct change){
		.revision = revision,
		.prev = prev,
		.time = now,
		.deleted = w->deletes && !mark,
		.key = b->key[i],
		.index = b->index[i].data,
		.index_len = b->index[i].len,
		.data = o->body->data,
		.len = o->body->len,
	};
}

static void
add_to_batch(struct commit *c, struct batch *b, struct write *w, int64_t now)
{
	uint64_t prev = w->expect;

	if (w->deletes && w->marks) {
		add_change(c, b, w, prev, true, now);
		prev = c->revision + b->n;
	}
	add_change(c, b, w, prev, false, now);
}

static void
publish(struct commit *c, struct batch *b, int64_t now)
{
	cache_begin(c->cache);
	for (size_t i = 0; i < b->n; i++) {
		struct write *w = b->write[i];

		cache_apply(c->cache, w->table, b->object[i],
		    w->deletes && !b->mark[i] ? EVENT_DELETED
		    : w->expect		      ? EVENT_MODIFIED
					      : EVENT_ADDED,
		    now);
	}
	cache_end(c->cache);
	c->revision += b->n;
	if (c->changed)
		c->changed(c->arg);
}

static void
finish_batch(struct commit *c, struct batch *b, int result, const struct err *err)
{
	if (result < 0 && !c->failing)
		log_line("%s", err->msg);
	if (result >= 0 && c->failing)
		log_line("writing again");
	c->failing = result < 0;
	pthread_mutex_lock(&c->lock);
	c->stats.commits++;
	*(result < 0 ? &c->stats.failures : &c->stats.writes) += b->n;
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < b->n; i++) {
		struct write *w = b->write[i];

		free(b->key[i]);
		buf_release(&b->index[i]);
		if (result < 0 || b->mark[i])
			object_unref(b->object[i]);
		else
			w->object = b->object[i];
		if (b->mark[i])
			continue;
		if (result < 0)
			w->err = *err;
		w->result = result;
		if (c->follower.after)
			c->follower.after(c->follower.arg, w, result >= 0);
	}
	/* only now: who is told looks at what the others have done */
	for (size_t i = 0; i < b->n; i++)
		if (!b->mark[i])
			b->write[i]->done(b->write[i]);
}

static void
refuse(struct commit *c, struct write *w)
{
	pthread_mutex_lock(&c->lock);
	c->stats.conflicts++;
	pthread_mutex_unlock(&c->lock);
	w->result = err_set(&w->err, ERR_CONFLICT, "the object has been modified");
	w->done(w);
}

/* Drop what was handed in with a write that has to wait. */
static void
drop_more(struct commit *c, struct write *w, struct write *more)
{
	if (c->follower.after)
		c->follower.after(c->follower.arg, w, false);
	while (more) {
		struct write *next = more->next;

		more->result = -ERR_CONFLICT;
		more->done(more);
		more = next;
	}
}

/* Put w into the batch with what the follower hands in; false: one of them has to wait. */
static bool
add_with_more(struct commit *c, struct batch *b, struct write *w, int64_t now)
{
	struct write *more = c->follower.before ? c->follower.before(c->follower.arg, w) : NULL;

	for (struct write *m = more; m; m = m->next) {
		if (!first_of_key(c, m)) {
			drop_more(c, w, more);
			return false;
		}
	}
	add_to_batch(c, b, w, now);
	while (more) {
		struct write *next = more->next;

		add_to_batch(c, b, more, now);
		more->next = NULL;
		more = next;
	}
	return true;
}

/* Into the batch, or refused; false: it has to wait. */
static bool
work_off(struct commit *c, struct batch *b, struct write *w, int64_t now)
{
	if (b->n + 1 + FOLLOWERS_MORE >= BATCH || !first_of_key(c, w))
		return false;
	if (as_expected(w))
		return add_with_more(c, b, w, now);
	refuse(c, w);
	return true;
}

/* Work off the list; what has to wait for the next batch is left in it. */
static struct write *
process(struct commit *c, struct write *list)
{
	static struct batch batch; /* one thread, and large */
	struct write *later = NULL, **tail = &later, *next;
	int64_t now = clock_now();
	struct err err;
	int r;

	batch.n = 0;
	c->nseen = 0;
	memset(c->seen, 0, sizeof c->seen);
	for (struct write *w = list; w; w = next) {
		next = w->next;
		w->next = NULL;
		if (!work_off(c, &batch, w, now)) {
			*tail = w;
			tail = &w->next;
		}
	}
	if (batch.n == 0)
		return later;
	r = c->engine->ops->commit(c->engine, batch.change, batch.n, &err);
	if (r == 0)
		publish(c, &batch, now);
	finish_batch(c, &batch, r, &err);
	return later;
}

/* --- the thread --- */

static void
trim(struct commit *c)
{
	uint64_t upto, at = 0;
	double began, took;
	struct err err;

	upto = cache_trim(c->cache, &c->limits, clock_now(), TRIM);
	began = clock_monotonic();
	if (c->engine->ops->compact(c->engine, upto, c->compact, &at, &err) < 0) {
		if (!c->failing)
			log_line("%s", err.msg);
		c->failing = true;
		c->next_trim = clock_monotonic() + 10;
		return;
	}
	pthread_mutex_lock(&c->lock);
	c->stats.compacted = at;
	pthread_mutex_unlock(&c->lock);
	/* writers wait meanwhile: many small steps rather than a few long ones */
	took = clock_monotonic() - began;
	if (took > 0.01 && c->compact > COMPACT_LEAST)
		c->compact /= 2;
	else if (took < 0.005 && c->compact < COMPACT)
		c->compact *= 2;
	c->next_trim = clock_monotonic() + (at < upto ? took + 0.02 : 1);
}

/* Put what has expired into the queue. */
static void
expire(struct commit *c)
{
	int64_t now = clock_now();
	struct write *list;

	c->next_expiry = clock_monotonic() + (double)c->expiry.seconds / 120 + 0.1;
	expiry_note(&c->expiry, now, c->revision);
	list = expiry_deletions(&c->expiry, c->cache, now, EXPIRE);
	while (list) {
		struct write *next = list->next;

		commit_queue(c, list);
		list = next;
	}
}

static struct write *
take(struct commit *c, bool wait)
{
	struct timespec until;
	struct write *list;

	pthread_mutex_lock(&c->lock);
	if (wait && !c->first && !c->stop) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec++;
		pthread_cond_timedwait(&c->wake, &c->lock, &until);
	}
	list = c->first;
	c->first = NULL;
	c->last = &c->first;
	pthread_mutex_unlock(&c->lock);
	return list;
}

static bool
stopping(struct commit *c)
{
	bool yes;

	pthread_mutex_lock(&c->lock);
	yes = c->stop && !c->first;
	pthread_mutex_unlock(&c->lock);
	return yes;
}

static void *
commit_thread(void *arg)
{
	struct commit *c = arg;
	struct write *list = NULL, **end;

	while (list || !stopping(c)) {
		for (end = &list; *end; end = &(*end)->next)
			;
		*end = take(c, !list);
		if (list)
			list = process(c, list);
		if (clock_monotonic() >= c->next_trim)
			trim(c);
		if (c->expiry.seconds && clock_monotonic() >= c->next_expiry)
			expire(c);
	}
	return NULL;
}

int
commit_start(struct commit **ret, struct engine *engine, struct cache *cache,
    const struct history_limits *limits, void (*changed)(void *arg), void *arg, struct err *err)
{
	struct commit *c = xcalloc(1, sizeof *c);
	uint64_t compacted;
	int r;

	*c = (struct commit){ .engine = engine, .cache = cache, .limits = *limits };
	c->expiry.seconds = limits->event_seconds;
	if ((r = engine->ops->scan(engine, &compacted, load_one, c, err)) < 0) {
		free(c);
		return r;
	}
	cache_loaded(cache, compacted, c->revision);
	c->changed = changed;
	c->arg = arg;
	c->last = &c->first;
	c->next_trim = clock_monotonic() + 1;
	c->compact = COMPACT;
	pthread_mutex_init(&c->lock, NULL);
	clock_cond_init(&c->wake);
	if ((r = pthread_create(&c->thread, NULL, commit_thread, c)) != 0) {
		free(c);
		return err_sys(err, r, "cannot start the commit thread");
	}
	*ret = c;
	return 0;
}

void
commit_follow(struct commit *c, const struct follower *f)
{
	pthread_mutex_lock(&c->lock);
	c->follower = *f;
	pthread_mutex_unlock(&c->lock);
}

void
commit_stop(struct commit *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->wake);
	free(c);
}

void
commit_queue(struct commit *c, struct write *w)
{
	w->next = NULL;
	pthread_mutex_lock(&c->lock);
	*c->last = w;
	c->last = &w->next;
	pthread_mutex_unlock(&c->lock);
	/* after the unlock: who is woken would only run into the lock */
	pthread_cond_signal(&c->wake);
}

void
commit_stats(struct commit *c, struct commit_stats *ret)
{
	pthread_mutex_lock(&c->lock);
	*ret = c->stats;
	pthread_mutex_unlock(&c->lock);
}

/* --- waiting --- */

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool over;
};

static void
wake_waiter(struct write *w)
{
	struct waiter *x = w->arg;

	pthread_mutex_lock(&x->lock);
	x->over = true;
	pthread_cond_signal(&x->done);
	pthread_mutex_unlock(&x->lock);
}

int
commit_wait(struct commit *c, struct write *w, struct err *err)
{
	struct waiter x = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };

	w->done = wake_waiter;
	w->arg = &x;
	commit_queue(c, w);
	pthread_mutex_lock(&x.lock);
	while (!x.over)
		pthread_cond_wait(&x.done, &x.lock);
	pthread_mutex_unlock(&x.lock);
	if (w->result < 0)
		*err = w->err;
	return w->result;
}
