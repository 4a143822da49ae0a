/* Patches of a Deployment: any JSON, in all three forms. */
#include <string.h>

#include "api/patch.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);

static const char deployment[] =
    "{\"metadata\":{\"name\":\"web\",\"finalizers\":[\"a/b\"],\"labels\":{\"a\":\"b\"}},\"spec\":{"
    "\"replicas\":2,\"strategy\":{\"type\":\"Recreate\"},\"template\":{\"spec\":{\"containers\":[{"
    "\"name\":\"c\",\"image\":\"i\",\"args\":[\"x\"],\"env\":[{\"name\":\"A\",\"value\":\"1\"},{"
    "\"name\":\"B\"}],\"ports\":[{\"containerPort\":80}]},{\"name\":\"d\",\"image\":\"j\"}],"
    "\"tolerations\":[{\"key\":\"k\"}]}}}}";

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	const struct kind *k = kind_find("apps", "v1", "Deployment");
	json_t *patch = json_loadb((const char *)data, len, JSON_DECODE_ANY, NULL);
	json_t *target = json_loads(deployment, 0, NULL);
	struct err err;

	if (json_is_array(patch))
		(void)json_patch(&target, patch, &err);
	else if (json_is_object(patch))
		(void)strategic_patch(&target, patch, k->type, &err);
	if (patch)
		target = merge_patch(target, patch);
	json_decref(target);
	json_decref(patch);
	return 0;
}
