#ifndef ORCH_STORE_COMMIT_H
#define ORCH_STORE_COMMIT_H

#include "store/cache.h"
#include "store/engine.h"

/*
 * The one way in: writes are queued from any thread, and one thread takes all that
 * wait, checks them, gives each its revision, keeps them with one commit of the engine,
 * shows them to readers and then says so to each writer.
 */
struct write {
	struct table *table;
	struct draft draft; /* the object; for a deletion its last state */
	uint64_t expect;    /* the revision it replaces or deletes; 0: the key must not be there */
	bool deletes;
	void (*done)(struct write *w); /* called once, on the commit thread; may free w */
	void *arg;

	/* for done: */
	int result; /* 0; -ERR_CONFLICT: not at `expect` any more (or there already); else err tells
		     */
	struct err err;
	struct object *object; /* as it was written; the write's reference */

	struct write *next; /* the queue's own */
	uint64_t hash;
};
void write_release(struct write *w); /* what it holds, not w itself */

struct commit;

/*
 * Read the engine's objects and history into the cache, then start the thread.  `changed(arg)` is
 * called on it after each commit.  Both belong to the caller and must outlive it.
 */
int commit_start(struct commit **ret, struct engine *engine, struct cache *cache,
    const struct history_limits *limits, void (*changed)(void *arg), void *arg, struct err *err);
void commit_stop(struct commit *c); /* finishes what is queued; accepts NULL */

void commit_queue(struct commit *c, struct write *w);
/* Queue and wait: for start-up and tests, never for a worker under load. */
int commit_wait(struct commit *c, struct write *w, struct err *err);

struct commit_stats {
	uint64_t commits, writes, conflicts, failures, compacted;
};
void commit_stats(struct commit *c, struct commit_stats *ret);

#endif
