#include "metrics/listing.h"

#include "api/meta.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "client/calls.h"

#define AS ";v=v1;g=meta.k8s.io"

static int
take(void *arg, int status, const char *data, size_t len, struct err *err)
{
	(void)status;
	(void)err;
	buf_add(arg, data, len);
	return 0;
}

static int
ask(struct client *c, const char *path, const char *accept, json_t **ret, struct err *err)
{
	const char *headers[] = { accept, NULL };
	struct request rq = { .method = "GET", .path = path, .headers = headers };
	autobuf struct buf reply = BUF_INIT;
	int status, r;
	char msg[128];
	size_t used;

	if ((r = client_stream(c, &rq, &status, take, &reply, err)) < 0)
		return r;
	if (status >= 400)
		return client_refusal(status, reply.data ? reply.data : "", reply.len, err);
	if (!reply.data || json_decode(reply.data, reply.len, ret, &used, msg) != JSON_FINE)
		return err_set(err, ERR_INTERNAL, "'%s' is answered with what is no JSON", path);
	return 0;
}

static void
start_path(struct buf *path, const struct listing *l)
{
	buf_puts(path, "/api/v1");
	if (l->ns && *l->ns) {
		buf_puts(path, "/namespaces/");
		text_percent(path, l->ns);
	}
	buf_printf(path, "/%s", l->plural);
}

static int
get_one(struct client *c, const struct listing *l,
    int (*each)(void *arg, json_t *obj, struct err *err), void *arg, struct err *err)
{
	autobuf struct buf path = BUF_INIT;
	json_auto_t *obj = NULL;
	int r;

	start_path(&path, l);
	buf_putc(&path, '/');
	text_percent(&path, l->name);
	r = ask(c, path.data,
	    "Accept: application/json;as=PartialObjectMetadata" AS ",application/json", &obj, err);
	return r < 0 ? r : each(arg, obj, err);
}

int
listing_each(struct client *c, const struct listing *l,
    int (*each)(void *arg, json_t *obj, struct err *err), void *arg, struct err *err)
{
	autofree char *more = NULL;
	int r;

	if (l->name)
		return get_one(c, l, each, arg, err);
	do {
		autobuf struct buf path = BUF_INIT;
		json_auto_t *page = NULL;
		json_t *obj;
		size_t i;

		start_path(&path, l);
		call_query(&path, "limit", "250");
		if (l->selector && *l->selector)
			call_query(&path, "labelSelector", l->selector);
		if (l->fields && *l->fields)
			call_query(&path, "fieldSelector", l->fields);
		if (more)
			call_query(&path, "continue", more);
		if ((r = ask(c, path.data,
			 "Accept: application/json;as=PartialObjectMetadataList" AS
			 ",application/json",
			 &page, err)) < 0)
			return r;
		json_array_foreach (get(page, "items"), i, obj)
			if ((r = each(arg, obj, err)) != 0)
				return r;
		free(steal(more));
		more = xstrdup(text(page, "metadata", "continue"));
	} while (*more);
	return 0;
}
