/* The paths of a group and version, with the parameters that each method takes. */
#include <stdio.h>
#include <string.h>

#include "api/openapi.h"
#include "base/mem.h"
#include "base/text.h"

static const struct {
	const char *name, *type;
} parameters[] = {
	{ "allowWatchBookmarks", "boolean" },
	{ "continue", "string" },
	{ "dryRun", "string" },
	{ "fieldManager", "string" },
	{ "fieldSelector", "string" },
	{ "fieldValidation", "string" },
	{ "force", "boolean" },
	{ "gracePeriodSeconds", "integer" },
	{ "labelSelector", "string" },
	{ "limit", "integer" },
	{ "orphanDependents", "boolean" },
	{ "pretty", "string" },
	{ "propagationPolicy", "string" },
	{ "resourceVersion", "string" },
	{ "resourceVersionMatch", "string" },
	{ "sendInitialEvents", "boolean" },
	{ "timeoutSeconds", "integer" },
	{ "watch", "boolean" },
};

/* A method of a path: which verb allows it, and what it takes. */
struct method {
	const char *name;
	unsigned verb;
	const char *action;
	const char *const *takes;
};

static const char *const one[] = { "pretty", NULL };
static const char *const posted[] = { "dryRun", "fieldManager", "fieldValidation", "pretty", NULL };
static const char *const patched[] = { "dryRun", "fieldManager", "fieldValidation", "force",
	"pretty", NULL };
static const char *const gone[] = { "dryRun", "gracePeriodSeconds", "orphanDependents", "pretty",
	"propagationPolicy", NULL };
static const char *const many[] = { "allowWatchBookmarks", "continue", "fieldSelector",
	"labelSelector", "limit", "pretty", "resourceVersion", "resourceVersionMatch",
	"sendInitialEvents", "timeoutSeconds", "watch", NULL };
static const char *const many_gone[] = { "continue", "dryRun", "fieldSelector",
	"gracePeriodSeconds", "labelSelector", "limit", "orphanDependents", "pretty",
	"propagationPolicy", "resourceVersion", "resourceVersionMatch", "sendInitialEvents",
	"timeoutSeconds", NULL };

static const struct method collection[] = {
	{ "get", VERB_LIST, "list", many },
	{ "post", VERB_CREATE, "post", posted },
	{ "delete", VERB_DELETECOLLECTION, "deletecollection", many_gone },
	{ NULL, 0, NULL, NULL },
};
static const struct method object[] = {
	{ "get", VERB_GET, "get", one },
	{ "put", VERB_UPDATE, "put", posted },
	{ "delete", VERB_DELETE, "delete", gone },
	{ "patch", VERB_PATCH, "patch", patched },
	{ "post", VERB_CREATE, "post", posted }, /* of a subresource */
	{ NULL, 0, NULL, NULL },
};

static json_t *
query_parameters(const char *const *takes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < COUNT(parameters); i++)
		if (text_in(parameters[i].name, takes))
			json_array_append_new(list,
			    json_pack("{s:s,s:s,s:{s:s,s:b}}", "name", parameters[i].name, "in",
				"query", "schema", "type", parameters[i].type, "uniqueItems", 1));
	return list;
}

static json_t *
path_parameters(const char *path)
{
	json_t *list = json_array();

	for (const char *const *name = (const char *const[]){ "name", "namespace", NULL }; *name;
	     name++) {
		autofree char *place = xasprintf("{%s}", *name);

		if (strstr(path, place))
			json_array_append_new(
			    list, json_pack("{s:s,s:s,s:b,s:{s:s}}", "name", *name, "in", "path",
				      "required", 1, "schema", "type", "string"));
	}
	return list;
}

static json_t *
patch_body(void)
{
	static const char *const types[] = { "application/json-patch+json",
		"application/merge-patch+json", "application/strategic-merge-patch+json" };
	json_t *content = json_object();

	for (size_t i = 0; i < COUNT(types); i++)
		json_object_set_new(
		    content, types[i], json_pack("{s:{s:s}}", "schema", "type", "object"));
	return json_pack("{s:b,s:o}", "required", 1, "content", content);
}

static void
add_path(
    json_t *paths, const char *path, const struct kind *k, const struct method *m, unsigned verbs)
{
	json_t *item = json_object();

	for (; m->name; m++) {
		json_t *op;

		if (!(verbs & m->verb))
			continue;
		op = json_pack("{s:o,s:{s:{s:s}},s:s,s:{s:s,s:s,s:s}}", "parameters",
		    query_parameters(m->takes), "responses", "200", "description", "OK",
		    "x-kubernetes-action", m->action, "x-kubernetes-group-version-kind", "group",
		    k->group, "kind", k->kind, "version", k->version);
		if (m->verb == VERB_PATCH)
			json_object_set_new(op, "requestBody", patch_body());
		json_object_set_new(item, m->name, op);
	}
	if (json_object_size(item)) {
		json_object_set_new(item, "parameters", path_parameters(path));
		json_object_set(paths, path, item);
	}
	json_decref(item);
}

static void
add_kind(json_t *paths, const char *base, const struct kind *k)
{
	const char *space = k->namespaced ? "namespaces/{namespace}/" : "";
	autofree char *all = xasprintf("%s%s", base, k->plural);
	autofree char *here = xasprintf("%s%s%s", base, space, k->plural);
	autofree char *name = xasprintf("%s/{name}", here);
	unsigned of_object = VERB_GET | VERB_UPDATE | VERB_DELETE | VERB_PATCH;

	add_path(paths, here, k, collection, k->verbs);
	if (k->namespaced)
		add_path(paths, all, k, collection, k->verbs & VERB_LIST);
	add_path(paths, name, k, object, k->verbs & of_object);
	for (size_t i = 0; i < k->nsubresources; i++) {
		autofree char *sub = xasprintf("%s/%s", name, k->subresources[i].name);

		add_path(paths, sub, k, object, k->subresources[i].verbs);
	}
}

json_t *
openapi_paths(const char *group, const char *version)
{
	json_t *paths = json_object();
	autofree char *base =
	    *group ? xasprintf("/apis/%s/%s/", group, version) : xasprintf("/api/%s/", version);
	size_t n;
	const struct kind *k = schema_kinds(&n);

	json_object_set_new(paths, base,
	    json_pack("{s:{s:{s:{s:s}}}}", "get", "responses", "200", "description", "OK"));
	for (size_t i = 0; i < n; i++)
		if (strcmp(k[i].group, group) == 0 && strcmp(k[i].version, version) == 0)
			add_kind(paths, base, &k[i]);
	return paths;
}

json_t *
openapi_v3(const char *group, const char *version)
{
	return json_pack("{s:s,s:{s:s,s:s},s:o,s:{s:o}}", "openapi", "3.0.0", "info", "title",
	    "Kubernetes", "version", "v1.36.0", "paths", openapi_paths(group, version),
	    "components", "schemas", openapi_schemas(group, version));
}
