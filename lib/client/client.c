#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "client/http.h"

static int
client_new(
    struct client **ret, struct endpoint *endpoint, int *clones, long timeout_ms, struct err *err)
{
	struct client *c;
	CURL *easy = curl_easy_init();

	if (!easy)
		return err_set(err, ERR_INTERNAL, "cannot start libcurl");
	c = xcalloc(1, sizeof *c);
	*c = (struct client){ .endpoint = endpoint, .clones = clones, .easy = easy };
	c->timeout_ms = timeout_ms;
	c->stop_fd = -1;
	__atomic_add_fetch(clones, 1, __ATOMIC_ACQ_REL);
	*ret = c;
	return 0;
}

bool
client_name_fits(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strpbrk(name, "/%");
}

int
client_open(struct client **ret, struct err *err)
{
	struct endpoint *e;
	int *clones, r;
	double timeout = 0;

	if (client_options.timeout &&
	    (!text_duration(client_options.timeout, &timeout) || timeout < 0))
		return err_set(err, ERR_BAD_REQUEST, "--request-timeout: '%s' is not a duration",
		    client_options.timeout);
	if (scope_options.namespace && !client_name_fits(scope_options.namespace))
		return err_set(err, ERR_BAD_REQUEST, "-n: '%s' cannot be the name of a namespace",
		    scope_options.namespace);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	e = xcalloc(1, sizeof *e);
	if ((r = endpoint_resolve(e, &client_options, err)) < 0) {
		free(e);
		return r;
	}
	clones = xcalloc(1, sizeof *clones);
	if ((r = client_new(ret, e, clones, (long)(timeout * 1000), err)) < 0) {
		endpoint_release(e);
		free(e);
		free(clones);
	}
	return r;
}

int
client_clone(struct client **ret, const struct client *c, struct err *err)
{
	return client_new(ret, c->endpoint, c->clones, c->timeout_ms, err);
}

void
client_close(struct client *c)
{
	if (!c)
		return;
	lanes_free(c->lanes);
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->connect_to);
	discovery_free(c);
	free(c->base);
	free(c->auth);
	if (__atomic_sub_fetch(c->clones, 1, __ATOMIC_ACQ_REL) == 0) {
		endpoint_release(c->endpoint);
		free(c->endpoint);
		free(c->clones);
	}
	free(c);
}

const char *
client_namespace(const struct client *c)
{
	return scope_options.namespace ? scope_options.namespace : c->endpoint->namespace;
}

const char *
client_ca(const struct client *c)
{
	return c->endpoint->ca.path;
}

const char *
client_server(const struct client *c)
{
	return c->endpoint->shown;
}

void
client_stop_on(struct client *c, int fd)
{
	c->stop_fd = fd;
}

/* A request whose answer is an object; refusals become errors. */
static int
call(struct client *c, const char *method, const char *path, const char *type, const json_t *body,
    json_t **ret, struct err *err)
{
	autobuf struct buf reply = BUF_INIT;
	autofree char *text_body = body ? json_dumps(body, JSON_COMPACT) : NULL;
	int status, r;

	r = client_request(c, method, path, body ? type : NULL, text_body,
	    text_body ? strlen(text_body) : 0, &status, &reply, err);
	if (r < 0)
		return r;
	if (status >= 400)
		return client_refusal(status, reply.data, reply.len, err);
	return ret ? http_parse(reply.data, reply.len, ret, err) : 0;
}

int
client_get(struct client *c, const struct kind *k, const char *ns, const char *name, json_t **ret,
    struct err *err)
{
	autofree char *path = client_path(k, ns, name, NULL);

	return call(c, "GET", path, NULL, NULL, ret, err);
}

void
stamp_kind(json_t *obj, const struct kind *k)
{
	char version[128];

	if (!json_object_get(obj, "kind"))
		json_object_set_new(obj, "kind", json_string(k->kind));
	if (!json_object_get(obj, "apiVersion"))
		json_object_set_new(obj, "apiVersion", json_string(kind_api_version(k, version)));
}

/* Hand the items of one page to `each`, in turn. */
static int
hand_out(json_t *page, const struct kind *k, int (*each)(void *, json_t *, struct err *), void *arg,
    struct err *err)
{
	json_t *items = get(page, "items"), *obj;
	size_t i;
	int r;

	json_array_foreach (items, i, obj) {
		stamp_kind(obj, k);
		if ((r = each(arg, json_incref(obj), err)) != 0)
			return r;
		/* let go of what was handed out: a page is large */
		json_array_set_new(items, i, json_null());
	}
	return 0;
}

int
client_list(struct client *c, const struct kind *k, const char *ns, const struct list_options *o,
    int (*each)(void *arg, json_t *obj, struct err *err), void *arg, char **version,
    struct err *err)
{
	autofree char *base = client_path(k, ns, NULL, NULL), *more = NULL;
	char limit[16];
	int r;

	snprintf(limit, sizeof limit, "%d", o && o->limit ? o->limit : 500);
	for (;;) {
		autobuf struct buf path = BUF_INIT;
		json_auto_t *page = NULL;
		const char *next;

		buf_puts(&path, base);
		query_add(&path, "limit", limit);
		query_select(&path, o);
		if (more)
			query_add(&path, "continue", more);
		if ((r = call(c, "GET", path.data, NULL, NULL, &page, err)) < 0 ||
		    (r = hand_out(page, k, each, arg, err)) != 0)
			return r;
		next = text(page, "metadata", "continue");
		if (!*next) {
			if (version)
				*version = xstrdup(meta_version(page));
			return 0;
		}
		free(more);
		more = xstrdup(next);
	}
}

/* A path with a ready-made query such as "dryRun=All"; NULL or "" for none. */
static char *
with_query(char *path, const char *query)
{
	char *s;

	if (!query || !*query)
		return path;
	s = xasprintf("%s?%s", path, query);
	free(path);
	return s;
}

/* The namespace an object goes to: its own, or the context's. */
static const char *
place_of(const struct client *c, const struct kind *k, const json_t *obj)
{
	const char *ns = meta_namespace(obj);

	return !k->namespaced ? "" : *ns ? ns : client_namespace(c);
}

int
client_create(struct client *c, const json_t *obj, const char *query, json_t **ret, struct err *err)
{
	const struct kind *k;
	autofree char *path = NULL;
	int r;

	if ((r = client_kind_of(c, obj, &k, err)) < 0)
		return r;
	path = with_query(client_path(k, place_of(c, k, obj), NULL, NULL), query);
	return call(c, "POST", path, "application/json", obj, ret, err);
}

int
client_update(struct client *c, const json_t *obj, const char *sub, const char *query, json_t **ret,
    struct err *err)
{
	const struct kind *k;
	autofree char *path = NULL;
	int r;

	if ((r = client_kind_of(c, obj, &k, err)) < 0)
		return r;
	if (!*meta_name(obj))
		return err_set(err, ERR_BAD_REQUEST, "metadata.name is missing");
	path = with_query(client_path(k, place_of(c, k, obj), meta_name(obj), sub), query);
	return call(c, "PUT", path, "application/json", obj, ret, err);
}

int
client_patch(struct client *c, const struct kind *k, const char *ns, const char *name,
    const char *sub, const char *content_type, const json_t *patch, const char *query, json_t **ret,
    struct err *err)
{
	autofree char *path = with_query(client_path(k, ns, name, sub), query);

	return call(c, "PATCH", path, content_type, patch, ret, err);
}

int
client_delete(struct client *c, const struct kind *k, const char *ns, const char *name,
    const json_t *options, json_t **ret, struct err *err)
{
	autofree char *path = client_path(k, ns, name, NULL);

	return call(c, "DELETE", path, "application/json", options, ret, err);
}

int
client_post(struct client *c, const char *path, const json_t *body, json_t **ret, struct err *err)
{
	return call(c, "POST", path, "application/json", body, ret, err);
}

int
client_fetch(struct client *c, const char *path, json_t **ret, struct err *err)
{
	return call(c, "GET", path, NULL, NULL, ret, err);
}
