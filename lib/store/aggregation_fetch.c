/*
 * What another server serves: its discovery, and where its OpenAPI document is.
 *
 * Whatever it says goes into our own documents, so only what is of the right type is taken out of
 * it, and no more than FETCH_MOST is read.
 */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/outcall.h"
#include "store/aggregation_private.h"
#include "store/front_proxy.h"
#include "store/service_way.h"

enum { FETCH_MS = 5000, FETCH_MOST = 8 << 20, PEM_MOST = 1 << 20 };

/* The store is an administrator there, as kube-apiserver is. */
static int
identify(const struct aggregation *a, struct buf *crt, struct buf *key, struct err *err)
{
	const struct front_proxy *f = a->server->front;
	int r = buf_read_file(crt, f->crt, PEM_MOST, err);

	return r < 0 ? r : buf_read_file(key, f->key, PEM_MOST, err);
}

int
aggregation_ask(struct aggregation *a, const struct api_service *api, const struct asking *q,
    int *status, struct buf *reply, struct err *err)
{
	static const char *const who[] = { "X-Remote-User: system:kube-aggregator",
		"X-Remote-Group: system:masters", NULL };
	autofree char *host = NULL, *address = NULL, *url = NULL;
	autobuf struct buf crt = BUF_INIT, key = BUF_INIT;
	struct outcall o = { .method = "GET",
		.accept = q->accept,
		.headers = who,
		.timeout_ms = q->timeout_ms,
		.most = FETCH_MOST,
		.stop = &a->stop };
	int r;

	if ((r = service_way(
		 a->server, api->namespace, api->service, api->port, &host, &address, err)) < 0 ||
	    (r = identify(a, &crt, &key, err)) < 0)
		return r;
	o.insecure = q->insecure || api->insecure;
	o.ca = o.insecure ? NULL : api->ca;
	o.connect = q->insecure ? NULL : address;
	url = q->insecure ? xasprintf("https://%s%s", address, q->path)
			  : xasprintf("https://%s:%d%s", host, api->port, q->path);
	o.url = url;
	o.cert = crt.data;
	o.key = key.data;
	r = outcall(&o, status, reply, err);
	if (q->url)
		*q->url = steal(url);
	return r;
}

/* --- taking what is right --- */

static void
take_text(json_t *out, const json_t *in, const char *key)
{
	json_t *v = json_object_get(in, key);

	if (json_is_string(v))
		json_object_set(out, key, v);
}

static void
take_texts(json_t *out, const json_t *in, const char *key)
{
	json_t *list = json_object_get(in, key), *v, *taken;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	taken = json_array();
	json_array_foreach (list, i, v)
		if (json_is_string(v))
			json_array_append(taken, v);
	json_object_set_new(out, key, taken);
}

static void
take_kind(json_t *out, const json_t *in)
{
	const json_t *kind = json_object_get(in, "responseKind");

	if (json_is_object(kind))
		json_object_set_new(out, "responseKind",
		    json_pack("{s:s,s:s,s:s}", "group", text(kind, "group"), "version",
			text(kind, "version"), "kind", text(kind, "kind")));
}

static json_t *
clean_subresource(const json_t *in)
{
	json_t *out = json_object();

	take_text(out, in, "subresource");
	take_kind(out, in);
	take_texts(out, in, "verbs");
	return out;
}

static json_t *
clean_resource(const json_t *in)
{
	json_t *out = json_object(), *sub, *subs = json_array();
	size_t i;

	take_text(out, in, "resource");
	take_kind(out, in);
	json_object_set_new(out, "scope",
	    json_string(strcmp(text(in, "scope"), "Namespaced") == 0 ? "Namespaced" : "Cluster"));
	json_object_set_new(out, "singularResource", json_string(text(in, "singularResource")));
	take_texts(out, in, "verbs");
	take_texts(out, in, "shortNames");
	take_texts(out, in, "categories");
	json_array_foreach (json_object_get(in, "subresources"), i, sub)
		if (*text(sub, "subresource"))
			json_array_append_new(subs, clean_subresource(sub));
	json_object_set_new(out, "subresources", subs);
	return out;
}

json_t *
discovery_clean(const json_t *resources)
{
	json_t *out = json_array(), *r;
	size_t i;

	json_array_foreach (resources, i, r)
		if (*text(r, "resource"))
			json_array_append_new(out, clean_resource(r));
	return out;
}

/* --- from the older documents --- */

static json_t *
response_kind(const json_t *r)
{
	return json_pack("{s:s,s:s,s:s}", "group", text(r, "group"), "version", text(r, "version"),
	    "kind", text(r, "kind"));
}

/* The entry of that name, made when it is missing; index has those that are there. */
static json_t *
entry_of(json_t *out, json_t *index, const char *name, const json_t *r)
{
	json_t *e = json_object_get(index, name);

	if (e)
		return e;
	e = json_pack("{s:s,s:s,s:s,s:[]}", "resource", name, "scope",
	    truth(get(r, "namespaced")) ? "Namespaced" : "Cluster", "singularResource",
	    text(r, "singularName"), "subresources");
	json_object_set(index, name, e);
	json_array_append_new(out, e);
	return e;
}

json_t *
discovery_convert(const json_t *resources)
{
	json_auto_t *out = json_array(), *index = json_object();
	json_t *r;
	size_t i;

	json_array_foreach (resources, i, r) {
		const char *name = text(r, "name"), *slash = strchr(name, '/');
		autofree char *parent = xstrndup(name, strcspn(name, "/"));
		json_t *e, *sub;

		if (!*parent)
			continue;
		e = entry_of(out, index, parent, r);
		sub = slash ? json_pack("{s:s}", "subresource", slash + 1) : e;
		json_object_set_new(sub, "responseKind", response_kind(r));
		take_texts(sub, r, "verbs");
		if (slash) {
			json_array_append_new(json_object_get(e, "subresources"), sub);
			continue;
		}
		take_texts(e, r, "shortNames");
		take_texts(e, r, "categories");
	}
	return discovery_clean(out);
}

/* --- fetching --- */

static int
load(struct aggregation *a, const struct api_service *api, const char *path, const char *accept,
    json_t **ret, struct err *err)
{
	struct asking q = { path, accept, false, FETCH_MS, NULL };
	autobuf struct buf reply = BUF_INIT;
	int status, r = aggregation_ask(a, api, &q, &status, &reply, err);

	if (r < 0)
		return r;
	if (status != 200)
		return err_set(err, status == 404 ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
		    "%s: status %d", path, status);
	if (!(*ret = json_loadb(reply.data, reply.len, 0, NULL)))
		return err_set(err, ERR_INVALID, "%s: no JSON", path);
	return 0;
}

/* Out of an APIGroupDiscoveryList, in either version of it; NULL: it is none. */
static json_t *
from_aggregated(const json_t *doc, const struct api_service *api)
{
	json_t *group, *version;
	size_t i, k;

	if (strcmp(text(doc, "kind"), "APIGroupDiscoveryList") != 0)
		return NULL;
	json_array_foreach (json_object_get(doc, "items"), i, group) {
		if (strcmp(text(group, "metadata", "name"), api->group) != 0)
			continue;
		json_array_foreach (json_object_get(group, "versions"), k, version)
			if (strcmp(text(version, "version"), api->version) == 0)
				return discovery_clean(json_object_get(version, "resources"));
	}
	return json_array(); /* it says that it serves nothing of it */
}

/* Where its OpenAPI document is: only below the path that is its own. */
static char *
openapi_of(struct aggregation *a, const struct api_service *api)
{
	autofree char *key = xasprintf("apis/%s/%s", api->group, api->version);
	autofree char *ours = xasprintf("/openapi/v3/%s", key);
	json_auto_t *doc = NULL;
	const char *url;
	struct err ignored;

	if (load(a, api, "/openapi/v3", "application/json", &doc, &ignored) < 0)
		return NULL;
	url = text(doc, "paths", key, "serverRelativeURL");
	if (!text_starts(url, ours) || (url[strlen(ours)] && url[strlen(ours)] != '?') ||
	    strlen(url) > 1024)
		return NULL;
	return xstrdup(url);
}

int
aggregation_fetch(struct aggregation *a, const struct api_service *api, json_t **resources,
    char **openapi, struct err *err)
{
	static const char accept[] =
	    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
	    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
	    "application/json";
	autofree char *path = xasprintf("/apis/%s/%s", api->group, api->version);
	json_auto_t *doc = NULL, *old = NULL;
	int r;

	if (load(a, api, "/apis", accept, &doc, err) == 0)
		*resources = from_aggregated(doc, api);
	if (!*resources) {
		if ((r = load(a, api, path, "application/json", &old, err)) < 0)
			return r;
		if (!json_is_array(json_object_get(old, "resources")))
			return err_set(err, ERR_INVALID, "%s: no list of resources", path);
		*resources = discovery_convert(json_object_get(old, "resources"));
	}
	*openapi = openapi_of(a, api);
	return 0;
}
