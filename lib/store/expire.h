#ifndef ORCH_STORE_EXPIRE_H
#define ORCH_STORE_EXPIRE_H

#include "store/commit.h"

/*
 * Events are not kept for ever: one that was not written for an hour goes.  When an
 * object was written is not kept beside it; that a revision was current at some time is.
 */
struct expiry {
	int64_t seconds; /* how long they live */
	struct {
		int64_t time;
		uint64_t revision;
	} past[64]; /* which revision was the newest, about 32 times in `seconds`, oldest first */
	size_t n;
};

/* From time to time, and while loading for every change: at this time this was the newest revision.
 */
void expiry_note(struct expiry *e, int64_t now, uint64_t revision);

/*
 * Deletions of what has expired, at most `most`, as a list of writes that free themselves; they
 * look at no more than that many objects of each kind of event.
 */
struct write *expiry_deletions(struct expiry *e, struct cache *cache, int64_t now, size_t most);

#endif
