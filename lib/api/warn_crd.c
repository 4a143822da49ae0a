/* CustomResourceDefinitions: formats that are not known, and so ask nothing of a value; custom
 * objects: names of finalizers that somebody else may have chosen, too. */
#include <stdlib.h>
#include <string.h>

#include "api/check.h"
#include "api/meta.h"
#include "api/structural_node.h"
#include "api/warn.h"
#include "base/mem.h"
#include "base/text.h"

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

static void
warn_finalizer(struct causes *out, const char *name)
{
	static const char *const own[] = { "orphan", "foregroundDeletion", NULL };
	autobuf struct buf quoted = BUF_INIT;
	struct causes said = CAUSES_INIT;

	text_quote(&quoted, name);
	check_qualified_name(&said, NULL, name);
	for (size_t i = 0; i < said.n; i++) {
		const char *why = strstr(said.item[i].message, quoted.data);

		warn_plain(out, "metadata.finalizers: %s%s", quoted.data,
		    why ? why + quoted.len : said.item[i].message);
	}
	if (!strchr(name, '/') && !text_in(name, own))
		warn_plain(out,
		    "metadata.finalizers: %s: prefer a domain-qualified finalizer name including a "
		    "path (/) to avoid accidental conflicts with other finalizer writers",
		    quoted.data);
	causes_release(&said);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void
warn_custom(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *list = get(obj, "metadata", "finalizers");
	const char **added = xreallocarray(NULL, json_array_size(list) + 1, sizeof *added);
	size_t i, n = 0;
	json_t *v;

	json_array_foreach (list, i, v)
		if (!old || !meta_has_finalizer(old, str(v, "")))
			added[n++] = str(v, "");
	qsort(added, n, sizeof *added, by_text);
	for (i = 0; i < n; i++)
		if (i == 0 || strcmp(added[i], added[i - 1]) != 0)
			warn_finalizer(out, added[i]);
	free(added);
}
