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
	bool marks; /* of a deletion: first the draft is written as a change, then it goes */
	void (*done)(struct write *w); /* called once, on the commit thread; may free w */
	void *arg;

	/* for done: */
	int result; /* 0; -ERR_CONFLICT: not at `expect` any more (or there already); else err tells
		     */
	struct err err;
	struct object *object; /* as it was written; the write's reference */

	void *side;	    /* the follower's */
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

/*
 * Who keeps something in step with what is stored.  Both are called on the commit thread, for every
 * write that is not refused: before it is kept, where more writes may be handed in that are kept
 * with it or not at all (linked by next, at most FOLLOWERS_MORE; their done is called as well, and
 * `after` but not `before`); and when it was kept and readers see it, or was not.
 */
enum { FOLLOWERS_MORE = 8 };
struct follower {
	struct write *(*before)(void *arg, struct write *w);
	void (*after)(void *arg, struct write *w, bool kept);
	void *arg;
};
void commit_follow(struct commit *c, const struct follower *f); /* before the first write */

void commit_queue(struct commit *c, struct write *w);
/* Queue and wait: for start-up and tests, never for a worker under load. */
int commit_wait(struct commit *c, struct write *w, struct err *err);

struct commit_stats {
	uint64_t commits, writes, conflicts, failures, compacted;
};
void commit_stats(struct commit *c, struct commit_stats *ret);

#endif
