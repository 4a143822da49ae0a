/* The paths of a group and version. */
#include <stdio.h>
#include <string.h>

#include "api/openapi_parts.h"
#include "base/mem.h"
#include "base/text.h"

static const char *const posted[] = { "dryRun", "fieldManager", "fieldValidation", NULL };
static const char *const patched[] = { "dryRun", "fieldManager", "fieldValidation", "force", NULL };
static const char *const gone[] = { "dryRun", "gracePeriodSeconds",
	"ignoreStoreReadErrorWithClusterBreakingPotential", "orphanDependents", "propagationPolicy",
	NULL };
static const char *const many[] = { "allowWatchBookmarks", "continue", "fieldSelector",
	"labelSelector", "limit", "resourceVersion", "resourceVersionMatch", "sendInitialEvents",
	"timeoutSeconds", "watch", NULL };
static const char *const many_gone[] = { "continue", "dryRun", "fieldSelector",
	"gracePeriodSeconds", "ignoreStoreReadErrorWithClusterBreakingPotential", "labelSelector",
	"limit", "orphanDependents", "propagationPolicy", "resourceVersion", "resourceVersionMatch",
	"sendInitialEvents", "timeoutSeconds", NULL };
static const char *const pretty[] = { "pretty", NULL };

static const struct openapi_method collection[] = {
	{ "get", VERB_LIST, "list", "list", many },
	{ "post", VERB_CREATE, "post", "create", posted },
	{ "delete", VERB_DELETECOLLECTION, "deletecollection", "deleteCollection", many_gone },
	{ NULL, 0, NULL, NULL, NULL },
};
static const struct openapi_method object[] = {
	{ "get", VERB_GET, "get", "read", NULL },
	{ "put", VERB_UPDATE, "put", "replace", posted },
	{ "post", VERB_CREATE, "post", "create", posted }, /* of a subresource */
	{ "delete", VERB_DELETE, "delete", "delete", gone },
	{ "patch", VERB_PATCH, "patch", "patch", patched },
	{ NULL, 0, NULL, NULL, NULL },
};
/* The old way to watch, with the word in the path. */
static const struct openapi_method watch_many[] = {
	{ "get", VERB_WATCH, "watchlist", "watch", NULL },
	{ NULL, 0, NULL, NULL, NULL },
};
static const struct openapi_method watch_one[] = {
	{ "get", VERB_WATCH, "watch", "watch", NULL },
	{ NULL, 0, NULL, NULL, NULL },
};
/* What is passed on to another server, with the methods it may know. */
static const struct openapi_method connected[] = {
	{ "get", VERB_GET, "connect", "connectGet", NULL },
	{ "put", VERB_UPDATE, "connect", "connectPut", NULL },
	{ "post", VERB_CREATE, "connect", "connectPost", NULL },
	{ "delete", VERB_DELETE, "connect", "connectDelete", NULL },
	{ "options", VERB_UPDATE, "connect", "connectOptions", NULL },
	{ "head", VERB_UPDATE, "connect", "connectHead", NULL },
	{ "patch", VERB_PATCH, "connect", "connectPatch", NULL },
	{ NULL, 0, NULL, NULL, NULL },
};

/* Shared by all methods of the path: what stands in it, and `extra` (taken). */
static void
add_path(struct openapi *doc, const char *path, const struct openapi_place *p,
    const struct openapi_method *m, unsigned verbs, json_t *extra)
{
	json_t *item = json_object(), *shared = json_array();

	for (; m->name; m++)
		if (verbs & m->verb)
			json_object_set_new(item, m->name, openapi_operation(doc, m, p));
	if (json_object_size(item)) {
		openapi_add_path_parameters(shared, path);
		json_array_extend(shared, extra);
		json_object_set(item, "parameters", shared);
		json_object_set(doc->paths, path, item);
	}
	json_decref(item);
	json_decref(shared);
	json_decref(extra);
}

static const struct kind *
body_of(const struct kind *k, const struct subresource *s)
{
	const struct kind *body;

	if (!*s->version)
		return k;
	body = kind_find(s->group, s->version, s->kind);
	return body ? body : k;
}

static void
add_subresource(
    struct openapi *doc, const char *base, const struct kind *k, const struct subresource *s)
{
	autofree char *path = xasprintf("%s/%s", base, s->name);
	struct openapi_place p = { .kind = k, .sub = s, .body = body_of(k, s) };
	const struct kind *log = kind_find("", "v1", "PodLogOptions");
	json_t *extra;

	if (text_ends(p.body->kind, "Options")) {
		add_path(doc, path, &p, connected, s->verbs, openapi_options(p.body));
		if (strcmp(s->name, "proxy") != 0)
			return;
		autofree char *deeper = xasprintf("%s/{path}", path);

		p.tail = true;
		add_path(doc, deeper, &p, connected, s->verbs, openapi_options(p.body));
		return;
	}
	extra = openapi_query(pretty);
	if (strcmp(s->name, "log") == 0 && log) {
		json_t *options = openapi_options(log);

		json_array_extend(extra, options);
		json_decref(options);
	}
	add_path(doc, path, &p, object, s->verbs, extra);
}

static json_t *
watch_parameters(void)
{
	json_t *list = openapi_query(many), *more = openapi_query(pretty);

	json_array_extend(list, more);
	json_decref(more);
	return list;
}

static void
add_watches(struct openapi *doc, const char *base, const struct kind *k)
{
	struct openapi_place p = { .kind = k, .body = k };
	const char *space = k->namespaced ? "namespaces/{namespace}/" : "";
	autofree char *all = xasprintf("%swatch/%s", base, k->plural);
	autofree char *here = xasprintf("%swatch/%s%s", base, space, k->plural);
	autofree char *name = xasprintf("%s/{name}", here);

	add_path(doc, here, &p, watch_many, k->verbs, watch_parameters());
	if (k->verbs & VERB_GET)
		add_path(doc, name, &p, watch_one, k->verbs, watch_parameters());
	p.all = true;
	if (k->namespaced)
		add_path(doc, all, &p, watch_many, k->verbs, watch_parameters());
}

static void
add_kind(struct openapi *doc, const char *base, const struct kind *k)
{
	struct openapi_place p = { .kind = k, .body = k }, everywhere = { k, NULL, k, true, false };
	const char *space = k->namespaced ? "namespaces/{namespace}/" : "";
	autofree char *all = xasprintf("%s%s", base, k->plural);
	autofree char *here = xasprintf("%s%s%s", base, space, k->plural);
	autofree char *name = xasprintf("%s/{name}", here);
	unsigned of_object = VERB_GET | VERB_UPDATE | VERB_DELETE | VERB_PATCH;

	add_path(doc, here, &p, collection, k->verbs, openapi_query(pretty));
	if (k->namespaced)
		add_path(
		    doc, all, &everywhere, collection, k->verbs & VERB_LIST, openapi_query(pretty));
	add_path(doc, name, &p, object, k->verbs & of_object, openapi_query(pretty));
	for (size_t i = 0; i < k->nsubresources; i++)
		add_subresource(doc, name, k, &k->subresources[i]);
	if (!k->custom) /* Kubernetes' documents of custom kinds do not have them */
		add_watches(doc, base, k);
}

void
openapi_add_paths(struct openapi *doc)
{
	autofree char *base = *doc->group ? xasprintf("/apis/%s/%s/", doc->group, doc->version)
					  : xasprintf("/api/%s/", doc->version);
	autofree char *name = openapi_group_name(doc->group, doc->version);
	autofree char *id = xasprintf("get%sAPIResources", name);
	size_t n;
	const struct kind *const *k = schema_kinds(&n);

	json_object_set_new(
	    doc->paths, base, openapi_plain_get(doc->schemas, "APIResourceList", name, id));
	for (size_t i = 0; i < n; i++)
		if (strcmp(k[i]->group, doc->group) == 0 &&
		    strcmp(k[i]->version, doc->version) == 0)
			add_kind(doc, base, k[i]);
}
