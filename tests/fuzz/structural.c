/*
 * Any schema, and any two objects against it: "[schema, object, old]".  What is accepted must do
 * its work without crash and in bounded time; so must what a stored definition says although it
 * would be refused.
 */
#include <stdint.h>
#include <stdlib.h>

#include "api/structural.h"
#include "base/json.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
use(const struct structural *s, const json_t *schema, const json_t *object, const json_t *old)
{
	json_auto_t *obj = json_is_object(object) ? json_deep_copy(object) : json_object();
	struct causes causes = CAUSES_INIT, passed = CAUSES_INIT;
	struct buf unknown = BUF_INIT;

	structural_prune(s, obj, &unknown);
	structural_default(s, obj);
	structural_validate_update(s, obj, json_is_object(old) ? old : NULL, &causes, &passed);
	json_decref(structural_openapi(schema, 2));
	json_decref(structural_openapi(schema, 3));
	buf_release(&unknown);
	causes_release(&causes);
	causes_release(&passed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char msg[128];
	size_t used;
	json_t *v = NULL;
	const json_t *schema;
	struct causes causes = CAUSES_INIT;
	struct structural *s;

	if (json_decode((const char *)data, size, &v, &used, msg) != JSON_FINE)
		return 0;
	schema = json_is_array(v) ? json_array_get(v, 0) : v;
	if (json_is_object(schema)) {
		s = structural_new(schema, "spec.validation.openAPIV3Schema", &causes);
		if (s)
			use(s, schema, json_array_get(v, 1), json_array_get(v, 2));
		structural_free(s);
		s = structural_load(schema);
		use(s, schema, json_array_get(v, 1), json_array_get(v, 2));
		structural_free(s);
	}
	causes_release(&causes);
	json_decref(v);
	return 0;
}
