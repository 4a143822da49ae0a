/* Who watches what, and the thread that tells them. */
#include "store/watch_impl.h"

#include <string.h>
#include <time.h>

#include "api/protobuf.h"
#include "api/registry.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/watch_socket.h"

/* A watcher stands under the most telling thing it asks for: a node, a namespace, or the kind. */
static size_t
slot(const struct table *t, char sort, const char *text)
{
	uint64_t h = text_hash(text, strlen(text), TEXT_HASH_SEED ^ (uint64_t)(uintptr_t)t);

	return (h ^ (h >> 29) ^ (uint64_t)sort * 0x9e3779b97f4a7c15u) % BUCKETS;
}

static size_t
slot_of(const struct watcher *w)
{
	if (w->filter.node)
		return slot(w->table, 'o', w->filter.node);
	if (w->filter.namespace)
		return slot(w->table, 'n', w->filter.namespace);
	return slot(w->table, 'a', "");
}

/* --- the thread --- */

static void
tell_bucket(struct watches *hub, size_t i, const struct event *e, struct chunks *c)
{
	for (struct watcher *w = hub->bucket[i]; w; w = w->next)
		if (w->table == e->table && !w->ended && w->seen < e->revision)
			send_event(w, e, c);
}

void
watches_tell(struct watches *hub, const struct event *e)
{
	const char *node = object_field(e->object, e->table->kind, "spec.nodeName");
	const char *before = e->old ? object_field(e->old, e->table->kind, "spec.nodeName") : NULL;
	struct chunks c = { 0 };

	tell_bucket(hub, slot(e->table, 'a', ""), e, &c);
	if (e->table->kind->namespaced)
		tell_bucket(hub, slot(e->table, 'n', object_namespace(e->object)), e, &c);
	if (node)
		tell_bucket(hub, slot(e->table, 'o', node), e, &c);
	if (before && strcmp(before, node) != 0)
		tell_bucket(hub, slot(e->table, 'o', before), e, &c);
	chunks_release(&c);
}

/* Returns whether there may be more. */
static bool
tell_some(struct watches *hub)
{
	struct event e[EVENTS];
	unsigned epoch = registry_enter();
	int n;

	pthread_mutex_lock(&hub->lock);
	if (hub->watchers == 0)
		hub->cursor = cache_revision(hub->cache);
	n = cache_events(hub->cache, hub->cursor, e, EVENTS);
	if (n < 0) { /* fell behind the history: nobody can be told what was missed */
		for (size_t i = 0; i < BUCKETS; i++)
			for (struct watcher *w = hub->bucket[i]; w; w = w->next)
				send_expired(w, hub->cursor);
		hub->cursor = cache_revision(hub->cache);
	}
	for (int i = 0; i < n; i++) {
		watches_tell(hub, &e[i]);
		hub->cursor = e[i].revision;
		event_release(&e[i]);
	}
	pthread_mutex_unlock(&hub->lock);
	registry_leave(epoch);
	return n == EVENTS;
}

/*
 * Bookmarks come once a minute, and earlier when much is written elsewhere: the version a quiet
 * watcher would come back with must not fall out of the history meanwhile.
 */
static bool
wants_bookmark(const struct watcher *w, double now, uint64_t half)
{
	return w->bookmarks &&
	       (now >= w->bookmark || (w->told < half && w->told + FEW < w->hub->cursor));
}

void
watches_keep_time(struct watches *hub)
{
	double now = clock_monotonic();
	uint64_t half, gone = cache_compacted(hub->cache);

	pthread_mutex_lock(&hub->lock);
	half = gone < hub->cursor ? gone + (hub->cursor - gone) / 2 : 0;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct watcher *w = hub->bucket[i]; w; w = w->next) {
			if (w->ended)
				continue;
			if (now >= w->ends) {
				watcher_end(w);
			} else if (wants_bookmark(w, now, half)) {
				w->bookmark = now + BOOKMARK_SECONDS;
				send_bookmark(
				    w, w->seen > hub->cursor ? w->seen : hub->cursor, false);
			}
		}
	}
	pthread_mutex_unlock(&hub->lock);
}

void
watches_wait(struct watches *hub, bool *stop)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += 250000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&hub->wake_lock);
	if (!hub->changed && !hub->stop)
		pthread_cond_timedwait(&hub->wake, &hub->wake_lock, &until);
	hub->changed = false;
	*stop = hub->stop;
	pthread_mutex_unlock(&hub->wake_lock);
}

static void *
watch_thread(void *arg)
{
	struct watches *hub = arg;
	double next_time = 0;
	bool stop = false;

	while (!stop) {
		watches_wait(hub, &stop);
		while (tell_some(hub))
			;
		if (clock_monotonic() >= next_time) {
			watches_keep_time(hub);
			next_time = clock_monotonic() + 0.25;
		}
	}
	return NULL;
}

void
watcher_wake(struct watches *hub)
{
	/* With nobody to tell it can wait for the next tick.  Who comes just now is counted
	 * first and reads the history then, so either sees the other. */
	if (hub->watchers == 0)
		return;
	pthread_mutex_lock(&hub->wake_lock);
	hub->changed = true;
	pthread_cond_signal(&hub->wake);
	pthread_mutex_unlock(&hub->wake_lock);
}

void
watches_changed(void *watches)
{
	struct watches *hub = watches;

	watcher_wake(hub);
	if (hub->nviews > 0)
		views_wake(hub);
}

void
watches_init(struct watches *hub, struct cache *cache)
{
	hub->cache = cache;
	hub->cursor = cache_revision(cache);
	hub->tail = bytes_new("}\n", 2);
	pthread_mutex_init(&hub->lock, NULL);
	pthread_mutex_init(&hub->wake_lock, NULL);
	clock_cond_init(&hub->wake);
}

void
watches_destroy(struct watches *hub)
{
	bytes_unref(hub->tail);
	pthread_mutex_destroy(&hub->lock);
	pthread_mutex_destroy(&hub->wake_lock);
	pthread_cond_destroy(&hub->wake);
	free(hub);
}

int
watches_start(struct watches **ret, struct cache *cache, struct err *err)
{
	struct watches *hub = xcalloc(1, sizeof *hub);
	int r;

	watches_init(hub, cache);
	if ((r = pthread_create(&hub->thread, NULL, watch_thread, hub)) != 0) {
		watches_free(hub);
		return err_sys(err, r, "cannot start the watch thread");
	}
	*ret = hub;
	return 0;
}

void
watches_stop(struct watches *hub)
{
	pthread_mutex_lock(&hub->wake_lock);
	hub->stop = true;
	pthread_cond_signal(&hub->wake);
	pthread_mutex_unlock(&hub->wake_lock);
	pthread_join(hub->thread, NULL);
	watches_end_table(hub, NULL);
}

void
watches_free(struct watches *hub)
{
	watches_destroy(hub);
}

void
watches_stats(struct watches *hub, struct watch_stats *ret)
{
	pthread_mutex_lock(&hub->lock);
	*ret = hub->stats;
	ret->watchers = hub->watchers;
	pthread_mutex_unlock(&hub->lock);
	views_stats(hub, ret);
}

void
watches_lock(struct watches *hub)
{
	pthread_mutex_lock(&hub->lock);
}

void
watches_unlock(struct watches *hub)
{
	pthread_mutex_unlock(&hub->lock);
}

void
watches_end_all(struct watches *hub, const struct table *t)
{
	pthread_mutex_lock(&hub->lock);
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct watcher *w = hub->bucket[i]; w; w = w->next)
			if ((!t || w->table == t) && !w->ended)
				watcher_end(w);
	pthread_mutex_unlock(&hub->lock);
}

void
watches_end_table(struct watches *hub, const struct table *t)
{
	watches_end_all(hub, t);
	views_end_table(hub, t);
}

/* --- a new watcher --- */

static void
closed(void *arg)
{
	struct watcher *w = arg;
	struct watches *hub = w->hub;

	pthread_mutex_lock(&hub->lock);
	if (w->link) {
		*w->link = w->next;
		if (w->next)
			w->next->link = w->link;
		hub->watchers--;
	}
	pthread_mutex_unlock(&hub->lock);
	filter_release(&w->filter);
	free(w);
	if (hub->main)
		view_unref(hub);
}

static void
link_watcher(struct watches *hub, struct watcher *w)
{
	size_t i = slot_of(w);

	w->next = hub->bucket[i];
	w->link = &hub->bucket[i];
	if (w->next)
		w->next->link = &w->next;
	hub->bucket[i] = w;
	hub->watchers++;
}

static size_t
stream_send(void *to, struct bytes *chunk)
{
	return http_stream_send(to, chunk);
}

static void
stream_end(void *to)
{
	http_stream_end(to);
}

static void
begin(struct watcher *w, struct http_exchange *x)
{
	static const struct sink stream = { stream_send, stream_end, true },
				 socket = { watch_socket_send, watch_socket_end, false };
	bool protobuf = w->shape.protobuf;

	if (watch_socket_asked(x) > 0) {
		w->sink = &socket;
		w->to = watch_socket_begin(x, protobuf, closed, w);
	} else {
		w->sink = &stream;
		w->to = http_stream_begin(x, 200,
		    protobuf ? PROTOBUF_TYPE ";stream=watch" : "application/json", closed, w);
	}
}

struct watcher *
watcher_new(struct watches *hub, struct watch_options *o)
{
	struct watcher *w = xcalloc(1, sizeof *w);
	double now = clock_monotonic();

	*w = (struct watcher){ .hub = hub,
		.table = o->table,
		.view = shape_table(&o->shape, o->table, o->view),
		.filter = o->filter,
		.seen = o->since,
		.told = o->since,
		.allowance = BACKLOG,
		.ends = now + o->seconds,
		.bookmark = now + BOOKMARK_SECONDS,
		.bookmarks = o->bookmarks,
		.shape = o->shape };
	return w;
}

void
watcher_link(struct watcher *w, struct http_exchange *x)
{
	link_watcher(w->hub, w);
	begin(w, x);
	if (w->filter.kind->custom && w->view->kind != w->filter.kind)
		watcher_end(w); /* the kind was replaced while it was on its way here */
}

void
watches_add(struct watches *hub, struct http_exchange *x, struct watch_options *o)
{
	struct watcher *w = watcher_new(hub, o);

	pthread_mutex_lock(&hub->lock);
	watcher_link(w, x);
	if (w->ended) {
		pthread_mutex_unlock(&hub->lock);
		return;
	}
	if (o->initial) {
		send_initial(w);
		if (o->initial_bookmark)
			send_bookmark(w, w->seen, true);
	}
	send_backlog(w);
	pthread_mutex_unlock(&hub->lock);
}
