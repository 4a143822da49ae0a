#include "client/manifest.h"

#include <string.h>

#include "api/meta.h"
#include "api/validate.h"
#include "base/mem.h"

int
unknown_of(const char *word, enum unknown *ret, struct err *err)
{
	static const char *const words[] = {
		[UNKNOWN_ERROR] = "error", [UNKNOWN_WARN] = "warn", [UNKNOWN_IGNORE] = "ignore"
	};

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(words[i], word) == 0) {
			*ret = (enum unknown)i;
			return 0;
		}
	return err_set(
	    err, ERR_BAD_REQUEST, "--unknown: '%s' is none of error, warn, ignore", word);
}

const char *
unknown_validation(enum unknown how)
{
	static const char *const words[] = {
		[UNKNOWN_ERROR] = "Strict", [UNKNOWN_WARN] = "Warn", [UNKNOWN_IGNORE] = "Ignore"
	};

	return words[how];
}

/* Built in, or learned from its definition. */
static bool
known(const struct kind *k)
{
	return kind_find(k->group, k->version, k->kind) == k;
}

static int
report_unknown(const struct causes *fields, enum unknown how, struct buf *warnings, struct err *err)
{
	if (fields->n > 0 && how == UNKNOWN_ERROR)
		return err_set(err, ERR_BAD_REQUEST, "%s", fields->item[0].message);
	for (size_t i = 0; i < fields->n && how == UNKNOWN_WARN; i++)
		buf_printf(warnings, "%s\n", fields->item[i].message);
	return 0;
}

int
manifest_fits(const struct kind *k, const json_t *obj, enum unknown how, struct buf *warnings,
    struct err *err)
{
	struct causes unknown = CAUSES_INIT;
	json_auto_t *copy = NULL;
	int r;

	if (!known(k))
		return 0;
	copy = json_deep_copy(obj);
	if ((r = validate_decode(k, copy, &unknown, err)) >= 0)
		r = report_unknown(&unknown, how, warnings, err);
	causes_release(&unknown);
	return r;
}

int
manifest_complete(const struct kind *k, json_t *obj, const json_t *live, struct err *err)
{
	struct causes causes = CAUSES_INIT;
	int r = 0;

	if (!known(k))
		return 0;
	normalize(k, obj);
	defaults_apply(k, obj);
	if (!live || !k->custom)
		validate_sent(k, obj, &causes);
	if (live)
		validate_update(k, obj, live, &causes);
	if (causes.n > 0)
		r = causes_err(&causes, k, meta_name(obj), err);
	causes_release(&causes);
	return r;
}

int
manifest_check(const struct kind *k, const json_t *obj, enum unknown how, struct buf *warnings,
    struct err *err)
{
	json_auto_t *copy = json_deep_copy(obj);
	int r = manifest_fits(k, obj, how, warnings, err);

	return r < 0 ? r : manifest_complete(k, copy, NULL, err);
}

static void
drop_unknown(const struct type *t, json_t *v)
{
	const char *key;
	json_t *value;
	size_t n;
	void *next;

	if (t && (t->class == CLASS_LIST || t->class == CLASS_MAP)) {
		json_array_foreach (v, n, value)
			drop_unknown(t->elem, value);
		json_object_foreach (v, key, value)
			drop_unknown(t->elem, value);
	}
	if (!t || t->class != CLASS_STRUCT || t->nfields == 0)
		return;
	json_object_foreach_safe(v, next, key, value)
	{
		const struct field *f = type_field(t, key);

		if (f)
			drop_unknown(f->type, value);
		else
			json_object_del(v, key);
	}
}

void
manifest_drop_unknown(const struct kind *k, json_t *obj, enum unknown how, struct buf *warnings)
{
	struct causes unknown = CAUSES_INIT;
	struct err err;

	if (k && known(k) && validate_decode(k, obj, &unknown, &err) >= 0 && unknown.n > 0) {
		report_unknown(&unknown, how == UNKNOWN_ERROR ? UNKNOWN_WARN : how, warnings, &err);
		if (!k->custom) /* its decoder has dropped them */
			drop_unknown(k->type, obj);
	}
	causes_release(&unknown);
}
