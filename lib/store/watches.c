/* Who watches what, and the thread that tells them. */
#include "store/watch.h"

#include <string.h>
#include <time.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	BUCKETS = 4096,
	EVENTS = 64,
	BACKLOG = 16 << 20, /* bytes that a watcher may be behind */
	BOOKMARK_SECONDS = 60,
};

struct watcher {
	struct watches *hub;
	struct http_stream *stream;
	struct table *table;
	struct filter filter;
	uint64_t seen; /* events up to this one were sent or do not concern it */
	size_t allowance;
	double ends, bookmark;
	bool bookmarks, ended;
	struct watcher *next, **link; /* in its bucket */
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
};

/* A watcher stands under the most telling thing it asks for: a node, a namespace, or just the kind.
 */
static size_t
slot(const struct table *t, char class, const char *text)
{
	uint64_t h = text_hash(text, strlen(text), TEXT_HASH_SEED ^ (uint64_t)(uintptr_t)t);

	return (h ^ (h >> 29) ^ (uint64_t) class * 0x9e3779b97f4a7c15u) % BUCKETS;
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

/* --- sending --- */

static void
end(struct watcher *w)
{
	if (w->ended)
		return;
	w->ended = true;
	http_stream_end(w->stream);
}

static void
send(struct watcher *w, struct bytes *chunk)
{
	if (http_stream_send(w->stream, chunk) > w->allowance) {
		w->hub->stats.slow++;
		end(w);
	}
}

static void
send_bookmark(struct watcher *w, uint64_t revision, bool end_of_initial)
{
	autobuf struct buf b = BUF_INIT;

	buf_printf(&b,
	    "{\"type\":\"BOOKMARK\",\"object\":%s\"metadata\":{\"resourceVersion\":\"%llu\"%s}}}\n",
	    w->table->open->data, (unsigned long long)revision,
	    end_of_initial ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");
	send(w, bytes_new(b.data, b.len));
}

static void
send_expired(struct watcher *w, uint64_t since, uint64_t now)
{
	autobuf struct buf b = BUF_INIT;

	buf_printf(&b,
	    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\","
	    "\"metadata\":{},"
	    "\"status\":\"Failure\",\"message\":\"too old resource version: %llu "
	    "(%llu)\",\"reason\":\"Expired\","
	    "\"code\":410}}\n",
	    (unsigned long long)since, (unsigned long long)now);
	send(w, bytes_new(b.data, b.len));
	end(w);
}

/* The chunk of an event: made once, sent to many. */
struct chunks {
	struct bytes *whole[3]; /* of the new state, by type */
	struct bytes *left;	/* DELETED for who does not select it any more: the old state */
};

static struct bytes *
whole_chunk(const struct event *e, enum event_type type)
{
	const struct bytes *head = e->table->verb[type], *body = e->object->body;
	struct bytes *b = bytes_alloc(head->len + body->len + 2);

	memcpy(b->data, head->data, head->len);
	memcpy(b->data + head->len, body->data, body->len);
	memcpy(b->data + head->len + body->len, "}\n", 2);
	return b;
}

/* The old object with the resourceVersion of the event, as Kubernetes gives it. */
static struct bytes *
left_chunk(const struct event *e)
{
	static const char key[] = "\"resourceVersion\":\"";
	autobuf struct buf b = BUF_INIT;
	const char *body = e->old->body->data, *at = strstr(body, key);
	size_t head = (size_t)(at - body) + strlen(key);

	buf_add(&b, e->table->verb[EVENT_DELETED]->data, e->table->verb[EVENT_DELETED]->len);
	buf_add(&b, body, head);
	buf_printf(&b, "%llu", (unsigned long long)e->revision);
	head += strcspn(body + head, "\"");
	buf_add(&b, body + head, e->old->body->len - head);
	buf_puts(&b, "}\n");
	return bytes_new(b.data, b.len);
}

static void
chunks_release(struct chunks *c)
{
	for (int i = 0; i < 3; i++)
		bytes_unref(c->whole[i]);
	bytes_unref(c->left);
}

static void
send_event(struct watcher *w, const struct event *e, struct chunks *c)
{
	bool is = e->type != EVENT_DELETED && filter_match(&w->filter, e->object);
	bool was = e->old && filter_match(&w->filter, e->old);

	w->seen = e->revision;
	if (was && !is && e->type != EVENT_DELETED) {
		if (!c->left)
			c->left = left_chunk(e);
		w->hub->stats.events++;
		send(w, bytes_ref(c->left));
		return;
	}
	if (!is && !was)
		return;

	enum event_type type = !is ? EVENT_DELETED : was ? EVENT_MODIFIED : EVENT_ADDED;
	if (!c->whole[type])
		c->whole[type] = whole_chunk(e, type);
	w->hub->stats.events++;
	send(w, bytes_ref(c->whole[type]));
}

/* --- the thread --- */

static void
tell_bucket(struct watches *hub, size_t i, const struct event *e, struct chunks *c)
{
	for (struct watcher *w = hub->bucket[i]; w; w = w->next)
		if (w->table == e->table && !w->ended && w->seen < e->revision)
			send_event(w, e, c);
}

static void
tell(struct watches *hub, const struct event *e)
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
	int n;

	pthread_mutex_lock(&hub->lock);
	if (hub->watchers == 0)
		hub->cursor = cache_revision(hub->cache);
	n = cache_events(hub->cache, hub->cursor, e, EVENTS);
	if (n < 0) { /* fell behind the history: nobody can be told what was missed */
		for (size_t i = 0; i < BUCKETS; i++)
			for (struct watcher *w = hub->bucket[i]; w; w = w->next)
				send_expired(w, hub->cursor, cache_revision(hub->cache));
		hub->cursor = cache_revision(hub->cache);
	}
	for (int i = 0; i < n; i++) {
		tell(hub, &e[i]);
		hub->cursor = e[i].revision;
		event_release(&e[i]);
	}
	pthread_mutex_unlock(&hub->lock);
	return n == EVENTS;
}

static void
keep_time(struct watches *hub)
{
	double now = clock_monotonic();

	pthread_mutex_lock(&hub->lock);
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct watcher *w = hub->bucket[i]; w; w = w->next) {
			if (w->ended)
				continue;
			if (now >= w->ends) {
				end(w);
			} else if (w->bookmarks && now >= w->bookmark) {
				w->bookmark = now + BOOKMARK_SECONDS;
				send_bookmark(
				    w, w->seen > hub->cursor ? w->seen : hub->cursor, false);
			}
		}
	}
	pthread_mutex_unlock(&hub->lock);
}

static void
wait_for_change(struct watches *hub, bool *stop)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
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
		wait_for_change(hub, &stop);
		while (tell_some(hub))
			;
		if (clock_monotonic() >= next_time) {
			keep_time(hub);
			next_time = clock_monotonic() + 0.25;
		}
	}
	return NULL;
}

void
watches_changed(void *watches)
{
	struct watches *hub = watches;

	/* With nobody to tell it can wait for the next tick.  Who comes just now is counted
	 * first and reads the history then, so either sees the other. */
	if (hub->watchers == 0)
		return;
	pthread_mutex_lock(&hub->wake_lock);
	hub->changed = true;
	pthread_cond_signal(&hub->wake);
	pthread_mutex_unlock(&hub->wake_lock);
}

int
watches_start(struct watches **ret, struct cache *cache, struct err *err)
{
	struct watches *hub = xcalloc(1, sizeof *hub);
	int r;

	hub->cache = cache;
	hub->cursor = cache_revision(cache);
	hub->tail = bytes_new("}\n", 2);
	pthread_mutex_init(&hub->lock, NULL);
	pthread_mutex_init(&hub->wake_lock, NULL);
	pthread_cond_init(&hub->wake, NULL);
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
	pthread_mutex_lock(&hub->lock);
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct watcher *w = hub->bucket[i]; w; w = w->next)
			end(w);
	pthread_mutex_unlock(&hub->lock);
}

void
watches_free(struct watches *hub)
{
	bytes_unref(hub->tail);
	pthread_mutex_destroy(&hub->lock);
	pthread_mutex_destroy(&hub->wake_lock);
	pthread_cond_destroy(&hub->wake);
	free(hub);
}

void
watches_stats(struct watches *hub, struct watch_stats *ret)
{
	pthread_mutex_lock(&hub->lock);
	*ret = hub->stats;
	ret->watchers = hub->watchers;
	pthread_mutex_unlock(&hub->lock);
}

/* --- a new watcher --- */

struct found {
	struct filter *filter;
	struct object **object;
	size_t n, cap;
};

static bool
collect(void *arg, struct object *o)
{
	struct found *f = arg;

	if (filter_match(f->filter, o)) {
		GROW(f->object, f->n, f->cap);
		f->object[f->n++] = object_ref(o);
	}
	return true;
}

/* Everything there is, as ADDED: shared pieces, nothing is copied. */
static void
send_initial(struct watcher *w)
{
	struct found f = { .filter = &w->filter };
	struct walk walk = { .table = w->table, .namespace = w->filter.namespace };
	struct err err;

	cache_walk(w->hub->cache, &walk, collect, &f, &w->seen, &err);
	for (size_t i = 0; i < f.n; i++) {
		w->allowance += w->table->verb[EVENT_ADDED]->len + f.object[i]->body->len + 2;
		http_stream_send(w->stream, bytes_ref(w->table->verb[EVENT_ADDED]));
		http_stream_send(w->stream, bytes_ref(f.object[i]->body));
		http_stream_send(w->stream, bytes_ref(w->hub->tail));
		object_unref(f.object[i]);
	}
	w->hub->stats.events += f.n;
	free(f.object);
}

/* What happened since the version it starts from. */
static void
send_backlog(struct watcher *w)
{
	struct event e[EVENTS];
	uint64_t since = w->seen;
	int n;

	while ((n = cache_events(w->hub->cache, since, e, EVENTS)) > 0) {
		for (int i = 0; i < n; i++) {
			struct chunks c = { 0 };

			if (e[i].table == w->table && !w->ended) {
				w->allowance += e[i].object->body->len;
				send_event(w, &e[i], &c);
			}
			since = e[i].revision;
			chunks_release(&c);
			event_release(&e[i]);
		}
	}
	if (n < 0)
		send_expired(w, w->seen, cache_revision(w->hub->cache));
	if (since > w->seen)
		w->seen = since;
}

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

void
watches_add(struct watches *hub, struct http_exchange *x, struct watch_options *o)
{
	struct watcher *w = xcalloc(1, sizeof *w);
	double now = clock_monotonic();

	*w = (struct watcher){ .hub = hub,
		.table = o->table,
		.filter = o->filter,
		.seen = o->since,
		.allowance = BACKLOG,
		.ends = now + o->seconds,
		.bookmark = now + BOOKMARK_SECONDS,
		.bookmarks = o->bookmarks };
	pthread_mutex_lock(&hub->lock);
	link_watcher(hub, w);
	w->stream = http_stream_begin(x, 200, "application/json", closed, w);
	if (o->initial) {
		send_initial(w);
		if (o->initial_bookmark)
			send_bookmark(w, w->seen, true);
	}
	send_backlog(w);
	pthread_mutex_unlock(&hub->lock);
}
