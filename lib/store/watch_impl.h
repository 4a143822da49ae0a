#ifndef ORCH_STORE_WATCH_IMPL_H
#define ORCH_STORE_WATCH_IMPL_H

#include "store/watch.h"

/* What watches.c and watch_send.c share; nobody else looks inside. */
enum {
	BUCKETS = 4096,
	EVENTS = 64,
	BACKLOG = 16 << 20, /* bytes that a watcher may be behind */
	BOOKMARK_SECONDS = 60,
	FEW = 500, /* events that any history holds */
};

/* Where events go: an HTTP answer without an end, or a WebSocket. */
struct sink {
	size_t (*send)(void *to, struct bytes *chunk);
	void (*end)(void *to);
	bool pieces; /* an event may be sent in several chunks */
};

struct watcher {
	struct watches *hub;
	const struct sink *sink;
	void *to;
	struct table *table;
	struct table *view; /* the same, or that of the version its client wants */
	struct filter filter;
	uint64_t seen; /* events up to this one were sent or do not concern it */
	uint64_t told; /* the newest version its client knows of */
	size_t allowance;
	double ends, bookmark;
	struct shape shape;
	bool bookmarks, ended, columns; /* columns: said what they are */
	struct watcher *next, **link;	/* in its bucket */
};

struct watches {
	struct cache *cache;
	pthread_t thread;
	pthread_mutex_t lock; /* of all watchers; held while they are told */
	struct watcher *bucket[BUCKETS];
	uint64_t cursor; /* events up to this one were told */
	_Atomic size_t watchers;
	struct watch_stats stats;
	struct bytes *tail;

	pthread_mutex_t wake_lock;
	pthread_cond_t wake;
	bool changed, stop;

	/* Of a kind that a webhook shows (conversion.h) each version has one of its own, so that
	 * nobody else waits for it: watch_view.c.  The list of them is under the main one's
	 * wake_lock, which comes before theirs. */
	struct watches *main; /* NULL: it is that */
	struct watches *views, *next;
	_Atomic size_t nviews;
	_Atomic unsigned refs;
	_Atomic bool over; /* its kind is served no more */
	struct table *table;
	const struct kind *kind;
	struct conversion *conversion;
};

/* watches.c, for watch_view.c */
void watches_init(struct watches *hub, struct cache *cache);
void watches_destroy(struct watches *hub);
void watches_wait(struct watches *hub, bool *stop); /* for a change, or a tick */
void watches_tell(struct watches *hub, const struct event *e);
void watches_keep_time(struct watches *hub);
void watches_end_all(struct watches *hub, const struct table *t); /* t NULL: of all */
struct watcher *watcher_new(struct watches *hub, struct watch_options *o);
void watcher_link(struct watcher *w, struct http_exchange *x);
void watcher_wake(struct watches *hub);

/* watch_view.c */
void views_wake(struct watches *main); /* something has changed */
void views_end_table(struct watches *main, const struct table *t);
void views_stats(struct watches *main, struct watch_stats *add);
void view_unref(struct watches *hub);

/* All of these with the lock held. */
void watcher_end(struct watcher *w);
void send_bookmark(struct watcher *w, uint64_t revision, bool end_of_initial);
/* The message says, as in Kubernetes, from which version on it can be watched. */
void send_expired(struct watcher *w, uint64_t since);
void send_failed(struct watcher *w, const struct err *err); /* and the end */
void send_initial(struct watcher *w);			    /* everything there is, as ADDED */
void send_added(struct watcher *w, struct object *o);
void send_backlog(struct watcher *w); /* what happened since the version it starts from */

/*
 * What an event is to watchers who all want to see it the same way: made when the first of them is
 * told, and sent to all.
 */
struct look {
	const struct kind *kind;
	struct shape shape;
	bool columns;
	struct bytes *chunk[4]; /* by type; the last: DELETED for who does not select it any more */
	struct look *next;
};
struct chunks {
	struct look *looks;
};
void chunks_release(struct chunks *c);
void send_event(struct watcher *w, const struct event *e, struct chunks *c); /* if it concerns w */

#endif
