/* What is served, as every API server tells it. */
#include <string.h>

#include "base/jsonl.h"
#include "base/mem.h"
#include "metrics/object.h"
#include "metrics/server_private.h"

#define GROUP_VERSION METRICS_GROUP "/" METRICS_VERSION

static const struct {
	const char *name, *kind;
	bool namespaced;
} resources[] = { { "nodes", "NodeMetrics", false }, { "pods", "PodMetrics", true } };

static json_t *
group(void)
{
	json_t *version =
	    json_pack("{s:s, s:s}", "groupVersion", GROUP_VERSION, "version", METRICS_VERSION);

	return json_pack("{s:s, s:[o], s:O}", "name", METRICS_GROUP, "versions", version,
	    "preferredVersion", version);
}

static json_t *
of_root(struct http_exchange *x)
{
	const char *accept = http_header(x, "Accept");
	json_t *list, *all;

	if (!accept || !strstr(accept, "v=v2;as=APIGroupDiscoveryList"))
		return json_pack("{s:s, s:s, s:[o]}", "kind", "APIGroupList", "apiVersion", "v1",
		    "groups", group());
	list = json_array();
	for (size_t i = 0; i < COUNT(resources); i++)
		json_array_append_new(
		    list, json_pack("{s:s, s:{s:s, s:s, s:s}, s:s, s:s, s:[s, s]}", "resource",
			      resources[i].name, "responseKind", "group", METRICS_GROUP, "version",
			      METRICS_VERSION, "kind", resources[i].kind, "scope",
			      resources[i].namespaced ? "Namespaced" : "Cluster",
			      "singularResource", "", "verbs", "get", "list"));
	all = json_pack("{s:s, s:s, s:{}, s:[{s:{s:s}, s:[{s:s, s:o, s:s}]}]}", "kind",
	    "APIGroupDiscoveryList", "apiVersion", "apidiscovery.k8s.io/v2", "metadata", "items",
	    "metadata", "name", METRICS_GROUP, "versions", "version", METRICS_VERSION, "resources",
	    list, "freshness", "Current");
	return all;
}

static json_t *
of_group(void)
{
	json_t *g = group();

	json_object_set_new(g, "kind", json_string("APIGroup"));
	json_object_set_new(g, "apiVersion", json_string("v1"));
	return g;
}

static json_t *
of_version(void)
{
	json_t *list = json_array();

	for (size_t i = 0; i < COUNT(resources); i++)
		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:b, s:s, s:[s, s]}", "name", resources[i].name,
			      "singularName", "", "namespaced", resources[i].namespaced, "kind",
			      resources[i].kind, "verbs", "get", "list"));
	return json_pack("{s:s, s:s, s:s, s:o}", "kind", "APIResourceList", "apiVersion", "v1",
	    "groupVersion", GROUP_VERSION, "resources", list);
}

void
metrics_discovery(struct http_exchange *x)
{
	const char *path = http_request(x)->path, *type = "application/json";
	autobuf struct buf b = BUF_INIT;
	json_auto_t *answer = NULL;

	if (strcmp(path, "/apis") == 0)
		answer = of_root(x);
	else if (strcmp(path, "/apis/" METRICS_GROUP) == 0)
		answer = of_group();
	else if (strcmp(path, "/apis/" GROUP_VERSION) == 0)
		answer = of_version();
	else
		answer = metrics_openapi(path);
	if (!answer) {
		metrics_refuse(x, ERR_NOT_FOUND, NULL, NULL,
		    "the server could not find the requested resource");
		return;
	}
	if (json_object_get(answer, "items"))
		type = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
	jsonl_add(&b, answer);
	http_reply_text(x, 200, type, b.data);
}
