/* Which documents there are. */
#include "api/openapi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/openapi_parts.h"
#include "base/mem.h"
#include "base/text.h"

/* Paths that belong to no group. */
static const struct {
	const char *name, *kind, *tag, *id;
} pages[] = {
	{ ".well-known/openid-configuration", NULL, "WellKnown",
	    "getServiceAccountIssuerOpenIDConfiguration" },
	{ "api", "APIVersions", "core", "getCoreAPIVersions" },
	{ "apis", "APIGroupList", "apis", "getAPIVersions" },
	{ "openid/v1/jwks", NULL, "openid", "getServiceAccountIssuerOpenIDKeyset" },
	{ "version", NULL, "version", "getCodeVersion" },
};

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
add_name(char ***names, size_t *n, size_t *cap, char *name)
{
	GROW(*names, *n, *cap);
	(*names)[(*n)++] = name;
}

json_t *
openapi_names(void)
{
	char **names = NULL, version[128];
	size_t n = 0, cap = 0, kinds;
	const struct kind *const *k = schema_kinds(&kinds);
	json_t *list = json_array();

	for (size_t i = 0; i < COUNT(pages); i++)
		add_name(&names, &n, &cap, xstrdup(pages[i].name));
	for (size_t i = 0; i < kinds; i++) { /* in the order of groups and versions */
		bool group = i == 0 || strcmp(k[i]->group, k[i - 1]->group) != 0;

		if (*k[i]->group && group)
			add_name(&names, &n, &cap, xasprintf("apis/%s", k[i]->group));
		if (group || strcmp(k[i]->version, k[i - 1]->version) != 0)
			add_name(&names, &n, &cap,
			    xasprintf("%s/%s", *k[i]->group ? "apis" : "api",
				kind_api_version(k[i], version)));
	}
	qsort(names, n, sizeof *names, by_name);
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(list, json_string(names[i]));
		free(names[i]);
	}
	free(names);
	return list;
}

/* Takes paths and schemas. */
static json_t *
document(json_t *paths, json_t *schemas)
{
	return json_pack("{s:s,s:{s:s,s:s},s:o,s:{s:o}}", "openapi", "3.0.0", "info", "title",
	    "Kubernetes", "version", OPENAPI_VERSION, "paths", paths, "components", "schemas",
	    schemas);
}

json_t *
openapi_v3(const char *group, const char *version)
{
	struct openapi doc = { json_object(), json_object(), group, version };

	openapi_add_paths(&doc);
	return document(doc.paths, doc.schemas);
}

static json_t *
page(const char *name, const char *kind, const char *tag, const char *id)
{
	json_t *schemas = json_object();
	autofree char *path = xasprintf("/%s/", name);

	return document(
	    json_pack("{s:o}", path, openapi_plain_get(schemas, kind, tag, id)), schemas);
}

/* "apis/apps" or "apis/apps/v1" where kinds are served. */
static json_t *
group_document(const char *name)
{
	autofree char *group = xstrdup(text_starts(name, "api/") ? "" : name + strlen("apis/"));
	const char *version = text_starts(name, "api/") ? name + strlen("api/") : NULL;
	char *slash = strchr(group, '/');
	size_t n;
	const struct kind *const *k = schema_kinds(&n);

	if (slash) {
		*slash = '\0';
		version = slash + 1;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(k[i]->group, group) != 0)
			continue;
		if (!version) {
			autofree char *tag = openapi_group_name(group, "");
			autofree char *id = xasprintf("get%sAPIGroup", tag);

			return *group ? page(name, "APIGroup", tag, id) : NULL;
		}
		if (strcmp(k[i]->version, version) == 0)
			return openapi_v3(group, version);
	}
	return NULL;
}

json_t *
openapi_document(const char *name)
{
	for (size_t i = 0; i < COUNT(pages); i++)
		if (strcmp(pages[i].name, name) == 0)
			return page(name, pages[i].kind, pages[i].tag, pages[i].id);
	if (text_starts(name, "api/") || text_starts(name, "apis/"))
		return group_document(name);
	return NULL;
}
