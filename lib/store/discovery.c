/* Which groups, versions and resources there are. */
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "api/version.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "store/discovery_groups.h"
#include "store/page.h"

/* Kinds of one group, or of one version of it: they stand in a row. */
struct row {
	const struct kind *const *kind;
	size_t n;
};

static struct row
all_kinds(void)
{
	struct row r;

	r.kind = schema_kinds(&r.n);
	return r;
}

static int
before(const struct kind *k, const char *group, const char *version)
{
	int c = strcmp(k->group, group);

	return c || !version ? c : strcmp(k->version, version);
}

/* The first of its kind, or where it would be; behind: the first behind the last. */
static size_t
edge(struct row all, const char *group, const char *version, bool behind)
{
	size_t from = 0, to = all.n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int c = before(all.kind[mid], group, version);

		if (c < 0 || (behind && c == 0))
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* version NULL: all of the group */
static struct row
row_of(struct row all, const char *group, const char *version)
{
	size_t from = edge(all, group, version, false), to = edge(all, group, version, true);

	return (struct row){ all.kind + from, to - from };
}

static json_t *
verbs_json(unsigned verbs)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = { { VERB_CREATE, "create" }, { VERB_DELETE, "delete" },
		{ VERB_DELETECOLLECTION, "deletecollection" }, { VERB_GET, "get" },
		{ VERB_LIST, "list" }, { VERB_PATCH, "patch" }, { VERB_UPDATE, "update" },
		{ VERB_WATCH, "watch" } };
	json_t *list = json_array();

	for (size_t i = 0; i < COUNT(names); i++)
		if (verbs & names[i].bit)
			json_array_append_new(list, json_string(names[i].name));
	return list;
}

static void
add_words(json_t *obj, const char *key, const char *const *words)
{
	json_t *list;

	if (!words || !*words)
		return;
	list = json_array();
	for (; *words; words++)
		json_array_append_new(list, json_string(*words));
	json_object_set_new(obj, key, list);
}

/*
 * Of what version an object is kept in: clients that keep caches see by it that all must be written
 * anew.  The first 8 bytes of the SHA-256 of "GROUP/VERSION/KIND".
 */
static void
add_storage_hash(json_t *r, const struct kind *k)
{
	static const struct {
		const char *group, *version, *stored; /* what of it is stored as another */
	} others[] = { { "events.k8s.io", "v1", "/v1" },
		{ "autoscaling", "v1", "autoscaling/v2" } };
	autofree char *kept = xasprintf("%s/%s/%s", k->group, k->version, k->kind);
	unsigned char digest[32];
	gnutls_datum_t first = { digest, 8 }, text;

	for (size_t i = 0; i < COUNT(others); i++) {
		if (strcmp(k->group, others[i].group) != 0 ||
		    strcmp(k->version, others[i].version) != 0)
			continue;
		free(kept);
		kept = xasprintf("%s/%s", others[i].stored, k->kind);
	}
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, kept, strlen(kept), digest) < 0 ||
	    gnutls_base64_encode2(&first, &text) < 0)
		abort(); /* SHA-256 is always there; only memory can fail */
	json_object_set_new(
	    r, "storageVersionHash", json_stringn((const char *)text.data, text.size));
	gnutls_free(text.data);
}

static json_t *
resource_json(const struct kind *k)
{
	json_t *r =
	    json_pack("{s:s,s:s,s:b,s:s,s:o}", "name", k->plural, "singularName", k->singular,
		"namespaced", k->namespaced, "kind", k->kind, "verbs", verbs_json(k->verbs));

	add_words(r, "shortNames", k->short_names);
	add_words(r, "categories", k->categories);
	if (k->verbs & VERB_WATCH) /* it is stored at all */
		add_storage_hash(r, k);
	return r;
}

static json_t *
subresource_json(const struct kind *k, const struct subresource *s)
{
	autofree char *name = xasprintf("%s/%s", k->plural, s->name);
	json_t *r = json_pack(
	    "{s:s,s:s,s:b}", "name", name, "singularName", "", "namespaced", k->namespaced);

	if (s->version && *s->version &&
	    (strcmp(s->group, k->group) != 0 || strcmp(s->version, k->version) != 0)) {
		json_object_set_new(r, "group", json_string(s->group));
		json_object_set_new(r, "version", json_string(s->version));
	}
	json_object_set_new(r, "kind", json_string(s->kind));
	json_object_set_new(r, "verbs", verbs_json(s->verbs));
	return r;
}

static void
resource_list(struct call *c)
{
	const char *group = c->target.group, *version = c->target.version;
	autofree char *gv = *group ? xasprintf("%s/%s", group, version) : xstrdup(version);
	json_t *list = json_array(), *v;
	const struct row r = row_of(all_kinds(), group, version);

	for (size_t i = 0; i < r.n; i++) {
		const struct kind *k = r.kind[i];

		json_array_append_new(list, resource_json(k));
		for (size_t s = 0; s < k->nsubresources; s++)
			json_array_append_new(list, subresource_json(k, &k->subresources[s]));
	}
	v = json_pack("{s:s}", "kind", "APIResourceList");
	if (*group) /* Kubernetes leaves it out for the core group */
		json_object_set_new(v, "apiVersion", json_string("v1"));
	json_object_set_new(v, "groupVersion", json_string(gv));
	json_object_set_new(v, "resources", list);
	reply_json(c, 200, v);
	json_decref(v);
}

/* The first version is the preferred one. */
static json_t *
group_json(const struct api_group *g)
{
	json_t *versions = json_array();

	for (size_t i = 0; i < g->n; i++)
		json_array_append_new(
		    versions, json_pack("{s:o,s:s}", "groupVersion",
				  json_sprintf("%s/%s", g->version[i].group, g->version[i].version),
				  "version", g->version[i].version));
	return json_pack("{s:s,s:o,s:O}", "name", g->version->group, "versions", versions,
	    "preferredVersion", json_array_get(versions, 0));
}

static void
one_group(struct call *c)
{
	struct api_groups all;
	json_auto_t *v = NULL;

	api_groups_list(&all, c->server, c->target.group, false);
	if (all.n == 0) { /* it has just gone */
		reply_text(c, 404, "text/plain; charset=utf-8", "404 page not found\n");
	} else {
		v = group_json(&all.group[0]);
		json_object_set_new(v, "kind", json_string("APIGroup"));
		json_object_set_new(v, "apiVersion", json_string("v1"));
		reply_json(c, 200, v);
	}
	api_groups_release(&all);
}

static void
group_list(struct call *c)
{
	json_t *list = json_array(), *v;
	struct api_groups all;

	api_groups_list(&all, c->server, NULL, false);
	for (size_t i = 0; i < all.n; i++)
		json_array_append_new(list, group_json(&all.group[i]));
	api_groups_release(&all);
	v = json_pack("{s:s,s:s,s:o}", "kind", "APIGroupList", "apiVersion", "v1", "groups", list);
	reply_json(c, 200, v);
	json_decref(v);
}

/* --- everything in one document (apidiscovery.k8s.io/v2) --- */

static json_t *
response_kind(const char *group, const char *version, const char *kind)
{
	return json_pack("{s:s,s:s,s:s}", "group", group, "version", version, "kind", kind);
}

static json_t *
aggregated_resource(const struct kind *k)
{
	json_t *subs = json_array();
	json_t *r = json_pack("{s:s,s:o,s:s,s:s,s:o}", "resource", k->plural, "responseKind",
	    response_kind("", "", k->kind), "scope", k->namespaced ? "Namespaced" : "Cluster",
	    "singularResource", k->singular, "verbs", verbs_json(k->verbs));

	add_words(r, "shortNames", k->short_names);
	add_words(r, "categories", k->categories);
	for (size_t i = 0; i < k->nsubresources; i++) {
		const struct subresource *s = &k->subresources[i];
		bool own = strcmp(s->group, k->group) == 0 && strcmp(s->version, k->version) == 0;

		json_array_append_new(
		    subs, json_pack("{s:s,s:o,s:o}", "subresource", s->name, "responseKind",
			      response_kind(own ? "" : s->group, own ? "" : s->version, s->kind),
			      "verbs", verbs_json(s->verbs)));
	}
	json_object_set_new(r, "subresources", subs);
	return r;
}

/* Written one by one: a tree of thousands of resources would cost more than all the rest. */
static void
add_resources(struct buf *b, struct row version)
{
	for (size_t i = 0; i < version.n; i++) {
		json_auto_t *r = aggregated_resource(version.kind[i]);

		buf_puts(b, i ? "," : "");
		json_add(b, r);
	}
}

static void
add_version(struct buf *b, const struct api_version *v, struct row kinds)
{
	bool current = v->ours || v->current;

	buf_printf(b, "{\"version\":\"%s\"", v->version);
	if (v->ours) {
		buf_puts(b, ",\"resources\":[");
		add_resources(b, row_of(kinds, v->group, v->version));
		buf_puts(b, "]");
	} else if (v->resources) {
		buf_puts(b, ",\"resources\":");
		buf_add(b, v->resources->data, v->resources->len);
	}
	buf_printf(b, ",\"freshness\":\"%s\"}", current ? "Current" : "Stale");
}

/* False: nobody answers for any of it. */
static bool
add_group(struct buf *b, const struct api_group *g, const char *comma)
{
	const char *name = g->version->group;
	const struct row kinds = row_of(all_kinds(), name, NULL);
	bool any = false;

	for (size_t i = 0; i < g->n; i++) {
		const struct api_version *v = &g->version[i];

		if (!v->ours && !v->remote)
			continue;
		if (any)
			buf_putc(b, ',');
		else if (*name)
			buf_printf(
			    b, "%s{\"metadata\":{\"name\":\"%s\"},\"versions\":[", comma, name);
		else
			buf_printf(b, "%s{\"metadata\":{},\"versions\":[", comma);
		add_version(b, v, kinds);
		any = true;
	}
	if (any)
		buf_puts(b, "]}");
	return any;
}

static void
aggregated(struct call *c)
{
	autobuf struct buf b = BUF_INIT;
	struct api_groups all;
	bool any = false;

	api_groups_list(&all, c->server, c->target.type == TARGET_API ? "" : NULL, true);
	buf_puts(&b,
	    "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\","
	    "\"metadata\":{},\"items\":[");
	for (size_t i = 0; i < all.n; i++)
		any |= add_group(&b, &all.group[i], any ? "," : "");
	buf_puts(&b, "]}\n");
	api_groups_release(&all);
	page_answer(c, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
	    b.data, b.len);
}

/* Every path that answers a GET, for people who look around. */
static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static json_t *
root_paths(struct call *c)
{
	static const char *const always[] = { "/api", "/api/v1", "/apis", "/healthz", "/livez",
		"/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version" };
	json_t *list = json_array();
	struct api_groups all;
	char **path;
	size_t n = 0;

	api_groups_list(&all, c->server, NULL, true);
	path = xcalloc(COUNT(always) + all.n + all.nversions, sizeof *path);
	for (size_t i = 0; i < COUNT(always); i++)
		path[n++] = xstrdup(always[i]);
	for (size_t i = 0; i < all.n; i++)
		path[n++] = xasprintf("/apis/%s", all.group[i].version->group);
	for (size_t i = 0; i < all.nversions; i++)
		path[n++] = xasprintf("/apis/%s/%s", all.version[i].group, all.version[i].version);
	api_groups_release(&all);
	qsort(path, n, sizeof *path, by_text);
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(list, json_string(path[i]));
		free(path[i]);
	}
	free(path);
	return json_pack("{s:o}", "paths", list);
}

void
discovery_handle(struct call *c)
{
	json_t *v;

	if (c->shape.form == FORM_AGGREGATED) {
		aggregated(c);
		return;
	}
	switch (c->target.type) {
	case TARGET_ROOT:
		v = root_paths(c);
		break;
	case TARGET_API:
		v = json_pack("{s:s,s:[s]}", "kind", "APIVersions", "versions", "v1");
		break;
	case TARGET_GROUP:
		one_group(c);
		return;
	case TARGET_APIS:
		group_list(c);
		return;
	default:
		resource_list(c);
		return;
	}
	reply_json(c, 200, v);
	json_decref(v);
}
