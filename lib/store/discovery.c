/* Which groups, versions and resources there are: all from the schema. */
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "api/version.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "store/page.h"

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
	size_t n;
	const struct kind *const *k = schema_kinds(&n);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(k[i]->group, group) != 0 || strcmp(k[i]->version, version) != 0)
			continue;
		json_array_append_new(list, resource_json(k[i]));
		for (size_t s = 0; s < k[i]->nsubresources; s++)
			json_array_append_new(list, subresource_json(k[i], &k[i]->subresources[s]));
	}
	v = json_pack("{s:s}", "kind", "APIResourceList");
	if (*group) /* Kubernetes leaves it out for the core group */
		json_object_set_new(v, "apiVersion", json_string("v1"));
	json_object_set_new(v, "groupVersion", json_string(gv));
	json_object_set_new(v, "resources", list);
	reply_json(c, 200, v);
	json_decref(v);
}

static json_t *
version_json(const struct kind *k)
{
	char gv[128];

	return json_pack(
	    "{s:s,s:s}", "groupVersion", kind_api_version(k, gv), "version", k->version);
}

static bool
version_seen(const json_t *versions, const char *version)
{
	json_t *v;
	size_t i;

	json_array_foreach (versions, i, v)
		if (strcmp(json_string_value(json_object_get(v, "version")), version) == 0)
			return true;
	return false;
}

static void
add_version(json_t *versions, const struct kind *k)
{
	size_t i = 0;
	json_t *v;

	while ((v = json_array_get(versions, i)) &&
	       version_order(json_string_value(json_object_get(v, "version")), k->version) < 0)
		i++;
	json_array_insert_new(versions, i, version_json(k));
}

/* The newest version comes first and is preferred. */
static json_t *
group_json(const char *group)
{
	json_t *versions = json_array();
	size_t n;
	const struct kind *const *k = schema_kinds(&n);

	for (size_t i = n; i-- > 0;)
		if (strcmp(k[i]->group, group) == 0 && !version_seen(versions, k[i]->version))
			add_version(versions, k[i]);
	return json_pack("{s:s,s:o,s:O}", "name", group, "versions", versions, "preferredVersion",
	    json_array_get(versions, 0));
}

static void
group_list(struct call *c)
{
	json_t *list = json_array(), *v;
	const char *last = "";
	size_t n;
	const struct kind *const *k = schema_kinds(&n);

	for (size_t i = 0; i < n; i++) {
		if (!*k[i]->group || strcmp(k[i]->group, last) == 0)
			continue;
		last = k[i]->group;
		json_array_append_new(list, group_json(last));
	}
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

static json_t *
aggregated_version(const char *group, const char *version)
{
	json_t *list = json_array();
	size_t n;
	const struct kind *const *k = schema_kinds(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(k[i]->group, group) == 0 && strcmp(k[i]->version, version) == 0)
			json_array_append_new(list, aggregated_resource(k[i]));
	return json_pack(
	    "{s:s,s:o,s:s}", "version", version, "resources", list, "freshness", "Current");
}

static json_t *
aggregated_group(const char *group)
{
	json_t *versions = json_array(), *g = group_json(group), *v;
	size_t i;

	json_array_foreach (json_object_get(g, "versions"), i, v)
		json_array_append_new(versions,
		    aggregated_version(group, json_string_value(json_object_get(v, "version"))));
	json_decref(g);
	return json_pack("{s:{s:s},s:o}", "metadata", "name", group, "versions", versions);
}

static void
aggregated(struct call *c)
{
	json_t *list = json_array(), *v;
	const char *last = "";
	size_t n;
	const struct kind *const *k = schema_kinds(&n);
	autobuf struct buf b = BUF_INIT;

	if (c->target.type == TARGET_API)
		json_array_append_new(list, aggregated_group(""));
	for (size_t i = 0; i < n && c->target.type == TARGET_APIS; i++) {
		if (strcmp(k[i]->group, last) == 0)
			continue;
		last = k[i]->group;
		json_array_append_new(list, aggregated_group(last));
	}
	v = json_pack("{s:s,s:s,s:{},s:o}", "kind", "APIGroupDiscoveryList", "apiVersion",
	    "apidiscovery.k8s.io/v2", "metadata", "items", list);
	jsonl_add(&b, v);
	json_decref(v);
	page_answer(c, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
	    b.data, b.len);
}

/* Every path that answers a GET, for people who look around. */
static json_t *
root_paths(void)
{
	static const char *const always[] = { "/api", "/api/v1", "/apis", "/healthz", "/livez",
		"/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version" };
	json_t *list = json_array();
	size_t n;
	const struct kind *const *k = schema_kinds(&n);

	for (size_t i = 0; i < COUNT(always); i++)
		json_array_append_new(list, json_string(always[i]));
	for (size_t i = 0; i < n; i++) {
		bool group = i == 0 || strcmp(k[i]->group, k[i - 1]->group) != 0;

		if (!*k[i]->group || (!group && strcmp(k[i]->version, k[i - 1]->version) == 0))
			continue;
		if (group)
			json_array_append_new(list, json_sprintf("/apis/%s", k[i]->group));
		json_array_append_new(
		    list, json_sprintf("/apis/%s/%s", k[i]->group, k[i]->version));
	}
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
		v = root_paths();
		break;
	case TARGET_API:
		v = json_pack("{s:s,s:[s]}", "kind", "APIVersions", "versions", "v1");
		break;
	case TARGET_GROUP:
		v = group_json(c->target.group);
		json_object_set_new(v, "kind", json_string("APIGroup"));
		json_object_set_new(v, "apiVersion", json_string("v1"));
		break;
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
