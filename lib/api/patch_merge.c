/* JSON merge patch, RFC 7386. */
#include "api/patch.h"

json_t *
merge_patch(json_t *target, const json_t *patch)
{
	const char *key;
	json_t *v;

	if (!json_is_object(patch)) {
		json_decref(target);
		return json_deep_copy(patch);
	}
	if (!json_is_object(target)) {
		json_decref(target);
		target = json_object();
	}
	json_object_foreach ((json_t *)patch, key, v) {
		json_t *was;

		if (json_is_null(v)) {
			json_object_del(target, key);
			continue;
		}
		was = json_object_get(target, key);
		json_object_set_new(target, key, merge_patch(json_incref(was), v));
	}
	return target;
}
