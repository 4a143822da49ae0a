/*
 * Objects in several versions: whatever a client writes, what comes back stays as it is when it is
 * written again; and something that is no such object at all does no harm.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/convert.h"
#include "api/validate.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct kind *k, const json_t *obj)
{
	json_t *once = json_deep_copy(obj), *twice;
	struct err err;

	if (validate_types(k, once, NULL, &err) == 0) {
		normalize(k, once);
		defaults_apply(k, once);
		convert_settle(k, once);
		twice = json_deep_copy(once);
		convert_settle(k, twice);
		if (!json_equal(once, twice)) {
			json_dumpf(once, stderr, 0);
			json_dumpf(twice, stderr, 0);
			abort();
		}
		convert_keep(k, once, twice, true);
		convert_keep(k, twice, once, false);
		json_decref(twice);
	} else {
		convert_settle(k, once);
	}
	json_decref(once);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const kinds[][2] = { { "autoscaling/v1", "HorizontalPodAutoscaler" },
		{ "autoscaling/v2", "HorizontalPodAutoscaler" }, { "v1", "Event" },
		{ "events.k8s.io/v1", "Event" } };
	size_t used;
	char msg[128];
	json_t *obj;

	if (size < 1 ||
	    json_decode((const char *)data + 1, size - 1, &obj, &used, msg) != JSON_FINE)
		return 0;
	check(kind_of_object(kinds[data[0] % 4][0], kinds[data[0] % 4][1]), obj);
	json_decref(obj);
	return 0;
}
