#ifndef ORCH_STORE_WATCH_H
#define ORCH_STORE_WATCH_H

#include "serve/http.h"
#include "store/cache.h"
#include "store/form.h"

/*
 * Everyone who watches.  One thread follows the cache's history and gives each
 * event to those it concerns: watchers are found by kind and namespace, or node, or name, so that
 * an event is compared with few of them.
 */
struct watches;

int watches_start(struct watches **ret, struct cache *cache, struct err *err);
void watches_changed(void *watches); /* there is something new; from any thread */
/* End all streams and the thread; no new watcher may come afterwards. */
void watches_stop(struct watches *w);
void watches_free(struct watches *w);

struct watch_options {
	struct table *table, *view; /* where the objects are, and of which version (call.h) */
	struct filter filter;	    /* taken */
	uint64_t since;		    /* send what came after this revision */
	bool initial;		    /* first send everything there is, as ADDED */
	bool bookmarks;
	bool initial_bookmark; /* mark the end of the initial events with one */
	double seconds;	       /* then the server ends it */
	struct shape shape;    /* of the objects in the events */
};

/* Answer the exchange with a stream of events.  Takes the options' filter. */
void watches_add(struct watches *w, struct http_exchange *x, struct watch_options *o);

/* The same of a kind that a webhook shows.  -1: nothing was taken, because the webhook would have
 * to be asked first, on a thread that may wait (*asks), or there is no thread to be had. */
int watches_add_shown(
    struct watches *w, struct http_exchange *x, struct watch_options *o, bool waits, bool *asks);

/* While table->kind of custom kinds changes: who watches looks at it. */
void watches_lock(struct watches *w);
void watches_unlock(struct watches *w);
/* End all streams of a table's objects. */
void watches_end_table(struct watches *w, const struct table *t);

struct watch_stats {
	uint64_t watchers, events, slow;
};
void watches_stats(struct watches *w, struct watch_stats *ret);

#endif
