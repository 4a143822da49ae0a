/*
 * Every controller over whatever parses as JSON: the API server validates, a pipe does not.  The
 * first bytes of the input say which values are replaced by unlikely ones, the rest is objects, one
 * a line; when they have no kind, they get a likely one.
 */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "control/control.h"

static const char *const kinds[][2] = {
	{ "apps/v1", "Deployment" },
	{ "apps/v1", "ReplicaSet" },
	{ "v1", "Pod" },
	{ "v1", "Node" },
	{ "v1", "Namespace" },
	{ "coordination.k8s.io/v1", "Lease" },
};

enum { CHANGES = 4, BYTES_EACH = 8 };

/* Walk down from obj as the bytes say, and put an odd value there. */
static void
change(json_t *obj, const uint8_t byte[BYTES_EACH])
{
	static const char *const odd[] = { "null", "true", "-1", "4611686018427387904", "\"\"",
		"\"x\"", "[]", "{}", "[\"x\"]", "{\"a\":\"b\"}", "1e300", "[{}]", "\"100%\"",
		"[null,1]", "{\"uid\":1}", "\"2026-01-01T00:00:00Z\"" };
	json_t *value = json_loads(odd[byte[0] % COUNT(odd)], JSON_DECODE_ANY, NULL);

	for (int i = 1; i < BYTES_EACH; i++) {
		bool last = byte[i] % 8 == 0 || i == BYTES_EACH - 1;
		json_t *next;

		if (json_is_object(obj) && json_object_size(obj) > 0) {
			void *it = json_object_iter(obj);

			for (size_t skip = byte[i] / 2 % json_object_size(obj); skip > 0; skip--)
				it = json_object_iter_next(obj, it);
			next = json_object_iter_value(it);
			last |= !json_is_object(next) && !json_is_array(next);
			if (last)
				json_object_iter_set(obj, it, value);
		} else if (json_is_array(obj) && json_array_size(obj) > 0) {
			size_t at = byte[i] / 2 % json_array_size(obj);

			next = json_array_get(obj, at);
			last |= !json_is_object(next) && !json_is_array(next);
			if (last)
				json_array_set(obj, at, value);
		} else {
			break;
		}
		if (last)
			break;
		obj = next;
	}
	json_decref(value);
}

static void
reconcile_all(const struct world *w)
{
	for (size_t c = 0; controllers[c]; c++)
		for (size_t k = 0; world_kind(w, k); k++) {
			struct walk it = world_each(w, world_kind(w, k), NULL);

			if (strcmp(controllers[c]->kind, "*") != 0 &&
			    strcmp(controllers[c]->kind, world_kind(w, k)) != 0)
				continue;
			for (const json_t *obj; (obj = walk_next(&it));) {
				struct plan plan;
				struct err err;

				plan_init(&plan, controllers[c]->name, "fuzz");
				controllers[c]->reconcile(w, obj, &plan, &err);
				plan_release(&plan);
			}
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world_new();
	const char *at = (const char *)data, *end = at + size;
	const uint8_t *changes = data;
	json_t *all = json_array(), *obj;
	size_t n = 0, i;

	if (size < CHANGES * BYTES_EACH)
		goto out;
	at += CHANGES * BYTES_EACH;
	world_set_now(w, 1767225600);
	world_set_known(w, "*");
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = newline ? (size_t)(newline - at) : (size_t)(end - at);

		obj = json_loadb(at, len, 0, NULL);

		at += len + 1;
		if (!json_is_object(obj)) {
			json_decref(obj);
			continue;
		}
		if (!json_is_string(get(obj, "kind"))) {
			put(obj, json_string(kinds[n % COUNT(kinds)][0]), "apiVersion");
			put(obj, json_string(kinds[n++ % COUNT(kinds)][1]), "kind");
		}
		json_array_append_new(all, obj);
	}
	for (i = 0; json_array_size(all) && i < CHANGES; i++, changes += BYTES_EACH)
		change(json_array_get(all, changes[0] / 16 % json_array_size(all)), changes);
	json_array_foreach (all, i, obj)
		world_put(w, json_incref(obj));
	reconcile_all(w);
out:
	json_decref(all);
	world_free(w);
	return 0;
}
