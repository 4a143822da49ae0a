/*
 * /openapi/v3, which says what documents there are, the documents below it, and /openapi/v2.  All
 * are made when the first of them is asked for, and kept compressed: most servers are never asked.
 * Those of custom kinds are made again when these have changed.
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
#include "store/page.h"

struct document {
	char *name;	  /* "apis/apps/v1" */
	uint64_t made_of; /* see signature() */
	struct page page;
};

struct openapi_pages {
	pthread_mutex_t lock;	 /* of everything: custom kinds come and go */
	uint64_t generation;	 /* of the registry, when index was made */
	uint64_t generation2[2]; /* when v2 and v2_protobuf were */
	struct page index, v2, v2_protobuf;
	struct document *document;
	size_t n;
};

struct openapi_pages *
openapi_new(void)
{
	struct openapi_pages *p = xcalloc(1, sizeof *p);

	pthread_mutex_init(&p->lock, NULL);
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
	for (size_t i = 0; i < p->n; i++)
		document_release(&p->document[i]);
	free(p->document);
	page_release(&p->index);
	page_release(&p->v2);
	page_release(&p->v2_protobuf);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* --- making them, with the lock held --- */

/* Which custom kinds a document is made of: where it is still the same, so is the document. */
static uint64_t
signature(const char *name)
{
	size_t n;
	const struct kind *const *k = registry_custom(&n);
	uint64_t sum = 1;

	if (!text_starts(name, "apis/"))
		return sum;
	name += strlen("apis/");
	for (size_t i = 0; i < n; i++) {
		size_t group = strlen(k[i]->group);

		if (strncmp(name, k[i]->group, group) == 0 && name[group] == '/' &&
		    strcmp(name + group + 1, k[i]->version) == 0)
			sum = sum * 31 + k[i]->custom->since * 7 +
			      text_hash(k[i]->plural, strlen(k[i]->plural), sum);
	}
	return sum;
}

static void
make_document(struct document *d, const char *name)
{
	autobuf struct buf b = BUF_INIT;
	json_t *v = openapi_document(name);

	jsonl_add(&b, v);
	json_decref(v);
	page_make(&d->page, b.data, b.len);
}

/* The document of this name out of the old ones, if it is still true; else made anew. */
static void
take_document(struct document *d, const char *name, struct document *old, size_t n)
{
	d->made_of = signature(name);
	d->name = xstrdup(name);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(old[i].name, name) != 0 || old[i].made_of != d->made_of)
			continue;
		d->page = old[i].page;
		old[i].page = (struct page){ 0 };
		return;
	}
	make_document(d, name);
}

static void
make_index(struct openapi_pages *p)
{
	json_t *names = openapi_names(), *paths = json_object(), *name, *v;
	struct document *old = p->document;
	size_t i, nold = p->n;
	autobuf struct buf b = BUF_INIT;

	p->n = 0;
	p->document = xcalloc(json_array_size(names), sizeof *p->document);
	json_array_foreach (names, i, name) {
		struct document *d = &p->document[p->n++];

		take_document(d, json_string_value(name), old, nold);
		json_object_set_new(paths, d->name,
		    json_pack("{s:o}", "serverRelativeURL",
			json_sprintf("/openapi/v3/%s?hash=%s", d->name, d->page.hash)));
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

/* With the lock, which is the caller's to give back. */
static struct openapi_pages *
with_index(struct call *c)
{
	struct openapi_pages *p = c->server->openapi;
	uint64_t now;

	pthread_mutex_lock(&p->lock);
	now = registry_generation();
	if (!p->index.packed || p->generation != now) {
		make_index(p);
		p->generation = now;
	}
	return p;
}

static void
make_v2(struct openapi_pages *p, struct page *page, bool protobuf)
{
	autobuf struct buf b = BUF_INIT;
	uint64_t now = registry_generation();

	if (page->packed && p->generation2[protobuf] == now)
		return;
	page_release(page);
	*page = (struct page){ 0 };
	(protobuf ? openapi_v2_protobuf : openapi_v2_json)(&b);
	page_make(page, b.data, b.len);
	p->generation2[protobuf] = now;
	buf_release(&b);
	malloc_trim(0);
}

/* --- answering --- */

static void
index_run(struct call *c)
{
	struct openapi_pages *p = with_index(c);

	page_reply(c, &p->index, "text/plain; charset=utf-8", false);
	pthread_mutex_unlock(&p->lock);
}

/* An answer without a body. */
static void
bare(struct call *c, int status, const struct http_header *extra)
{
	metrics_count(c->server->metrics, c->verb, status, clock_monotonic() - c->began);
	http_reply(c->x, status, NULL, extra, NULL, 0);
	call_free(c);
}

/* A client with an old hash is sent to the document as it is now. */
static void
redirect(struct call *c, const struct document *d)
{
	autofree char *url = xasprintf("/openapi/v3/%s?hash=%s", d->name, d->page.hash);
	struct http_header extra[] = { { "Location", url },
		{ "Cache-Control", "no-cache, private" }, { NULL, NULL } };

	bare(c, 301, extra);
}

static void
document_run(struct call *c)
{
	const char *name = c->req->path + strlen("/openapi/v3/");
	autofree char *hash = http_query(c->x, "hash");
	struct openapi_pages *p = with_index(c);

	for (size_t i = 0; i < p->n; i++) {
		struct document *d = &p->document[i];

		if (strcmp(d->name, name) != 0)
			continue;
		if (hash && *hash && strcasecmp(hash, d->page.hash) != 0)
			redirect(c, d);
		else
			page_reply(c, &d->page, "application/json", hash && *hash);
		pthread_mutex_unlock(&p->lock);
		return;
	}
	pthread_mutex_unlock(&p->lock);
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
	pthread_mutex_lock(&p->lock);
	make_v2(p, form ? &p->v2_protobuf : &p->v2, form == 1);
	page_reply(c, form ? &p->v2_protobuf : &p->v2,
	    form ? "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
		 : "application/json",
	    false);
	pthread_mutex_unlock(&p->lock);
}

void
openapi_handle(struct call *c)
{
	const char *rest = c->req->path + strlen("/openapi/");

	if (text_starts(rest, "v2"))
		call_defer(c, v2_run);
	else
		call_defer(c, strlen(rest) > strlen("v3/") ? document_run : index_run);
}
