/*
 * An informer: each feed lists its kind page by page, then watches it, and starts
 * again where it was when the connection breaks, or from a list when the server has
 * forgotten that version (410).
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/cache.h"
#include "client/http.h"
#include "client/watch.h"
#include "control/map.h"

enum { PAGE = 500, WATCH_SECONDS = 290, ABSENT_SECONDS = 30, MAX_CONNECTIONS = 256 };
#define FIRST_PAUSE 0.2
#define LONGEST_PAUSE 10.0

struct feed {
	struct cache *cache;
	const struct kind *kind;
	char group_kind[128];
	char *ns, *selector, *fields;
	struct feed *next;

	CURL *easy;
	struct curl_slist *headers;
	char said[CURL_ERROR_SIZE];
	bool watching; /* the transfer is a watch, else a list */
	bool running;
	double due;	 /* when to start, unless running */
	struct buf body; /* a list's page, or the text of a refusal */
	struct events events;
	int result; /* of events_feed */
	struct err err;

	char *version, *more;
	bool listed;
	unsigned failures;
	struct map
	    seen; /* "ns/name" -> the listing that last showed it: what vanishes from a re-list */
	uintptr_t listing;
};

struct cache {
	struct client *client;
	CURLM *multi;
	struct world *world;
	struct feed *feeds;
	void (*changed)(void *arg, const char *type, const json_t *obj, const json_t *old);
	void *arg;
	bool news;    /* something changed during this wait */
	bool listing; /* in a callback: of a first listing */
	bool down;    /* said already that the server is away */
	struct err fatal;
};

/* --- into the world ------------------------------------------------------------- */

static void
tell(struct feed *f, const char *type, const json_t *obj, const json_t *old)
{
	struct cache *c = f->cache;

	c->news = true;
	c->listing = !f->listed;
	if (c->changed)
		c->changed(c->arg, type, obj, old);
	c->listing = false;
}

static const json_t *
in_world(const struct feed *f, const json_t *obj)
{
	return world_get(f->cache->world, f->group_kind, meta_namespace(obj), meta_name(obj));
}

static void
put_object(struct feed *f, json_t *obj)
{
	autofree char *key = xasprintf("%s/%s", meta_namespace(obj), meta_name(obj));
	json_t *old = (json_t *)in_world(f, obj);
	bool same = old && strcmp(meta_version(old), meta_version(obj)) == 0 &&
		    strcmp(meta_uid(old), meta_uid(obj)) == 0;

	map_at(&f->seen, key, strlen(key))->value = (void *)f->listing;
	if (same)
		return;
	json_incref(old); /* NULL is fine */
	world_put(f->cache->world, json_incref(obj));
	tell(f, old ? "MODIFIED" : "ADDED", obj, old);
	json_decref(old);
}

static void
remove_object(struct feed *f, const json_t *obj)
{
	autofree char *key = xasprintf("%s/%s", meta_namespace(obj), meta_name(obj));
	json_t *old = (json_t *)in_world(f, obj);

	map_take(&f->seen, key, strlen(key));
	if (!old)
		return;
	json_incref(old);
	world_remove(f->cache->world, f->group_kind, meta_namespace(obj), meta_name(obj));
	tell(f, "DELETED", obj, old);
	json_decref(old);
}

/* What the world has of this feed and the list just read has not is gone. */
static void
sweep(struct feed *f)
{
	char **gone = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < f->seen.cap; i++)
		if (f->seen.slot[i].key && (uintptr_t)f->seen.slot[i].value != f->listing) {
			GROW(gone, n, cap);
			gone[n++] = xstrdup(f->seen.slot[i].key);
		}
	for (size_t i = 0; i < n; i++) {
		char *slash = strchr(gone[i], '/');
		json_t *obj;

		*slash = '\0';
		obj = (json_t *)world_get(f->cache->world, f->group_kind, gone[i], slash + 1);
		if (obj) {
			json_incref(obj);
			remove_object(f, obj);
			json_decref(obj);
		}
		free(gone[i]);
	}
	free(gone);
}

static int
on_event(void *arg, const char *type, json_t *obj, struct err *err)
{
	struct feed *f = arg;

	(void)err;
	stamp_kind(obj, f->kind);
	if (strcmp(type, "ADDED") == 0 || strcmp(type, "MODIFIED") == 0)
		put_object(f, obj);
	else if (strcmp(type, "DELETED") == 0)
		remove_object(f, obj);
	return 0;
}

/* --- transfers -------------------------------------------------------------------- */

static size_t
arrived(char *data, size_t size, size_t n, void *arg)
{
	struct feed *f = arg;
	long http = 0;

	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &http);
	if (!f->watching || http != 200) {
		buf_add(&f->body, data, size * n);
		return size * n;
	}
	f->result = events_feed(&f->events, data, size * n, &f->err);
	if (f->events.version && (!f->version || strcmp(f->version, f->events.version) != 0)) {
		free(f->version);
		f->version = xstrdup(f->events.version);
	}
	f->failures = 0;
	return f->result == 0 ? size * n : 0;
}

static char *
feed_path(struct feed *f)
{
	autofree char *base = client_path(f->kind, f->ns, NULL, NULL);
	struct list_options o = { .selector = f->selector, .fields = f->fields };
	struct buf path = BUF_INIT;
	char number[32];

	buf_puts(&path, base);
	if (f->watching) {
		/* not all at the same moment, after a restart of the server */
		snprintf(number, sizeof number, "%ld", WATCH_SECONDS + random() % WATCH_SECONDS);
		query_add(&path, "watch", "true");
		query_add(&path, "allowWatchBookmarks", "true");
		query_add(&path, "timeoutSeconds", number);
		query_add(&path, "resourceVersion", f->version);
	} else {
		snprintf(number, sizeof number, "%d", PAGE);
		query_add(&path, "limit", number);
		if (f->more)
			query_add(&path, "continue", f->more);
	}
	query_select(&path, &o);
	return buf_detach(&path);
}

static void
start(struct feed *f)
{
	autofree char *path = NULL;

	f->watching = f->version != NULL;
	if (!f->watching && !f->more)
		f->listing++;
	path = feed_path(f);
	buf_clear(&f->body);
	events_release(&f->events);
	events_init(&f->events, on_event, f);
	f->result = 0;
	f->said[0] = '\0';
	http_prepare(f->cache->client, f->easy, path, &f->headers);
	f->headers = curl_slist_append(f->headers, "Accept: application/json");
	curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->headers);
	curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, arrived);
	curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(f->easy, CURLOPT_ERRORBUFFER, f->said);
	curl_easy_setopt(f->easy, CURLOPT_PRIVATE, f);
	curl_easy_setopt(f->easy, CURLOPT_TIMEOUT, f->watching ? WATCH_SECONDS * 2L + 30 : 300L);
	curl_multi_add_handle(f->cache->multi, f->easy);
	f->running = true;
}

/* Exponential, with jitter so that many clients do not come back as one. */
static double
pause_of(struct feed *f)
{
	double pause = FIRST_PAUSE;

	for (unsigned i = 0; i < f->failures && pause < LONGEST_PAUSE; i++)
		pause *= 2;
	f->failures++;
	pause = pause > LONGEST_PAUSE ? LONGEST_PAUSE : pause;
	return pause * (0.5 + (double)random() / (double)RAND_MAX / 2);
}

static void
relist(struct feed *f)
{
	free(f->version);
	free(f->more);
	f->version = f->more = NULL;
}

static void
went_wrong(struct feed *f, const struct err *err)
{
	struct cache *c = f->cache;
	enum err_code code = err->code;

	f->due = clock_monotonic() + pause_of(f);
	if (code == ERR_EXPIRED || code == ERR_GONE) {
		relist(f);
		f->due = f->failures > 1 ? f->due : 0;
	} else if (code == ERR_NOT_FOUND || code == ERR_METHOD) {
		/* a kind this server does not have (yet): as good as empty, but not known */
		relist(f);
		f->due = clock_monotonic() + ABSENT_SECONDS;
		f->listed = c->news = true;
	} else if ((code == ERR_FORBIDDEN || code == ERR_UNAUTHORIZED) && !f->listed) {
		c->fatal = *err;
	} else if (code == ERR_UNAVAILABLE || code == ERR_TIMEOUT) {
		if (!c->down && strstr(err->msg, client_server(c->client)))
			log_line("%s; trying again", err->msg);
		else if (!c->down)
			log_line("server '%s' says: %s; trying again", client_server(c->client),
			    err->msg);
		c->down = true;
	} else if (f->failures == 1) {
		log_line("cannot watch %s: %s; trying again", f->kind->plural, err->msg);
	}
}

static int
take_page(struct feed *f, struct err *err)
{
	json_auto_t *page = NULL;
	json_t *obj;
	size_t i;
	int r;

	if ((r = http_parse(f->body.data, f->body.len, &page, err)) < 0)
		return r;
	json_array_foreach (get(page, "items"), i, obj) {
		stamp_kind(obj, f->kind);
		put_object(f, obj);
	}
	free(f->more);
	f->more = *text(page, "metadata", "continue") ? xstrdup(text(page, "metadata", "continue"))
						      : NULL;
	if (f->more)
		return 0;
	f->version = xstrdup(meta_version(page));
	sweep(f);
	/* a selector or one namespace shows a part of the kind only */
	if (!f->ns && !f->selector && !f->fields)
		world_set_known(f->cache->world, f->group_kind);
	f->listed = f->cache->news = true;
	return 0;
}

static void
finished(struct feed *f, CURLcode code)
{
	struct err err;
	long http = 0;
	int r = 0;

	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &http);
	curl_multi_remove_handle(f->cache->multi, f->easy);
	curl_slist_free_all(f->headers);
	f->headers = NULL;
	f->running = false;
	if (f->result < 0)
		err = f->err, r = f->result;
	else if (code != CURLE_OK && !(f->watching && http == 200))
		r = http_trouble(f->cache->client, f->easy, code, f->said, &err);
	else if (http >= 400)
		r = client_refusal((int)http, f->body.data, f->body.len, &err);
	else if (!f->watching)
		r = take_page(f, &err);
	if (r < 0) {
		went_wrong(f, &err);
		/* a server that was put back to an older state does not know our version, ever */
		if (f->watching && http >= 400 && f->failures > 2)
			relist(f);
	} else {
		f->due = 0;
		/* a watch that ends without a single byte must not become a busy loop */
		if (f->watching && !f->events.version)
			f->due = clock_monotonic() + pause_of(f);
		else
			f->failures = 0;
		if (f->cache->down)
			log_line("server '%s' answers again", client_server(f->cache->client));
		f->cache->down = false;
	}
	buf_release(&f->body);
}

/* --- the interface ------------------------------------------------------------------ */

int
cache_open(struct cache **ret, const struct client *c, struct err *err)
{
	struct cache *cache = xcalloc(1, sizeof *cache);
	int r;

	if ((r = client_clone(&cache->client, c, err)) < 0) {
		free(cache);
		return r;
	}
	srandom((unsigned)clock_now_us());
	cache->multi = curl_multi_init();
	curl_multi_setopt(cache->multi, CURLMOPT_MAXCONNECTS, (long)MAX_CONNECTIONS);
	cache->world = world_new();
	*ret = cache;
	return 0;
}

static void
feed_free(struct feed *f)
{
	if (f->running)
		curl_multi_remove_handle(f->cache->multi, f->easy);
	curl_easy_cleanup(f->easy);
	curl_slist_free_all(f->headers);
	buf_release(&f->body);
	events_release(&f->events);
	map_release(&f->seen, NULL);
	free(f->ns);
	free(f->selector);
	free(f->fields);
	free(f->version);
	free(f->more);
	free(f);
}

void
cache_close(struct cache *cache)
{
	if (!cache)
		return;
	for (struct feed *f = cache->feeds, *next; f; f = next) {
		next = f->next;
		feed_free(f);
	}
	curl_multi_cleanup(cache->multi);
	client_close(cache->client);
	world_free(cache->world);
	free(cache);
}

static char *
copy(const char *s)
{
	return s && *s ? xstrdup(s) : NULL;
}

int
cache_add(struct cache *cache, const struct kind *k, const char *ns, const struct list_options *o,
    struct err *err)
{
	struct feed *f = xcalloc(1, sizeof *f), **end = &cache->feeds;

	*f = (struct feed){ .cache = cache, .kind = k, .easy = curl_easy_init() };
	if (!f->easy) {
		free(f);
		return err_set(err, ERR_INTERNAL, "cannot start libcurl");
	}
	kind_group_kind(k, f->group_kind);
	f->ns = k->namespaced ? copy(ns) : NULL;
	f->selector = copy(o ? o->selector : NULL);
	f->fields = copy(o ? o->fields : NULL);
	while (*end)
		end = &(*end)->next;
	*end = f;
	return 0;
}

void
cache_on_change(struct cache *cache,
    void (*changed)(void *arg, const char *type, const json_t *obj, const json_t *old), void *arg)
{
	cache->changed = changed;
	cache->arg = arg;
}

/* Start what is due; the seconds until the next start, at most `seconds` (-1: no limit). */
static double
start_due(struct cache *cache, double seconds)
{
	double now = clock_monotonic();

	for (struct feed *f = cache->feeds; f; f = f->next) {
		if (!f->running && f->due <= now)
			start(f);
		else if (!f->running && (seconds < 0 || f->due - now < seconds))
			seconds = f->due - now;
	}
	return seconds;
}

static void
transfer(struct cache *cache)
{
	int running, left;
	CURLMsg *msg;

	curl_multi_perform(cache->multi, &running);
	while ((msg = curl_multi_info_read(cache->multi, &left))) {
		struct feed *f;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&f);
		finished(f, msg->data.result);
	}
}

int
cache_wait(struct cache *cache, double seconds, int fd, struct err *err)
{
	double end = clock_monotonic() + seconds;

	cache->news = false;
	for (;;) {
		struct curl_waitfd extra = { .fd = fd, .events = CURL_WAIT_POLLIN };
		double left = seconds < 0 ? -1 : end - clock_monotonic();
		double wait;

		start_due(cache, -1);
		transfer(cache);
		if (cache->fatal.code) {
			*err = cache->fatal;
			return -(int)err->code;
		}
		if (cache->news)
			return 1;
		if (seconds >= 0 && left <= 0)
			return 0;
		wait = start_due(cache, left);
		wait = wait < 0 || wait > 60 ? 60 : wait;
		/* rounded up, or the last millisecond would be spent spinning */
		curl_multi_poll(
		    cache->multi, fd >= 0 ? &extra : NULL, fd >= 0, (int)(wait * 1000) + 1, NULL);
		if (fd >= 0 && extra.revents) {
			transfer(cache);
			return cache->news;
		}
	}
}

bool
cache_listing(const struct cache *cache)
{
	return cache->listing;
}

bool
cache_synced(const struct cache *cache)
{
	for (const struct feed *f = cache->feeds; f; f = f->next)
		if (!f->listed)
			return false;
	return true;
}

struct world *
cache_world(struct cache *cache)
{
	return cache->world;
}

static unsigned long long
version_number(const char *version)
{
	return strtoull(version, NULL, 10);
}

bool
cache_has_seen(const struct cache *cache, const json_t *written)
{
	unsigned long long version = version_number(meta_version(written));
	char group_kind[128];
	const json_t *have;

	meta_group_kind(written, group_kind);
	have = world_get(cache->world, group_kind, meta_namespace(written), meta_name(written));
	if (have)
		return strcmp(meta_uid(have), meta_uid(written)) != 0 ||
		       version_number(meta_version(have)) >= version;
	/* not there: it has gone by when some feed of the kind has come past that version */
	for (const struct feed *f = cache->feeds; f; f = f->next)
		if (strcmp(f->group_kind, group_kind) == 0)
			return f->version && version_number(f->version) >= version;
	return true; /* a kind that is not kept */
}
