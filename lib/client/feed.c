#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/feed.h"

enum {
	PAGE = 500,
	WATCH_SECONDS = 290,
	ABSENT_SECONDS = 30,
	POLL_SECONDS = 10,   /* between two lists of what cannot be watched */
	QUIET_BUFFER = 16384 /* for the reading of a watch that tells little */
};
enum { REFUSALS = 3, REFUSED_SECONDS = 10 };
#define FIRST_PAUSE 0.2
#define LONGEST_PAUSE 10.0

#define META(what) "Accept: application/json;as=" what ";g=meta.k8s.io;v=v1,application/json"

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

/* Of an object of a CACHE_META feed what tells who it is, who owns it and what holds it; new.  Its
 * apiVersion and kind are shared by all. */
static json_t *
slim(const struct feed *f, const json_t *obj)
{
	static const char *const kept[] = { "name", "namespace", "uid", "resourceVersion",
		"deletionTimestamp", "finalizers", "ownerReferences" };
	json_t *meta = json_object(), *out = json_object();

	for (size_t i = 0; i < COUNT(kept); i++) {
		json_t *v = get(obj, "metadata", kept[i]);

		if (v && !(json_is_array(v) && json_array_size(v) == 0))
			json_object_set(meta, kept[i], v);
	}
	json_object_set(out, "apiVersion", f->api_version);
	json_object_set(out, "kind", f->kind_name);
	json_object_set_new(out, "metadata", meta);
	return out;
}

/* An object as this feed keeps it; new. */
static json_t *
kept(const struct feed *f, json_t *obj)
{
	if (f->how & CACHE_META)
		return slim(f, obj);
	stamp_kind(obj, f->kind);
	return json_incref(obj);
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
	world_put(f->cache->world, f->less ? f->less(obj) : json_incref(obj));
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
	json_auto_t *own = kept(f, obj);

	(void)err;
	if (strcmp(type, "ADDED") == 0 || strcmp(type, "MODIFIED") == 0)
		put_object(f, own);
	else if (strcmp(type, "DELETED") == 0)
		remove_object(f, own);
	return 0;
}

void
feed_empty(struct feed *f)
{
	f->listing++;
	sweep(f);
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

static const char *
accept_of(const struct feed *f)
{
	if (!(f->how & CACHE_META))
		return "Accept: application/json";
	return f->watching ? META("PartialObjectMetadata") : META("PartialObjectMetadataList");
}

void
feed_start(struct feed *f)
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
	f->headers = curl_slist_append(f->headers, accept_of(f));
	if (f->how & CACHE_META && f->watching)
		curl_easy_setopt(f->easy, CURLOPT_BUFFERSIZE, (long)QUIET_BUFFER);
	/* rather one more stream of a connection; without HTTP/2 they would be made one by one */
	curl_easy_setopt(f->easy, CURLOPT_PIPEWAIT, f->cache->streams ? 1L : 0L);
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

static bool
no_such_kind(enum err_code code)
{
	return code == ERR_NOT_FOUND || code == ERR_METHOD;
}

/* The server as a whole is away, and not only what stands behind one kind. */
static bool
is_away(const struct feed *f, long http, enum err_code code)
{
	return (code == ERR_UNAVAILABLE || code == ERR_TIMEOUT) &&
	       (http == 0 || !(f->how & CACHE_OPTIONAL));
}

static void
say_away(struct cache *c, const struct err *err)
{
	if (!c->down && strstr(err->msg, client_server(c->client)))
		log_line("%s; trying again", err->msg);
	else if (!c->down)
		log_line("server '%s' says: %s; trying again", client_server(c->client), err->msg);
	c->down = true;
}

static void
went_wrong(struct feed *f, long http, const struct err *err)
{
	struct cache *c = f->cache;
	enum err_code code = err->code;
	bool barred = code == ERR_FORBIDDEN || code == ERR_UNAUTHORIZED;

	f->due = clock_monotonic() + pause_of(f);
	if (http >= 400 && f->refusals++ == 0)
		f->refused_since = clock_monotonic();
	if (code == ERR_EXPIRED || code == ERR_GONE) {
		relist(f);
		f->due = f->failures > 1 ? f->due : 0;
	} else if (no_such_kind(code)) {
		/* a kind this server does not have (yet): as good as empty, but not known */
		relist(f);
		f->due = clock_monotonic() + ABSENT_SECONDS;
		f->listed = c->news = f->absent = true;
	} else if (barred && !f->listed && !(f->how & CACHE_OPTIONAL)) {
		c->fatal = *err;
	} else if (is_away(f, http, code)) {
		say_away(c, err);
	} else if (f->failures == 1) {
		log_line("cannot watch %s: %s; trying again", f->kind->plural, err->msg);
	}
}

bool
feed_settled(const struct feed *f)
{
	return f->listed || (f->how & CACHE_OPTIONAL && f->refusals >= REFUSALS &&
				clock_monotonic() - f->refused_since >= REFUSED_SECONDS);
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
		json_auto_t *own = kept(f, obj);

		put_object(f, own);
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
	f->absent = false;
	return 0;
}

/* What cannot be watched is listed again after a while. */
static bool
is_polled(const struct feed *f)
{
	return (f->kind->verbs & (VERB_LIST | VERB_WATCH)) == VERB_LIST;
}

/* When the next transfer begins, after one that went well. */
static void
plan_next(struct feed *f)
{
	f->due = 0;
	f->refusals = 0;
	/* a watch that ends without a single byte must not become a busy loop */
	if (f->watching && !f->events.version)
		f->due = clock_monotonic() + pause_of(f);
	else
		f->failures = 0;
	if (!f->watching && !f->more && is_polled(f)) {
		relist(f);
		f->due = clock_monotonic() + POLL_SECONDS;
	}
}

void
feed_finished(struct feed *f, CURLcode code)
{
	struct err err;
	long http = 0, protocol = 0;
	int r = 0;

	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &http);
	if (curl_easy_getinfo(f->easy, CURLINFO_HTTP_VERSION, &protocol) == CURLE_OK)
		f->cache->streams = protocol >= CURL_HTTP_VERSION_2_0;
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
		went_wrong(f, http, &err);
		/* a server that was put back to an older state does not know our version, ever */
		if (f->watching && http >= 400 && f->failures > 2)
			relist(f);
	} else {
		plan_next(f);
		if (f->cache->down)
			log_line("server '%s' answers again", client_server(f->cache->client));
		f->cache->down = false;
	}
	buf_release(&f->body);
}

/* --- making one ---------------------------------------------------------------------- */

int
feed_new(struct feed **ret, struct cache *c, const struct kind *k, unsigned how, struct err *err)
{
	struct feed *f = xcalloc(1, sizeof *f);
	char version[128];

	*f = (struct feed){ .cache = c, .kind = k, .how = how, .easy = curl_easy_init() };
	if (!f->easy) {
		free(f);
		return err_set(err, ERR_INTERNAL, "cannot start libcurl");
	}
	kind_group_kind(k, f->group_kind);
	f->api_version = json_string(kind_api_version(k, version));
	f->kind_name = json_string(k->kind);
	*ret = f;
	return 0;
}

void
feed_free(struct feed *f)
{
	if (f->running)
		curl_multi_remove_handle(f->cache->multi, f->easy);
	curl_easy_cleanup(f->easy);
	curl_slist_free_all(f->headers);
	buf_release(&f->body);
	events_release(&f->events);
	map_release(&f->seen, NULL);
	json_decref(f->api_version);
	json_decref(f->kind_name);
	free(f->ns);
	free(f->selector);
	free(f->fields);
	free(f->version);
	free(f->more);
	free(f);
}
