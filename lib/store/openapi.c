/*
 * /openapi/v3, which says what documents there are, the documents below it, and /openapi/v2.  All
 * are made when the first of them is asked for, and kept compressed: most servers are never asked.
 */
#include "api/openapi.h"

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
	char *name; /* "apis/apps/v1" */
	struct page page;
};

struct openapi_pages {
	pthread_mutex_t lock;
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

void
openapi_free(struct openapi_pages *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->document[i].name);
		page_release(&p->document[i].page);
	}
	free(p->document);
	page_release(&p->index);
	page_release(&p->v2);
	page_release(&p->v2_protobuf);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* --- making them, with the lock held --- */

static void
make_document(struct document *d, const char *name)
{
	autobuf struct buf b = BUF_INIT;
	json_t *v = openapi_document(name);

	d->name = xstrdup(name);
	jsonl_add(&b, v);
	json_decref(v);
	page_make(&d->page, b.data, b.len);
}

static void
make_index(struct openapi_pages *p)
{
	json_t *names = openapi_names(), *paths = json_object(), *name, *v;
	autobuf struct buf b = BUF_INIT;
	size_t i;

	p->document = xcalloc(json_array_size(names), sizeof *p->document);
	json_array_foreach (names, i, name) {
		struct document *d = &p->document[p->n++];

		make_document(d, json_string_value(name));
		json_object_set_new(paths, d->name,
		    json_pack("{s:o}", "serverRelativeURL",
			json_sprintf("/openapi/v3/%s?hash=%s", d->name, d->page.hash)));
	}
	v = json_pack("{s:o}", "paths", paths);
	jsonl_add(&b, v);
	json_decref(v);
	json_decref(names);
	page_make(&p->index, b.data, b.len);
	malloc_trim(0); /* the trees were much larger than what is kept */
}

/* The pages do not change any more: they may be read without the lock. */
static struct openapi_pages *
with_index(struct call *c)
{
	struct openapi_pages *p = c->server->openapi;

	pthread_mutex_lock(&p->lock);
	if (!p->index.packed)
		make_index(p);
	pthread_mutex_unlock(&p->lock);
	return p;
}

static void
make_v2(struct openapi_pages *p, struct page *page, void (*write)(struct buf *out))
{
	autobuf struct buf b = BUF_INIT;

	pthread_mutex_lock(&p->lock);
	if (!page->packed) {
		write(&b);
		page_make(page, b.data, b.len);
		buf_release(&b);
		malloc_trim(0);
	}
	pthread_mutex_unlock(&p->lock);
}

/* --- answering --- */

static void
index_run(struct call *c)
{
	page_reply(c, &with_index(c)->index, "text/plain; charset=utf-8", false);
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
	} else if (form == 1) {
		make_v2(p, &p->v2_protobuf, openapi_v2_protobuf);
		page_reply(c, &p->v2_protobuf,
		    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", false);
	} else {
		make_v2(p, &p->v2, openapi_v2_json);
		page_reply(c, &p->v2, "application/json", false);
	}
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
