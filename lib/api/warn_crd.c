/* CustomResourceDefinitions: formats that are not known, and so ask nothing of a value. */
#include <string.h>

#include "api/meta.h"
#include "api/structural_node.h"
#include "api/warn.h"
#include "base/mem.h"

static bool
known(const json_t *s, const char *format)
{
	const char *type = text(s, "type");

	if (!*type || !strcmp(type, "string"))
		return format_check(format) || !strcmp(format, "quantity");
	if (!strcmp(type, "integer"))
		return !strcmp(format, "int32") || !strcmp(format, "int64");
	return !strcmp(type, "number") && (!strcmp(format, "float") || !strcmp(format, "double"));
}

/* Every unknown format in a schema becomes a member of `set`. */
static void
gather(const json_t *s, json_t *set)
{
	static const char *const parts[] = { "items", "not", "additionalProperties", "allOf",
		"anyOf", "oneOf" };
	const char *format = text(s, "format"), *name;
	json_t *v, *item;
	size_t i;

	if (*format && !known(s, format))
		json_object_set_new(set, format, json_true());
	for (size_t k = 0; k < COUNT(parts); k++) {
		v = json_object_get(s, parts[k]);
		if (json_is_object(v))
			gather(v, set);
		json_array_foreach (v, i, item)
			gather(item, set);
	}
	json_object_foreach (json_object_get(s, "properties"), name, v)
		gather(v, set);
}

static json_t *
unknown_formats(const json_t *crd)
{
	json_t *set = json_object(), *v;
	size_t i;

	json_array_foreach (get(crd, "spec", "versions"), i, v)
		gather(get(v, "schema", "openAPIV3Schema"), set);
	return set;
}

void
warn_definition(struct causes *out, const json_t *obj, const json_t *old)
{
	json_auto_t *now = unknown_formats(obj), *before = unknown_formats(old);
	const char *format;
	json_t *v;

	json_object_foreach (now, format, v)
		if (!json_object_get(before, format))
			warn_plain(out, "unrecognized format \"%s\"", format);
}
