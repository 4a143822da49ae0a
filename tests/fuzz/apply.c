/*
 * Server-side apply with any JSON: as the patch, as live object, as what an update sends.  What
 * comes out applies again without a change.
 */
#include <stdlib.h>
#include <string.h>

#include "api/apply.h"
#include "api/meta.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);

static const char deployment[] =
    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\","
    "\"finalizers\":[\"a/b\"],\"labels\":{\"a\":\"b\"},\"managedFields\":[{\"manager\":\"m\","
    "\"operation\":\"Apply\",\"apiVersion\":\"apps/v1\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{"
    "\"f:spec\":{\"f:replicas\":{},\"f:template\":{\"f:spec\":{\"f:containers\":{"
    "\"k:{\\\"name\\\":\\\"c\\\"}\":{\".\":{},\"f:image\":{},\"f:name\":{}}}}}}}}]},\"spec\":{"
    "\"replicas\":2,\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"},{"
    "\"name\":\"d\",\"ports\":[{\"containerPort\":80}]}],\"tolerations\":[{\"key\":\"k\"}]}}}}";

static void
apply_to(const json_t *live, const json_t *patch)
{
	struct apply req = { .kind = kind_find("apps", "v1", "Deployment"),
		.subresource = "",
		.manager = "m",
		.now = "2026-01-01T00:00:00Z",
		.force = true };
	struct conflicts c = { CAUSES_INIT, NULL };
	json_t *once = NULL, *twice = NULL;
	struct err err;

	if (apply_patch(&req, live, patch, &once, &c, &err) == 0) {
		req.now = "2026-01-02T00:00:00Z";
		req.force = false;
		/* (an object without owners gets one, "before-first-apply") */
		if (apply_patch(&req, once, patch, &twice, &c, &err) < 0 ||
		    (get(once, "metadata", "managedFields") && !json_equal(once, twice)))
			abort();
	}
	json_decref(once);
	json_decref(twice);
	conflicts_release(&c);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	struct apply req = { .kind = kind_find("apps", "v1", "Deployment"),
		.subresource = "",
		.manager = "u",
		.now = "2026-01-01T00:00:00Z" };
	json_t *any = json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, NULL);
	json_t *live = json_loads(deployment, 0, NULL);

	if (json_is_object(any)) {
		json_t *patch = json_deep_copy(any), *plain;

		json_object_set_new(patch, "apiVersion", json_string("apps/v1"));
		json_object_set_new(patch, "kind", json_string("Deployment"));
		apply_to(live, patch);
		apply_to(any, patch);
		plain = apply_plain(live);
		apply_to(any, plain);
		json_decref(plain);
		apply_track(&req, live, patch);
		apply_track(&req, patch, live);
		json_decref(patch);
	}
	json_decref(any);
	json_decref(live);
	return 0;
}
