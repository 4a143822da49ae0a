#include "client/states.h"

#include <string.h>

#include "api/meta.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/yaml.h"
#include "client/threeway.h"

static json_t *
cleaned(const json_t *obj)
{
	json_t *copy = json_deep_copy(obj);

	if (copy)
		strip_server_fields(copy);
	return copy;
}

/* Only what every write changes goes, and what was applied last: it says it all a second time. */
static json_t *
trimmed(const json_t *obj)
{
	static const char *const noise[] = { "managedFields", "resourceVersion", "generation" };
	json_t *copy = json_deep_copy(obj), *meta = get(copy, "metadata");

	for (size_t i = 0; i < COUNT(noise); i++)
		json_object_del(meta, noise[i]);
	json_object_del(get(meta, "annotations"), LAST_APPLIED);
	if (json_object_size(get(meta, "annotations")) == 0)
		json_object_del(meta, "annotations");
	return copy;
}

/* The values of one map of a Secret; `other` is the same map of the other state. */
static json_t *
masked(const json_t *map, const json_t *other, const char *changed)
{
	json_t *out = json_object(), *value;
	const char *key;

	json_object_foreach ((json_t *)map, key, value) {
		const json_t *twin = json_object_get(other, key);

		json_object_set_new(
		    out, key, json_string(twin && !json_equal(twin, value) ? changed : "***"));
	}
	return out;
}

static void
mask(json_t *before, json_t *after)
{
	static const char *const maps[] = { "data", "stringData" };

	for (size_t i = 0; i < COUNT(maps); i++) {
		json_t *x = json_object_get(before, maps[i]), *y = json_object_get(after, maps[i]);
		json_auto_t *from = json_is_object(x) ? masked(x, y, "*** (before)") : NULL;
		json_auto_t *to = json_is_object(y) ? masked(y, x, "*** (after)") : NULL;

		if (from)
			json_object_set(before, maps[i], from);
		if (to)
			json_object_set(after, maps[i], to);
	}
}

static char *
yaml_of(const json_t *obj)
{
	struct buf b = BUF_INIT;

	if (!obj)
		return NULL;
	yaml_write_sorted(&b, obj);
	return buf_detach(&b);
}

static void
show(json_t *x, json_t *y, char **from, char **to)
{
	const json_t *any = y ? y : x;

	if (strcmp(text(any, "kind"), "Secret") == 0 && strcmp(text(any, "apiVersion"), "v1") == 0)
		mask(x, y);
	*from = yaml_of(x);
	*to = yaml_of(y);
}

void
states_shown(const json_t *before, const json_t *after, char **from, char **to)
{
	json_auto_t *x = cleaned(before), *y = cleaned(after);

	show(x, y, from, to);
}

void
states_told(const json_t *before, const json_t *after, char **from, char **to)
{
	json_auto_t *x = trimmed(before), *y = trimmed(after);

	show(x, y, from, to);
}
