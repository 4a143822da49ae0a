/* What the store decides without storing: paths, deletions, tokens. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "store/delete.h"
#include "store/token.h"

static void
path(const char *text, enum target_type type, const char *parts)
{
	struct target t;
	char got[512];

	target_parse(&t, text);
	snprintf(got, sizeof got, "%s|%s|%s|%s|%s|%s", t.group, t.version, t.namespace, t.resource,
	    t.name, t.sub);
	if (t.type != type || (parts && strcmp(got, parts) != 0)) {
		fprintf(stderr, "%s: type %d, %s\n", text, (int)t.type, got);
		abort();
	}
	target_release(&t);
}

static void
test_paths(void)
{
	path("/api/v1/pods", TARGET_RESOURCE, "|v1||pods||");
	path("/api/v1/namespaces", TARGET_RESOURCE, "|v1||namespaces||");
	path("/api/v1/namespaces/n", TARGET_RESOURCE, "|v1||namespaces|n|");
	path("/api/v1/namespaces/n/status", TARGET_RESOURCE, "|v1||namespaces|n|status");
	path("/api/v1/namespaces/n/finalize", TARGET_RESOURCE, "|v1||namespaces|n|finalize");
	path("/api/v1/namespaces/n/pods/p/log", TARGET_RESOURCE, "|v1|n|pods|p|log");
	path("/apis/apps/v1/namespaces/n/deployments/d/scale", TARGET_RESOURCE,
	    "apps|v1|n|deployments|d|scale");
	path("/apis/apps/v1/deployments/", TARGET_RESOURCE, "apps|v1||deployments||");
	path("/api/v1/namespaces/n/nodes", TARGET_MISSING, NULL);
	path("/api/v1/namespaces/n/pods/p/log/x", TARGET_MISSING, NULL);
	path("/api/v2/pods", TARGET_MISSING, NULL);
	path("/apis/apps/v7", TARGET_MISSING, NULL);
	path("/apis/nope.example.com/v1/things", TARGET_UNKNOWN, NULL);
	path("/api//v1", TARGET_UNKNOWN, NULL);
	path("/api/v1//configmaps", TARGET_MISSING, NULL);
	path("/api/v1/namespaces//configmaps/x", TARGET_MISSING, NULL);
	path("/api/v1/configmaps//x", TARGET_MISSING, NULL);
	path("/apis//v1", TARGET_UNKNOWN, NULL);
	path("//api/v1", TARGET_UNKNOWN, NULL);
	path("/api/v1/watch/pods", TARGET_RESOURCE, NULL);
	path("/api/v1/watch/namespaces/a/pods/p/status", TARGET_MISSING, NULL);
	path("/api/v1/watch", TARGET_MISSING, NULL);
	path("", TARGET_ROOT, NULL);
	path("/", TARGET_ROOT, NULL);
	path("/a/b/c/d/e/f/g/h/i/j/k", TARGET_UNKNOWN, NULL);
	path("/api", TARGET_API, NULL);
	path("/apis/", TARGET_APIS, NULL);
	path("/apis/apps", TARGET_GROUP, NULL);
	path("/apis/apps/v1", TARGET_VERSION, NULL);
	path("/readyz/ping", TARGET_HEALTH, NULL);
	path("/metrics", TARGET_METRICS, NULL);
	path("/openapi/v3", TARGET_OPENAPI, NULL);
	path("/openapi/v3/api/v1", TARGET_OPENAPI, NULL);
	path("/openapi/v2", TARGET_OPENAPI, NULL);
	path("/openapi/v2/x", TARGET_UNKNOWN, NULL);
	path("/openapi/v1", TARGET_UNKNOWN, NULL);
}

static enum deletion
decide(const char *kind, const char *object, struct delete_options o, const char *want)
{
	json_t *obj = json_loads(object, 0, NULL), *expected = json_loads(want, 0, NULL);
	enum deletion d = delete_decide(kind_find("", "v1", kind), obj, &o, 1000000);

	if (!json_equal(get(obj, "metadata"), expected)) {
		fprintf(stderr, "%s: %s\n", object, json_dumps(get(obj, "metadata"), JSON_COMPACT));
		abort();
	}
	json_decref(obj);
	json_decref(expected);
	return d;
}

static void
test_deletions(void)
{
	static const struct delete_options plain = { .policy = "" },
					   now = { .policy = "", .has_grace = true };
	static const struct delete_options orphan = { .policy = "Orphan" };
	static const char running[] = "{\"metadata\":{\"generation\":1},\"spec\":{\"nodeName\":"
				      "\"n\",\"terminationGracePeriodSeconds\":5}}";
	static const char leaving[] =
	    "{\"metadata\":{\"deletionGracePeriodSeconds\":5,\"deletionTimestamp\":\"1970-01-12T13:"
	    "46:45Z\"},"
	    "\"spec\":{\"nodeName\":\"n\",\"terminationGracePeriodSeconds\":5}}";

	assert(decide("ConfigMap", "{\"metadata\":{}}", plain, "{}") == DELETE_NOW);
	assert(decide("ConfigMap", "{\"metadata\":{\"finalizers\":[\"a\"]}}", plain,
		   "{\"finalizers\":[\"a\"],\"deletionTimestamp\":\"1970-01-12T13:46:40Z\","
		   "\"deletionGracePeriodSeconds\":0}") == DELETE_MARKED);
	assert(decide("ConfigMap", "{\"metadata\":{}}", orphan,
		   "{\"finalizers\":[\"orphan\"],\"deletionTimestamp\":\"1970-01-12T13:46:40Z\","
		   "\"deletionGracePeriodSeconds\":0}") == DELETE_MARKED);
	assert(decide("Pod", running, plain,
		   "{\"generation\":2,\"deletionTimestamp\":\"1970-01-12T13:46:45Z\","
		   "\"deletionGracePeriodSeconds\":5}") == DELETE_MARKED);
	assert(decide("Pod", running, now,
		   "{\"generation\":2,\"deletionTimestamp\":\"1970-01-12T13:46:40Z\","
		   "\"deletionGracePeriodSeconds\":0}") == DELETE_NOW);
	assert(decide("Pod", leaving, plain,
		   "{\"deletionGracePeriodSeconds\":5,\"deletionTimestamp\":\"1970-01-12T13:46:"
		   "45Z\"}") == DELETE_UNCHANGED);
	assert(decide("Pod", leaving, now,
		   "{\"deletionGracePeriodSeconds\":0,\"deletionTimestamp\":\"1970-01-12T13:46:"
		   "40Z\"}") == DELETE_NOW);
}

static void
test_tokens(void)
{
	struct token t = { 42, (char *)"default", (char *)"web" }, got = { 0 };
	struct err err;
	char *text = token_print(&t);

	assert(strpbrk(text, "+/=") == NULL);
	assert(token_parse(&got, text, &err) == 0);
	assert(got.revision == 42 && !strcmp(got.namespace, "default") && !strcmp(got.name, "web"));
	token_release(&got);
	free(text);
	got = (struct token){ 0 };
	assert(token_parse(&got, "e30", &err) == -ERR_BAD_REQUEST);
	assert(token_parse(&got, "?", &err) == -ERR_BAD_REQUEST);
	assert(token_parse(&got, "", &err) == -ERR_BAD_REQUEST);
}

int
main(void)
{
	test_paths();
	test_deletions();
	test_tokens();
	return 0;
}
