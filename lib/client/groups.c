/*
 * What the server serves, in two requests: aggregated discovery.  A server that is too old for it
 * (before Kubernetes 1.26) is asked group by group, and its answers are put into the same form.
 */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "client/calls.h"
#include "client/http.h"

#define AS ";as=APIGroupDiscoveryList"
#define ACCEPT                                                   \
	"Accept: application/json;g=apidiscovery.k8s.io;v=v2" AS \
	",application/json;g=apidiscovery.k8s.io;v=v2beta1" AS ",application/json"

/* --- the old way ------------------------------------------------------------------- */

static json_t *
new_resource(const json_t *r)
{
	return json_pack("{s:s, s:{s:s, s:s, s:s}, s:s, s:s, s:O*, s:O*, s:O*}", "resource",
	    text(r, "name"), "responseKind", "group", text(r, "group"), "version",
	    text(r, "version"), "kind", text(r, "kind"), "scope",
	    truth(get(r, "namespaced")) ? "Namespaced" : "Cluster", "singularResource",
	    text(r, "singularName"), "verbs", get(r, "verbs"), "shortNames", get(r, "shortNames"),
	    "categories", get(r, "categories"));
}

/* One group version; one whose server does not answer is stale, with nothing known of it. */
static int
old_version(
    struct client *c, json_t *versions, const char *group, const char *version, struct err *err)
{
	autofree char *path =
	    *group ? xasprintf("/apis/%s/%s", group, version) : xasprintf("/api/%s", version);
	json_auto_t *list = NULL;
	json_t *all, *resource;
	size_t i;
	int r = client_fetch(c, path, &list, err);

	if (r == -ERR_NOT_FOUND)
		return 0;
	if (r < 0 && strstr(err->msg, client_server(c)))
		return r; /* not one group's server but this one is away */
	all = json_array();
	json_array_foreach (get(list, "resources"), i, resource)
		if (!strchr(text(resource, "name"), '/'))
			json_array_append_new(all, new_resource(resource));
	json_array_append_new(
	    versions, json_pack("{s:s, s:s, s:o}", "version", version, "freshness",
			  r < 0 ? "Stale" : "Current", "resources", all));
	return 0;
}

static json_t *
new_group(const char *name)
{
	return json_pack("{s:s, s:s, s:{s:s}, s:[]}", "apiVersion", "apidiscovery.k8s.io/v2",
	    "kind", "APIGroupDiscovery", "metadata", "name", name, "versions");
}

/* The preferred version first, as aggregated discovery has it. */
static int
old_group(struct client *c, json_t *all, const json_t *group, struct err *err)
{
	const char *name = text(group, "name"), *first = text(group, "preferredVersion", "version");
	json_t *g = new_group(name), *versions = get(g, "versions"), *v;
	size_t i;
	int r = 0;

	json_array_append_new(all, g);
	if (*first)
		r = old_version(c, versions, name, first, err);
	json_array_foreach (get(group, "versions"), i, v)
		if (r >= 0 && strcmp(text(v, "version"), first) != 0)
			r = old_version(c, versions, name, text(v, "version"), err);
	return r;
}

static int
old_core(struct client *c, json_t *all, const json_t *list, struct err *err)
{
	json_t *g = new_group(""), *v;
	size_t i;
	int r = 0;

	json_array_append_new(all, g);
	json_array_foreach (get(list, "versions"), i, v)
		if (r >= 0)
			r = old_version(c, get(g, "versions"), "", str(v, ""), err);
	return r;
}

/* --- either ------------------------------------------------------------------------ */

static int
add_groups(struct client *c, json_t *all, const json_t *list, struct err *err)
{
	json_t *group;
	size_t i;
	int r;

	if (strcmp(text(list, "kind"), "APIVersions") == 0)
		return old_core(c, all, list, err);
	json_array_foreach (get(list, "groups"), i, group)
		if ((r = old_group(c, all, group, err)) < 0)
			return r;
	json_array_foreach (get(list, "items"), i, group) {
		json_object_set_new(group, "apiVersion", json_string("apidiscovery.k8s.io/v2"));
		json_object_set_new(group, "kind", json_string("APIGroupDiscovery"));
		if (!*meta_name(group))
			put(group, json_string(""), "metadata", "name");
		json_array_append(all, group);
	}
	return 0;
}

int
client_groups(struct client *c, json_t **ret, struct err *err)
{
	static const char *const headers[] = { ACCEPT, NULL };
	struct call calls[] = {
		{ .method = "GET", .path = xstrdup("/api"), .headers = headers },
		{ .method = "GET", .path = xstrdup("/apis"), .headers = headers },
	};
	json_auto_t *all = json_array();
	int r = 0;

	calls_run(c, calls, COUNT(calls), NULL, NULL);
	for (size_t i = 0; i < COUNT(calls); i++) {
		json_auto_t *list = NULL;

		if (r >= 0 && (r = call_answer(&calls[i], &list, err)) >= 0)
			r = add_groups(c, all, list, err);
		call_release(&calls[i]);
	}
	if (r >= 0)
		*ret = json_incref(all);
	return r;
}
