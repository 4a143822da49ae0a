/* The OpenAPI v3 document of the group: what `kubectl explain` and generators of clients read. */
#include <string.h>

#include "base/mem.h"
#include "metrics/object.h"
#include "metrics/server_private.h"

#define KEY "apis/" METRICS_GROUP "/" METRICS_VERSION
#define NAME(kind) "io.k8s.metrics.pkg.apis.metrics." METRICS_VERSION "." kind
#define REF "#/components/schemas/"

static json_t *
plain(const char *type, const char *description)
{
	return json_pack("{s:s, s:s}", "type", type, "description", description);
}

static json_t *
list_of(const char *kind, const char *description)
{
	autofree char *ref = xasprintf(REF NAME("%s"), kind);

	return json_pack("{s:s, s:s, s:{s:s}}", "type", "array", "description", description,
	    "items", "$ref", ref);
}

static json_t *
usage(void)
{
	return json_pack("{s:s, s:s, s:{s:s}}", "type", "object", "description",
	    "What is used: cpu in cores, memory (the working set) in bytes.",
	    "additionalProperties", "type", "string");
}

static json_t *
identity(const char *kind)
{
	return json_pack(
	    "[{s:s, s:s, s:s}]", "group", METRICS_GROUP, "version", METRICS_VERSION, "kind", kind);
}

/* A kind with what each has, and more properties (taken). */
static json_t *
kind(const char *name, const char *description, json_t *properties)
{
	json_object_set_new(properties, "apiVersion", plain("string", "The version of the kind."));
	json_object_set_new(properties, "kind", plain("string", "The kind."));
	json_object_set_new(properties, "metadata", plain("object", "Name, namespace and labels."));
	return json_pack("{s:s, s:s, s:o, s:o}", "type", "object", "description", description,
	    "properties", properties, "x-kubernetes-group-version-kind", identity(name));
}

static json_t *
measured(void)
{
	return json_pack("{s:o, s:o}", "timestamp",
	    plain("string", "When it was measured: the end of the window."), "window",
	    plain("string", "Through how long processor time was measured."));
}

static json_t *
schemas(void)
{
	json_t *node = measured(), *pod = measured(), *container;

	json_object_set_new(node, "usage", usage());
	json_object_set_new(
	    pod, "containers", list_of("ContainerMetrics", "What each container uses."));
	container = json_pack("{s:s, s:s, s:{s:o, s:o}}", "type", "object", "description",
	    "What a container uses.", "properties", "name",
	    plain("string", "The container's name in the pod."), "usage", usage());
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", NAME("NodeMetrics"),
	    kind("NodeMetrics", "What a node uses.", node), NAME("PodMetrics"),
	    kind("PodMetrics", "What the containers of a pod use.", pod), NAME("ContainerMetrics"),
	    container, NAME("NodeMetricsList"),
	    kind("NodeMetricsList", "A list of NodeMetrics.",
		json_pack("{s:o}", "items", list_of("NodeMetrics", "The NodeMetrics."))),
	    NAME("PodMetricsList"),
	    kind("PodMetricsList", "A list of PodMetrics.",
		json_pack("{s:o}", "items", list_of("PodMetrics", "The PodMetrics."))));
}

/* GET of one path, whose answer is of this kind. */
static void
add_path(json_t *paths, const char *path, const char *answer, const char *what)
{
	autofree char *full = xasprintf("/" KEY "%s", path);
	autofree char *ref = xasprintf(REF NAME("%s"), answer);
	json_t *get = json_pack("{s:s, s:{s:{s:s, s:{s:{s:{s:s}}}}}, s:s, s:o}", "description",
	    "What is used.", "responses", "200", "description", "OK", "content", "application/json",
	    "schema", "$ref", ref, "x-kubernetes-action", strstr(path, "{name}") ? "get" : "list",
	    "x-kubernetes-group-version-kind", identity(what));
	json_t *id = json_array_get(json_object_get(get, "x-kubernetes-group-version-kind"), 0);

	json_incref(id); /* of an operation it is one, not a list of them */
	json_object_set_new(get, "x-kubernetes-group-version-kind", id);
	json_object_set_new(paths, full, json_pack("{s:o}", "get", get));
}

json_t *
metrics_openapi(const char *path)
{
	json_t *paths;

	if (strcmp(path, "/openapi/v3") == 0)
		return json_pack(
		    "{s:{s:{s:s}}}", "paths", KEY, "serverRelativeURL", "/openapi/v3/" KEY);
	if (strcmp(path, "/openapi/v3/" KEY) != 0)
		return NULL;
	paths = json_object();
	add_path(paths, "/nodes", "NodeMetricsList", "NodeMetrics");
	add_path(paths, "/nodes/{name}", "NodeMetrics", "NodeMetrics");
	add_path(paths, "/pods", "PodMetricsList", "PodMetrics");
	add_path(paths, "/namespaces/{namespace}/pods", "PodMetricsList", "PodMetrics");
	add_path(paths, "/namespaces/{namespace}/pods/{name}", "PodMetrics", "PodMetrics");
	return json_pack("{s:s, s:{s:s, s:s}, s:o, s:{s:o}}", "openapi", "3.0.0", "info", "title",
	    "orch-metrics", "version", METRICS_VERSION, "paths", paths, "components", "schemas",
	    schemas());
}
