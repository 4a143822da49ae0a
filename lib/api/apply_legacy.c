/*
 * kubectl's client-side apply kept what it had applied in an annotation.  When the same person
 * goes on with server-side apply, what is in there and still so is his, although another name
 * ("kubectl-client-side-apply") owns it; and the annotation is kept in step for going back.
 */
#include <string.h>

#include "api/apply.h"
#include "api/meta.h"
#include "api/typed.h"
#include "base/mem.h"

enum { LARGEST = 256 * 1024 }; /* of all annotations, TotalAnnotationSizeLimitB */

static const char last_applied[] = "kubectl.kubernetes.io/last-applied-configuration";

json_t *
legacy_fields(struct arena *a, const struct kind *k, const json_t *live, struct fieldset *ret)
{
	const char *json = meta_annotation(live, last_applied);
	char version[128];
	json_t *last;
	autobuf struct buf why = BUF_INIT;
	struct changes c;
	struct fieldset s;

	if (!json || !*json || !(last = json_loads(json, 0, NULL)))
		return NULL;
	if (strcmp(text(last, "apiVersion"), kind_api_version(k, version)) != 0 ||
	    !typed_check(kind_schema(k), last, &why)) {
		json_decref(last);
		return NULL;
	}
	s = typed_fields(a, kind_schema(k), last);
	c = typed_compare(a, kind_schema(k), last, live);
	s = fieldset_minus(a, &s, &c.modified);
	s = fieldset_minus(a, &s, &c.added);
	*ret = fieldset_minus(a, &s, &c.removed);
	return last;
}

/* JSON as Go writes it: keys in order, and nothing in it that HTML would take amiss. */
static char *
go_json(const json_t *v)
{
	autofree char *json = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
	struct buf b = BUF_INIT;

	for (const char *p = json; p && *p; p++) {
		if (strchr("<>&", *p))
			buf_printf(&b, "\\u%04x", (unsigned)*p);
		else
			buf_putc(&b, *p);
	}
	buf_putc(&b, '\n');
	return buf_detach(&b);
}

void
legacy_note(json_t *obj, const json_t *patch)
{
	const char *before = meta_annotation(obj, last_applied), *key;
	autofree char *json = NULL;
	json_t *copy, *annotations, *v;
	size_t total = sizeof last_applied - 1;

	if (!before || !*before)
		return;
	copy = json_deep_copy(patch);
	json_object_del(get(copy, "metadata", "annotations"), last_applied);
	json = go_json(copy);
	json_decref(copy);
	annotations = get(obj, "metadata", "annotations");
	json_object_foreach (annotations, key, v)
		if (strcmp(key, last_applied) != 0)
			total += strlen(key) + json_string_length(v);
	if (total + strlen(json) > LARGEST)
		json_object_del(annotations, last_applied);
	else
		json_object_set_new(annotations, last_applied, json_string(json));
}
