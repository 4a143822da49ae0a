/* The OpenAPI documents: for every group and version, every $ref leads somewhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/openapi.h"
#include "base/mem.h"

static int
check(const json_t *v, const json_t *schemas)
{
	static const char prefix[] = "#/components/schemas/";
	const char *ref = text(v, "$ref"), *key;
	json_t *item;
	size_t i;
	int bad = 0;

	if (*ref && (strncmp(ref, prefix, strlen(prefix)) != 0 ||
			!json_object_get(schemas, ref + strlen(prefix)))) {
		fprintf(stderr, "%s leads nowhere\n", ref);
		bad++;
	}
	json_object_foreach ((json_t *)v, key, item)
		bad += check(item, schemas);
	json_array_foreach (v, i, item)
		bad += check(item, schemas);
	return bad;
}

static void
collect(void *buf, const void *data, size_t len)
{
	buf_add(buf, data, len);
}

/* Version 2 has every path and type of version 3, and its references lead somewhere, too. */
static int
check_v2(size_t paths)
{
	autobuf struct buf b = BUF_INIT, pb = BUF_INIT;
	json_t *doc;
	int bad = 0;

	openapi_v2_json(&(struct openapi_sink){ collect, &b });
	doc = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
	bad += !doc || json_object_size(json_object_get(doc, "paths")) != paths;
	bad += strstr(b.data, "#/components/") != NULL || strstr(b.data, "\"allOf\":[") != NULL;
	bad += strcmp(text(doc, "definitions", "io.k8s.api.core.v1.PodSpec", "properties",
			  "containers", "items", "$ref"),
		   "#/definitions/io.k8s.api.core.v1.Container") != 0;
	json_decref(doc);
	/* Document { swagger = 1 } first, so that it is known for what it is */
	openapi_v2_protobuf(&(struct openapi_sink){ collect, &pb });
	bad += pb.len < 500000 || memcmp(pb.data,
				      "\x0a\x03"
				      "2.0\x12",
				      6) != 0;
	return bad;
}

/* What is published is not what is checked: marks of Kubernetes' types only. */
static int
check_marks(void)
{
	static const struct {
		const char *type, *field, *key, *want;
	} cases[] = {
		{ "core.v1.ServiceSpec", "ipFamilies", "enum", "[\"\",\"IPv4\",\"IPv6\"]" },
		{ "core.v1.Container", "restartPolicy", "enum", NULL },
		{ "core.v1.ImageVolumeSource", "pullPolicy", "enum",
		    "[\"Always\",\"IfNotPresent\",\"Never\"]" },
		{ "core.v1.ContainerPort", "protocol", "default", "\"TCP\"" },
		{ "core.v1.PodSpec", "restartPolicy", "default", NULL },
		{ "core.v1.ContainerPort", "containerPort", "default", "0" },
		{ "core.v1.Pod", "spec", "default", "{}" },
		{ "core.v1.PersistentVolumeClaimStatus", "allocatedResourceStatuses",
		    "x-kubernetes-map-type", "\"granular\"" },
	};
	json_t *doc = openapi_v3("", "v1");
	int bad = 0;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		autofree char *name = xasprintf("io.k8s.api.%s", cases[i].type);
		json_t *f = get(doc, "components", "schemas", name, "properties", cases[i].field);
		json_t *items = json_object_get(f, "items");
		json_t *v = json_object_get(items ? items : f, cases[i].key);
		autofree char *have = v ? json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
		const char *want = cases[i].want;

		if (!f || !have != !want || (have && strcmp(have, want) != 0)) {
			fprintf(stderr, "%s.%s %s: %s\n", cases[i].type, cases[i].field,
			    cases[i].key, have ? have : "nothing");
			bad++;
		}
	}
	bad += strcmp(text(doc, "components", "schemas", "io.k8s.api.core.v1.SeccompProfile",
			  "properties", "type", "type"),
		   "string") != 0;
	bad += json_array_size(get(doc, "components", "schemas",
		   "io.k8s.api.core.v1.SeccompProfile", "x-kubernetes-unions")) != 1;
	json_decref(doc);
	return bad;
}

int
main(void)
{
	json_t *names = openapi_names(), *name, *doc, *apps = openapi_v3("apps", "v1");
	size_t i, paths = 0;
	int bad = 0;

	json_array_foreach (names, i, name) {
		doc = openapi_document(json_string_value(name));
		bad += check(doc, get(doc, "components", "schemas"));
		paths += json_object_size(json_object_get(doc, "paths"));
		json_decref(doc);
	}
	bad += json_array_size(names) < 40 || openapi_document("apis/apps/v9") != NULL ||
	       openapi_document("apis/nope") != NULL || openapi_document("api/") != NULL;
	if (!get(apps, "paths", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale",
		"patch") ||
	    strcmp(text(apps, "components", "schemas", "io.k8s.api.core.v1.PodSpec", "properties",
		       "containers", "x-kubernetes-patch-merge-key"),
		"name") != 0)
		bad++;
	json_decref(apps);
	json_decref(names);
	bad += check_v2(paths);
	bad += check_marks();
	return bad != 0;
}
