#include <ctype.h>
#include <string.h>

#include "api/label.h"
#include "api/meta.h"
#include "api/tag.h"
#include "base/mem.h"
#include "base/text.h"

const struct tag_field label_field = { "labels", "label", true };
const struct tag_field annotation_field = { "annotations", "annotation", false };

bool
tag_word(const char *word)
{
	return strchr(word, '=') || text_ends(word, "-");
}

/* Annotations may have upper case letters in the prefix too (apimachinery ValidateAnnotations). */
static char *
key_refused(const struct tag_field *f, const char *key)
{
	autofree char *lower = xstrdup(key);

	for (char *p = lower; *p && !f->labels; p++)
		*p = (char)tolower((unsigned char)*p);
	return label_key_refused(lower);
}

static int
parse_one(json_t *edits, const struct tag_field *f, const char *word, struct err *err)
{
	const char *eq = strchr(word, '=');
	size_t len = eq ? (size_t)(eq - word) : strlen(word) - 1;
	autofree char *key = xstrndup(word, len), *why = key_refused(f, key);
	autofree char *bad = !why && eq && f->labels ? label_value_refused(eq + 1) : NULL;

	if (why)
		return err_set(err, ERR_BAD_REQUEST, "%s key '%s': %s", f->singular, key, why);
	if (bad)
		return err_set(err, ERR_BAD_REQUEST, "%s '%s': %s", f->singular, word, bad);
	if (json_object_get(edits, key))
		return err_set(
		    err, ERR_BAD_REQUEST, "%s '%s' stands there twice", f->singular, key);
	if (json_object_set_new(edits, key, eq ? json_string(eq + 1) : json_null()) < 0)
		return err_set(err, ERR_BAD_REQUEST, "%s '%s' is not UTF-8", f->singular, key);
	return 0;
}

int
tags_parse(json_t **ret, const struct tag_field *f, char *const words[], int n, struct err *err)
{
	json_auto_t *edits = json_object();

	for (int i = 0; i < n; i++) {
		int r = parse_one(edits, f, words[i], err);

		if (r < 0)
			return r;
	}
	*ret = json_incref(edits);
	return 0;
}

int
tags_missing(json_t **ret, const struct tag_field *f, const json_t *edits, const json_t *obj,
    bool overwrite, struct err *err)
{
	json_auto_t *missing = json_object();
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)edits, key, value) {
		const json_t *now = get(obj, "metadata", f->name, key);

		if (json_is_null(value) ? !now : json_equal(value, now))
			continue;
		if (now && !json_is_null(value) && !overwrite)
			return err_set(err, ERR_DIFFERS,
			    "its %s '%s' is '%s' already; --overwrite changes it", f->singular, key,
			    str(now, ""));
		json_object_set(missing, key, value);
	}
	*ret = json_incref(missing);
	return 0;
}

void
tags_apply(const struct tag_field *f, const json_t *edits, json_t *obj)
{
	json_t *meta = get(obj, "metadata"), *value;
	const char *key;

	json_object_foreach ((json_t *)edits, key, value) {
		if (json_is_null(value))
			json_object_del(get(meta, f->name), key);
		else
			put(obj, json_incref(value), "metadata", f->name, key);
	}
	if (meta && get(meta, f->name) && json_object_size(get(meta, f->name)) == 0)
		json_object_del(meta, f->name);
}
