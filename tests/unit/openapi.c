/* The OpenAPI documents: for every group and version, every $ref leads somewhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/openapi.h"

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

int
main(void)
{
	size_t n, documents = 0;
	const struct kind *k = schema_kinds(&n);
	int bad = 0;

	for (size_t i = 0; i < n; i++) {
		json_t *doc;

		if (i > 0 && strcmp(k[i].group, k[i - 1].group) == 0 &&
		    strcmp(k[i].version, k[i - 1].version) == 0)
			continue;
		doc = openapi_v3(k[i].group, k[i].version);
		bad += check(doc, get(doc, "components", "schemas"));
		documents++;
		json_decref(doc);
	}
	json_t *apps = openapi_v3("apps", "v1");
	if (!get(apps, "paths", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale",
		"patch") ||
	    strcmp(text(apps, "components", "schemas", "io.k8s.api.core.v1.PodSpec", "properties",
		       "containers", "x-kubernetes-patch-merge-key"),
		"name") != 0)
		bad++;
	json_decref(apps);
	return bad != 0 || documents < 15;
}
