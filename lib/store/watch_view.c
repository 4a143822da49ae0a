/*
 * Who watches a kind that a webhook shows.  Each version has its own thread, which asks for what is
 * new first and tells it then, so that only those who want this version wait.
 */
#include <string.h>

#include "api/custom.h"
#include "api/registry.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/conversion.h"
#include "store/watch_impl.h"

enum { IDLE = 30 }; /* seconds without a watcher */

void
view_unref(struct watches *hub)
{
	if (--hub->refs > 0)
		return;
	conversion_unref(hub->conversion);
	watches_destroy(hub);
}

void
views_wake(struct watches *main)
{
	pthread_mutex_lock(&main->wake_lock);
	for (struct watches *v = main->views; v; v = v->next)
		watcher_wake(v);
	pthread_mutex_unlock(&main->wake_lock);
}

void
views_stats(struct watches *main, struct watch_stats *add)
{
	pthread_mutex_lock(&main->wake_lock);
	for (struct watches *v = main->views; v; v = v->next) {
		add->watchers += v->watchers;
		add->events += v->stats.events;
		add->slow += v->stats.slow;
	}
	pthread_mutex_unlock(&main->wake_lock);
}

/* Take one out of the list; the list's reference is the caller's then. */
static void
take_out(struct watches *main, struct watches *hub)
{
	struct watches **p = &main->views;

	while (*p != hub)
		p = &(*p)->next;
	*p = hub->next;
	main->nviews--;
	hub->over = true;
}

void
views_end_table(struct watches *main, const struct table *t)
{
	struct watches *ended = NULL;

	pthread_mutex_lock(&main->wake_lock);
	for (struct watches *v = main->views, *next; v; v = next) {
		next = v->next;
		if (t && v->table != t)
			continue;
		take_out(main, v);
		v->next = ended;
		ended = v;
	}
	pthread_mutex_unlock(&main->wake_lock);
	for (struct watches *v = ended, *next; v; v = next) {
		next = v->next;
		watches_end_all(v, NULL);
		view_unref(v);
	}
}

/* --- events as they are shown --------------------------------------------------------------- */

static void
put_shown(struct object **at, struct object *shown)
{
	object_unref(*at);
	*at = shown;
}

/* These events' objects, and with `old` those before, as k shows them; one question for all. */
static int
show_batch(struct watches *hub, struct event *e, size_t n, bool old, struct err *err)
{
	struct object **at[2 * EVENTS], *in[2 * EVENTS] = { NULL }, *out[2 * EVENTS];
	size_t m = 0;
	int r;

	for (size_t i = 0; i < n; i++) {
		if (e[i].table != hub->table)
			continue;
		at[m++] = &e[i].object;
		if (old && e[i].old)
			at[m++] = &e[i].old;
	}
	for (size_t i = 0; i < m; i++)
		in[i] = *at[i];
	if ((r = conversion_show(hub->kind, in, m, out, err)) < 0)
		return r;
	for (size_t i = 0; i < m; i++)
		put_shown(at[i], out[i]);
	return 0;
}

/* The same for as many of the events as can be shown: *done of them. */
static int
show_events(struct watches *hub, struct event *e, size_t n, bool old, size_t *done, struct err *err)
{
	int r = show_batch(hub, e, n, old, err);

	if (r == 0) {
		*done = n;
		return 0;
	}
	/* one of them is to blame: what was before it can be told */
	for (*done = 0; *done < n; ++*done)
		if ((r = show_batch(hub, e + *done, 1, old, err)) < 0)
			return r;
	return 0;
}

/* --- the thread --------------------------------------------------------------------------------
 */

/* Does one of them want to know what an object was before?  With the lock held. */
static bool
wants_old(const struct watches *hub)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct watcher *w = hub->bucket[i]; w; w = w->next)
			if (filter_selects(&w->filter))
				return true;
	return false;
}

static void
fail_all(struct watches *hub, const struct err *err, uint64_t since)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct watcher *w = hub->bucket[i]; w; w = w->next)
			if (!w->ended && w->seen < since) {
				if (err)
					send_failed(w, err);
				else
					send_expired(w, hub->cursor);
			}
}

static void
tell_shown(struct watches *hub, struct event *e, size_t n, bool *old, struct err *err)
{
	size_t done;
	int r = show_events(hub, e, n, *old, &done, err);

	pthread_mutex_lock(&hub->lock);
	if (!*old && wants_old(hub)) { /* somebody has come meanwhile: once more */
		*old = true;
		pthread_mutex_unlock(&hub->lock);
		return;
	}
	for (size_t i = 0; i < done; i++) {
		watches_tell(hub, &e[i]);
		hub->cursor = e[i].revision;
	}
	if (r < 0) {
		hub->cursor = e[done].revision;
		fail_all(hub, err, hub->cursor);
	}
	pthread_mutex_unlock(&hub->lock);
}

/* Returns whether there may be more. */
static bool
tell_some(struct watches *hub)
{
	struct event e[EVENTS];
	unsigned epoch = registry_enter();
	struct err err;
	bool old;
	int n = 0;

	/* the kind is there as long as it is not over, and until we leave */
	if (hub->over) {
		registry_leave(epoch);
		return false;
	}
	pthread_mutex_lock(&hub->lock);
	if (hub->watchers == 0)
		hub->cursor = cache_revision(hub->cache);
	else
		n = cache_events(hub->cache, hub->cursor, e, EVENTS);
	if (n < 0) {
		fail_all(hub, NULL, UINT64_MAX);
		hub->cursor = cache_revision(hub->cache);
	}
	old = wants_old(hub);
	pthread_mutex_unlock(&hub->lock);
	if (n > 0)
		tell_shown(hub, e, (size_t)n, &old, &err);
	for (int i = 0; i < n; i++)
		event_release(&e[i]);
	registry_leave(epoch);
	return n > 0;
}

/* Nobody has watched for a while: it need not be there. */
static bool
retired(struct watches *hub, double *busy)
{
	double now = clock_monotonic();
	bool gone = false;

	if (hub->watchers > 0)
		*busy = now;
	if (now - *busy < IDLE)
		return false;
	pthread_mutex_lock(&hub->main->wake_lock);
	if (!hub->over && hub->refs == 2) { /* the list's and ours */
		take_out(hub->main, hub);
		gone = true;
	}
	pthread_mutex_unlock(&hub->main->wake_lock);
	if (gone)
		view_unref(hub);
	return gone;
}

static void
view_thread(void *arg)
{
	struct watches *hub = arg;
	double busy = clock_monotonic(), next_time = 0;
	bool stop = false;

	while (!stop && !hub->over && !conversion_stopping(hub->conversion)) {
		watches_wait(hub, &stop);
		while (tell_some(hub) && !conversion_stopping(hub->conversion))
			;
		if (clock_monotonic() >= next_time) {
			unsigned epoch = registry_enter();

			if (!hub->over)
				watches_keep_time(hub);
			registry_leave(epoch);
			next_time = clock_monotonic() + 0.25;
		}
		if (retired(hub, &busy))
			break;
	}
	watches_end_all(hub, NULL);
	view_unref(hub);
}

/* That of this version, made when it is first needed; a new reference, or NULL. */
static struct watches *
view_get(struct watches *main, struct table *t, const struct kind *k)
{
	struct watches *v;

	pthread_mutex_lock(&main->wake_lock);
	for (v = main->views; v && v->kind != k; v = v->next)
		;
	if (!v) {
		v = xcalloc(1, sizeof *v);
		watches_init(v, main->cache);
		v->main = main;
		v->table = t;
		v->kind = k;
		v->conversion = conversion_ref(k->custom->conversion);
		v->refs = 2;
		if (!conversion_thread(v->conversion, view_thread, v)) {
			v->refs = 1;
			view_unref(v);
			v = NULL;
		} else {
			v->next = main->views;
			main->views = v;
			main->nviews++;
		}
	}
	if (v)
		v->refs++;
	pthread_mutex_unlock(&main->wake_lock);
	return v;
}

/* --- a new watcher
 * --------------------------------------------------------------------------------- */

/* What it is told first: asked for before it is begun, as nothing may wait once it is. */
struct past {
	struct object **object; /* what there is */
	size_t n, cap;
	struct event *event; /* and what happened since */
	size_t nevents, events_cap;
	uint64_t listed, seen; /* the revisions that these are up to */
	bool expired;
	bool waits; /* the webhook may be asked here; else it is only noted that it would be */
	bool asks;
};

static bool
collect(void *arg, struct object *o)
{
	struct past *p = arg;

	GROW(p->object, p->n, p->cap);
	p->object[p->n++] = object_ref(o);
	return true;
}

static int
read_objects(struct watches *hub, const struct watch_options *o, struct past *p, struct err *err)
{
	struct walk walk = { .table = hub->table, .namespace = o->filter.namespace };
	struct object **shown;
	int r;

	cache_walk(hub->cache, &walk, collect, p, &p->seen, err);
	p->listed = p->seen;
	for (size_t i = 0; i < p->n && !p->waits && !p->asks; i++)
		p->asks = conversion_asks(p->object[i], hub->kind);
	if (p->asks)
		return 0;
	shown = xcalloc(p->n + 1, sizeof(struct object *));
	if ((r = conversion_show(hub->kind, p->object, p->n, shown, err)) == 0)
		for (size_t i = 0; i < p->n; i++)
			put_shown(&p->object[i], shown[i]);
	free(shown);
	for (size_t i = 0; r < 0 && i < p->n; i++)
		object_unref(p->object[i]);
	if (r < 0)
		p->n = 0;
	return r;
}

static bool
any_asks(const struct watches *hub, const struct event *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (e[i].table == hub->table &&
		    (conversion_asks(e[i].object, hub->kind) ||
			(e[i].old && conversion_asks(e[i].old, hub->kind))))
			return true;
	return false;
}

/* Everything up to now. */
static int
read_events(struct watches *hub, struct past *p, struct err *err)
{
	struct event e[EVENTS];
	int n, r = 0;

	while (r == 0 && !p->asks && (n = cache_events(hub->cache, p->seen, e, EVENTS)) != 0) {
		size_t done = 0;

		if (n < 0) {
			p->expired = true;
			return 0;
		}
		p->asks = !p->waits && any_asks(hub, e, (size_t)n);
		if (!p->asks)
			r = show_events(hub, e, (size_t)n, true, &done, err);
		for (size_t i = 0; i < (size_t)n; i++) {
			if (i < done)
				p->seen = e[i].revision;
			if (i >= done || e[i].table != hub->table) {
				event_release(&e[i]);
				continue;
			}
			GROW(p->event, p->nevents, p->events_cap);
			p->event[p->nevents++] = e[i];
		}
	}
	return r;
}

/* With the lock held, and w begun. */
static void
send_past(struct watcher *w, const struct watch_options *o, const struct past *p)
{
	if (o->initial)
		w->seen = w->told = p->listed;
	for (size_t i = 0; i < p->n && !w->ended; i++)
		if (filter_match(&w->filter, p->object[i])) {
			send_added(w, p->object[i]);
			w->hub->stats.events++;
		}
	if (o->initial && o->initial_bookmark && !w->ended)
		send_bookmark(w, w->seen, true);
	for (size_t i = 0; i < p->nevents && !w->ended; i++) {
		struct chunks c = { 0 };

		w->allowance += p->event[i].object->body->len;
		send_event(w, &p->event[i], &c);
		chunks_release(&c);
	}
}

static void
past_release(struct past *p)
{
	for (size_t i = 0; i < p->n; i++)
		object_unref(p->object[i]);
	for (size_t i = 0; i < p->nevents; i++)
		event_release(&p->event[i]);
	free(p->object);
	free(p->event);
}

/* Returns with the lock held, unless p->asks: what the others have been told by now is in p. */
static int
catch_up(struct watches *hub, const struct watch_options *o, struct past *p, struct err *err)
{
	int r = o->initial ? read_objects(hub, o, p, err) : 0;

	for (;;) {
		if (r == 0 && !p->expired && !p->asks)
			r = read_events(hub, p, err);
		if (p->asks)
			return r;
		pthread_mutex_lock(&hub->lock);
		if (r < 0 || p->expired || p->seen >= hub->cursor)
			return r;
		pthread_mutex_unlock(&hub->lock);
	}
}

int
watches_add_shown(
    struct watches *main, struct http_exchange *x, struct watch_options *o, bool waits, bool *asks)
{
	struct watches *hub = view_get(main, o->table, o->filter.kind);
	struct past p = { .seen = o->since, .waits = waits };
	uint64_t began;
	struct watcher *w;
	struct err err;
	int r;

	*asks = false;
	if (!hub)
		return -1;
	r = catch_up(hub, o, &p, &err);
	if (p.asks) {
		past_release(&p);
		view_unref(hub);
		*asks = true;
		return -1;
	}
	w = watcher_new(hub, o); /* has our reference */
	began = p.seen;
	watcher_link(w, x);
	if (hub->over && !w->ended)
		watcher_end(w);
	if (!w->ended) {
		send_past(w, o, &p);
		if (w->seen < began)
			w->seen = began;
		if (!w->ended && r < 0)
			send_failed(w, &err);
		else if (!w->ended && p.expired)
			send_expired(w, p.seen);
	}
	pthread_mutex_unlock(&hub->lock);
	past_release(&p);
	return 0;
}
