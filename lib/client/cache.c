/* A world kept current by its feeds: all transfers in one thread. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "client/feed.h"

/* Connections that are kept without use, and lists that are read at the same time. */
enum { MAX_CONNECTIONS = 256, LISTS_AT_ONCE = 32 };

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

static void
append(struct cache *cache, struct feed *f)
{
	struct feed **end = &cache->feeds;

	while (*end)
		end = &(*end)->next;
	*end = f;
}

int
cache_add(struct cache *cache, const struct kind *k, const char *ns, const struct list_options *o,
    struct err *err)
{
	struct feed *f;
	int r;

	if ((r = feed_new(&f, cache, k, 0, err)) < 0)
		return r;
	f->ns = k->namespaced ? copy(ns) : NULL;
	f->selector = copy(o ? o->selector : NULL);
	f->fields = copy(o ? o->fields : NULL);
	append(cache, f);
	return 0;
}

int
cache_add_kind(struct cache *cache, const struct kind *k, unsigned how, struct err *err)
{
	struct feed *f;
	int r;

	if ((r = feed_new(&f, cache, k, how, err)) >= 0)
		append(cache, f);
	return r;
}

void
cache_keep(struct cache *cache, const struct kind *k, json_t *(*less)(const json_t *obj))
{
	for (struct feed *f = cache->feeds; f; f = f->next)
		if (f->kind == k)
			f->less = less;
}

void
cache_drop(struct cache *cache, const struct kind *k)
{
	for (struct feed **at = &cache->feeds, *f; (f = *at); at = &f->next) {
		if (f->kind != k)
			continue;
		feed_empty(f);
		*at = f->next;
		feed_free(f);
		return;
	}
}

void
cache_look_again(struct cache *cache)
{
	for (struct feed *f = cache->feeds; f; f = f->next)
		if (f->absent && !f->running)
			f->due = 0;
}

void
cache_on_change(struct cache *cache,
    void (*changed)(void *arg, const char *type, const json_t *obj, const json_t *old), void *arg)
{
	cache->changed = changed;
	cache->arg = arg;
}

static int
lists_running(const struct cache *cache)
{
	int n = 0;

	for (const struct feed *f = cache->feeds; f; f = f->next)
		n += f->running && !f->watching;
	return n;
}

/* Start what is due; the seconds until the next start, at most `seconds` (-1: no limit).  Lists
 * above their number wait until another is done. */
static double
start_due(struct cache *cache, double seconds)
{
	double now = clock_monotonic();
	int lists = lists_running(cache);

	for (struct feed *f = cache->feeds; f; f = f->next) {
		if (f->running)
			continue;
		if (f->due > now) {
			if (seconds < 0 || f->due - now < seconds)
				seconds = f->due - now;
		} else if (f->version || lists < LISTS_AT_ONCE) {
			lists += !f->version;
			feed_start(f);
		}
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
		feed_finished(f, msg->data.result);
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
		if (!feed_settled(f))
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
