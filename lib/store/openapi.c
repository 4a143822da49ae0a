/*
 * /openapi/v3, which says what documents there are, the documents below it, and /openapi/v2.
 * Nothing is made before somebody asks, and all is kept compressed: most servers are never asked.
 * The documents of what is built in are made together, those of custom kinds each when it is asked
 * for, and again when the kinds have changed: there may be thousands.
 *
 * One thread of its own does all this, one request after the other: it may take seconds, in which
 * writes want the workers.
 */
#include "api/openapi.h"
#include "api/custom.h"
#include "api/registry.h"

#include <malloc.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/aggregation.h"
#include "store/page.h"

struct document {
	char *name; /* "apis/apps/v1" */
	bool custom;
	char hash[65];	  /* what clients ask for it by */
	struct page page; /* of a custom one: made when it is asked for */
};

enum { CUSTOM_MOST = 4 << 20 }; /* bytes of custom documents that are kept, as compressed */

struct openapi_pages {
	pthread_mutex_t lock; /* of the four behind it; the rest is the thread's */
	pthread_cond_t wake;
	struct asked *first, **last; /* who waits for an answer */
	bool running, stop;
	pthread_t thread;
	uint64_t generation;	 /* of the registry, when index was made */
	uint64_t generation2[2]; /* when v2 and v2_protobuf were */
	struct page index, v2, v2_protobuf;
	struct document *document; /* in the order of their names */
	size_t n;
	size_t custom; /* bytes of custom documents */
};

/* A request and what answers it. */
struct asked {
	struct call *call;
	void (*run)(struct call *c);
	struct asked *next;
};

struct openapi_pages *
openapi_new(void)
{
	struct openapi_pages *p = xcalloc(1, sizeof *p);

	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	p->last = &p->first;
	return p;
}

static void
document_release(struct document *d)
{
	free(d->name);
	page_release(&d->page);
}

void
openapi_free(struct openapi_pages *p)
{
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
	if (p->running)
		pthread_join(p->thread, NULL);
	for (size_t i = 0; i < p->n; i++)
		document_release(&p->document[i]);
	free(p->document);
	page_release(&p->index);
	page_release(&p->v2);
	page_release(&p->v2_protobuf);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->wake);
	free(p);
}

/* --- making them --- */

/*
 * What a document is made of, if that is custom kinds: while that is the same, so is the document.
 * Its hash tells this, not what it says, so that it need not be made to be told apart.
 */
static bool
sign(struct document *d)
{
	const char *version, *name = d->name + strlen("apis/");
	size_t n, group;
	const struct kind *const *k = registry_custom(&n);
	autobuf struct buf b = BUF_INIT;
	bool custom = false;

	if (!text_starts(d->name, "apis/") || !(version = strchr(name, '/')))
		return false;
	group = (size_t)(version++ - name);
	buf_printf(&b, "%s\n", name);
	for (size_t i = registry_place(name, group, version); i < n; i++) {
		if (strncmp(k[i]->group, name, group) != 0 || k[i]->group[group] != '\0' ||
		    strcmp(k[i]->version, version) != 0)
			break;
		buf_printf(&b, "%s %llu\n", k[i]->plural, (unsigned long long)k[i]->custom->since);
		custom = true;
	}
	page_sum(b.data, b.len, d->hash);
	return custom;
}

static void
make_document(struct document *d)
{
	autobuf struct buf b = BUF_INIT;
	json_t *v = openapi_document(d->name);

	jsonl_add(&b, v);
	json_decref(v);
	page_make(&d->page, b.data, b.len);
	if (d->custom)
		memcpy(d->page.hash, d->hash, sizeof d->hash);
	else
		memcpy(d->hash, d->page.hash, sizeof d->hash);
}

/* One that was not made yet.  When all together are too large, the others have to be made again. */
static void
make_custom(struct openapi_pages *p, struct document *d)
{
	make_document(d);
	p->custom += d->page.packed->len;
	for (size_t i = 0; i < p->n && p->custom > CUSTOM_MOST; i++) {
		struct document *other = &p->document[i];

		if (!other->custom || !other->page.packed || other == d)
			continue;
		p->custom -= other->page.packed->len;
		page_release(&other->page);
	}
}

/* The document of this name out of the old ones, if it is still true. */
static void
take_document(struct openapi_pages *p, struct document *d, struct document *old)
{
	d->custom = sign(d);
	if (old && old->custom == d->custom && (!d->custom || strcmp(old->hash, d->hash) == 0)) {
		*d = (struct document){ d->name, d->custom, { 0 }, old->page };
		memcpy(d->hash, old->hash, sizeof d->hash);
		old->page = (struct page){ 0 };
	}
	if (!d->custom && !d->page.packed)
		make_document(d);
	if (d->custom && d->page.packed)
		p->custom += d->page.packed->len;
}

static void
make_index(struct openapi_pages *p)
{
	json_t *names = openapi_names(), *paths = json_object(), *name, *v;
	struct document *old = p->document;
	size_t i, at = 0, nold = p->n;
	autobuf struct buf b = BUF_INIT;

	p->n = p->custom = 0;
	p->document = xcalloc(json_array_size(names), sizeof *p->document);
	json_array_foreach (names, i, name) {
		struct document *d = &p->document[p->n++];

		d->name = xstrdup(json_string_value(name));
		while (at < nold && strcmp(old[at].name, d->name) < 0)
			at++;
		take_document(
		    p, d, at < nold && strcmp(old[at].name, d->name) == 0 ? &old[at] : NULL);
		json_object_set_new(paths, d->name,
		    json_pack("{s:o}", "serverRelativeURL",
			json_sprintf("/openapi/v3/%s?hash=%s", d->name, d->hash)));
	}
	for (i = 0; i < nold; i++)
		document_release(&old[i]);
	free(old);
	v = json_pack("{s:o}", "paths", paths);
	jsonl_add(&b, v);
	json_decref(v);
	json_decref(names);
	page_release(&p->index);
	page_make(&p->index, b.data, b.len);
	if (nold == 0)
		malloc_trim(0); /* the trees were much larger than what is kept */
}

static struct openapi_pages *
with_index(struct call *c)
{
	struct openapi_pages *p = c->server->openapi;
	uint64_t now = registry_generation();

	if (!p->index.packed || p->generation != now) {
		make_index(p);
		p->generation = now;
	}
	return p;
}

static void
make_v2(struct openapi_pages *p, struct page *page, bool protobuf)
{
	uint64_t now = registry_generation();
	struct openapi_sink sink = { page_add, NULL };

	if (page->packed && p->generation2[protobuf] == now)
		return;
	page_release(page);
	sink.arg = page_begin();
	(protobuf ? openapi_v2_protobuf : openapi_v2_json)(&sink);
	page_end(sink.arg, page);
	p->generation2[protobuf] = now;
	malloc_trim(0);
}

/* --- answering --- */

/* A document of another server: in place of ours, if there is one of that name. */
static void
add_theirs(void *arg, struct api_service *api, const struct api_seen *seen)
{
	json_t *paths = arg;
	char key[600];

	if (!seen->openapi)
		return;
	snprintf(key, sizeof key, "apis/%.250s/%.250s", api->group, api->version);
	json_object_set_new(paths, key, json_pack("{s:s}", "serverRelativeURL", seen->openapi));
}

/* The index when other servers are in it, too.  False: there are none. */
static bool
index_of_all(struct call *c, const struct openapi_pages *p)
{
	json_auto_t *theirs = json_object(), *paths = json_object(), *v = NULL;
	autobuf struct buf b = BUF_INIT;

	if (c->server->aggregation)
		aggregation_each(c->server->aggregation, add_theirs, theirs);
	if (json_object_size(theirs) == 0)
		return false;
	for (size_t i = 0; i < p->n; i++)
		json_object_set_new(paths, p->document[i].name,
		    json_pack("{s:o}", "serverRelativeURL",
			json_sprintf(
			    "/openapi/v3/%s?hash=%s", p->document[i].name, p->document[i].hash)));
	json_object_update(paths, theirs);
	v = json_pack("{s:O}", "paths", paths);
	jsonl_add(&b, v);
	page_answer(c, "text/plain; charset=utf-8", b.data, b.len);
	return true;
}

static void
index_run(struct call *c)
{
	struct openapi_pages *p = with_index(c);

	if (!index_of_all(c, p))
		page_reply(c, &p->index, "text/plain; charset=utf-8", false);
}

/* An answer without a body. */
static void
bare(struct call *c, int status, const struct http_header *extra)
{
	metrics_count(c, status);
	http_reply(c->x, status, NULL, extra, NULL, 0);
	call_free(c);
}

/* A client with an old hash is sent to the document as it is now. */
static void
redirect(struct call *c, const struct document *d)
{
	autofree char *url = xasprintf("/openapi/v3/%s?hash=%s", d->name, d->hash);
	struct http_header extra[] = { { "Location", url },
		{ "Cache-Control", "no-cache, private" }, { NULL, NULL } };

	bare(c, 301, extra);
}

/* Who else has this document, "apis/GROUP/VERSION": a new reference, or NULL. */
static struct api_service *
answered_by(struct call *c, const char *name)
{
	const char *group = name + strlen("apis/"), *slash;
	autofree char *bare = NULL;

	if (!text_starts(name, "apis/") || !(slash = strchr(group, '/')) || strchr(slash + 1, '/'))
		return NULL;
	bare = xstrndup(group, (size_t)(slash - group));
	return aggregation_find(c->server->aggregation, bare, slash + 1, true);
}

static void
document_run(struct call *c)
{
	const char *name = c->req->path + strlen("/openapi/v3/");
	autofree char *hash = http_query(c->x, "hash");
	struct api_service *api = answered_by(c, name);
	struct openapi_pages *p;

	if (api) {
		aggregation_pass(c, api);
		return;
	}
	p = with_index(c);
	for (size_t i = 0; i < p->n; i++) {
		struct document *d = &p->document[i];

		if (strcmp(d->name, name) != 0)
			continue;
		if (hash && *hash && strcasecmp(hash, d->hash) != 0) {
			redirect(c, d);
		} else {
			if (!d->page.packed)
				make_custom(p, d);
			page_reply(c, &d->page, "application/json", hash && *hash);
		}
		return;
	}
	bare(c, 404, NULL);
}

/* The first of the list that we can give; -1: none. */
static int
v2_form(const char *accept)
{
	static const struct {
		const char *type;
		int form;
	} types[] = { { "application/com.github.proto-openapi.spec.v2@v1.0+protobuf", 1 },
		{ "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", 1 },
		{ "application/json", 0 }, { "application/*", 0 }, { "*/*", 0 } };

	while (accept && *accept) {
		size_t n;

		accept += strspn(accept, " \t,");
		n = strcspn(accept, ";, \t");
		for (size_t i = 0; i < COUNT(types); i++)
			if (n == strlen(types[i].type) &&
			    strncasecmp(accept, types[i].type, n) == 0)
				return types[i].form;
		accept += strcspn(accept, ",");
	}
	return -1;
}

static void
v2_run(struct call *c)
{
	const char *accept = http_header(c->x, "Accept");
	struct openapi_pages *p = c->server->openapi;
	int form = accept && *accept ? v2_form(accept) : 0;

	if (form < 0) {
		bare(c, 406, NULL);
		return;
	}
	make_v2(p, form ? &p->v2_protobuf : &p->v2, form == 1);
	page_reply(c, form ? &p->v2_protobuf : &p->v2,
	    form ? "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
		 : "application/json",
	    false);
}

/* --- the thread --- */

static void *
openapi_thread(void *arg)
{
	struct openapi_pages *p = arg;
	struct asked *a;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (!p->first && !p->stop)
			pthread_cond_wait(&p->wake, &p->lock);
		if (!(a = p->first))
			break;
		if (!(p->first = a->next))
			p->last = &p->first;
		pthread_mutex_unlock(&p->lock);
		a->run(a->call);
		free(a);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void
ask(struct call *c, void (*run)(struct call *c))
{
	struct openapi_pages *p = c->server->openapi;
	struct asked *a = xcalloc(1, sizeof *a);
	bool running;

	*a = (struct asked){ c, run, NULL };
	pthread_mutex_lock(&p->lock);
	if (!p->running && pthread_create(&p->thread, NULL, openapi_thread, p) == 0)
		p->running = true;
	if (p->running) {
		*p->last = a;
		p->last = &a->next;
		pthread_cond_signal(&p->wake);
	}
	running = p->running;
	pthread_mutex_unlock(&p->lock);
	if (!running) {
		free(a);
		reply_status(c, 503, "ServiceUnavailable", "there is no thread to spare", NULL);
	}
}

static void
ask_index(struct call *c)
{
	ask(c, index_run);
}

static void
ask_document(struct call *c)
{
	ask(c, document_run);
}

static void
ask_v2(struct call *c)
{
	ask(c, v2_run);
}

void
openapi_handle(struct call *c)
{
	const char *rest = c->req->path + strlen("/openapi/");

	if (text_starts(rest, "v2"))
		call_defer(c, ask_v2);
	else
		call_defer(c, strlen(rest) > strlen("v3/") ? ask_document : ask_index);
}
