/* What happens to objects of kinds that a CustomResourceDefinition makes. */
#include <stdlib.h>
#include <string.h>

#include "api/custom.h"
#include "api/jsonpath.h"
#include "api/meta.h"
#include "api/rules.h"
#include "base/mem.h"
#include "base/time.h"

/* Metadata as a kind of their own: they are decoded apart from the rest. */
static struct kind
metadata_of(const struct kind *k)
{
	struct kind meta = *k;

	meta.type = type_find("meta.v1.ObjectMeta");
	meta.custom = NULL;
	return meta;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Paths, each ended by a NUL, in alphabetical order. */
static void
add_unknown(struct causes *out, const struct buf *paths)
{
	const char **sorted = NULL;
	size_t n = 0, cap = 0;

	for (size_t at = 0; at < paths->len; at += strlen(paths->data + at) + 1) {
		GROW(sorted, n, cap);
		sorted[n++] = paths->data + at;
	}
	if (n)
		qsort(sorted, n, sizeof *sorted, by_text);
	for (size_t i = 0; i < n; i++)
		cause_add(out, "FieldValueInvalid", sorted[i], "unknown field \"%s\"", sorted[i]);
	free(sorted);
}

int
custom_decode(const struct kind *k, json_t *obj, struct causes *unknown, struct err *err)
{
	autobuf struct buf paths = BUF_INIT;
	const struct kind meta = metadata_of(k);
	json_t *m = json_object_get(obj, "metadata");
	struct causes here = CAUSES_INIT;
	int r = 0;

	if (m && (r = validate_types(&meta, m, &here, err)) == 0) {
		for (size_t i = 0; i < here.n; i++) {
			autofree char *field = xasprintf("metadata.%s", here.item[i].field);

			cause_add(
			    unknown, "FieldValueInvalid", field, "unknown field \"%s\"", field);
		}
		if (json_is_object(m))
			normalize_sent(&meta, m);
		else
			json_object_del(obj, "metadata");
	}
	causes_release(&here);
	if (r == 0) {
		structural_prune(custom_schema(k), obj, &paths);
		add_unknown(unknown, &paths);
		buf_clear(&paths);
		r = structural_coerce(custom_schema(k), &meta, obj, &paths, err);
		add_unknown(unknown, &paths);
	}
	if (r < 0 && strncmp(err->msg, k->kind, strlen(k->kind)) != 0)
		err_wrap(err, "%s in version \"%s\" cannot be handled as a %s", k->kind, k->version,
		    k->kind);
	return r;
}

void
custom_read(const struct kind *stored, json_t *obj, uint64_t revision)
{
	const struct kind meta = metadata_of(stored);

	if (revision >= stored->custom->since)
		return;
	structural_prune(custom_schema(stored), obj, NULL);
	(void)structural_coerce(custom_schema(stored), &meta, obj, NULL, NULL);
	structural_default(custom_schema(stored), obj);
}

void
custom_convert(json_t *obj, const struct kind *to)
{
	char version[128];

	if (json_object_get(obj, "apiVersion"))
		json_object_set_new(obj, "apiVersion", json_string(kind_api_version(to, version)));
	structural_prune(custom_schema(to), obj, NULL);
}

int
custom_adopt(const struct kind *k, json_t *obj, struct err *err)
{
	const struct kind meta = metadata_of(k);

	structural_prune(custom_schema(k), obj, NULL);
	structural_drop_nulls(custom_schema(k), obj);
	return structural_coerce(custom_schema(k), &meta, obj, NULL, err);
}

void
custom_default(const struct kind *k, json_t *obj)
{
	structural_default(custom_schema(k), obj);
}

/* A patch may have changed what it is. */
static void
check_kind(const struct kind *k, const json_t *obj, struct causes *out)
{
	const char *kind = text(obj, "kind"), *version = text(obj, "apiVersion");
	char want[128];

	if (strcmp(kind, k->kind) != 0)
		refuse_text(out, AT(NULL, "kind"), kind, "must be %s", k->kind);
	if (strcmp(version, kind_api_version(k, want)) != 0)
		refuse_text(out, AT(NULL, "apiVersion"), version, "must be %s", want);
}

static void
check_scale(const struct structural_change *c, struct causes *out)
{
	custom_check_scale(c->arg, c->obj, c->status, out);
}

void
custom_validate(const struct kind *k, const json_t *obj, const json_t *old, bool status,
    struct causes *out, struct causes *passed)
{
	const struct structural_change c = { .obj = obj,
		.old = old,
		.status = status,
		.passed = passed,
		.more = check_scale,
		.arg = k->custom };
	size_t before;

	before = out->n;
	check_kind(k, obj, out);
	if (out->n > before)
		return;
	if (old)
		meta_common(out, k, obj, old);
	before = out->n;
	if (old)
		meta_update(out, k, obj, old);
	else
		meta_create(out, k, obj);
	structural_validate_change(custom_schema(k), &c, out, before);
}

const struct kind *
custom_sibling(const struct kind *k, const char *api_version)
{
	char buf[128];

	for (size_t i = 0; i < k->custom->nall; i++)
		if (strcmp(kind_api_version(&k->custom->all[i], buf), api_version) == 0)
			return &k->custom->all[i];
	return NULL;
}

bool
custom_counts(const struct kind *k, const json_t *old, const json_t *obj)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)old, key, v)
		if (strcmp(key, "metadata") != 0 && strcmp(key, "apiVersion") != 0 &&
		    !(k->custom->status && strcmp(key, "status") == 0) &&
		    !json_equal(v, json_object_get(obj, key)))
			return true;
	json_object_foreach ((json_t *)obj, key, v)
		if (strcmp(key, "metadata") != 0 &&
		    !(k->custom->status && strcmp(key, "status") == 0) &&
		    !json_object_get(old, key))
			return true;
	return false;
}

/* --- printer columns --- */

static json_t *
typed_cell(const char *type, json_t *v, int64_t now)
{
	int64_t then;
	char buf[TIME_TEXT];

	if (strcmp(type, "integer") == 0)
		return json_is_number(v) ? json_integer((json_int_t)json_number_value(v))
					 : json_null();
	if (strcmp(type, "number") == 0)
		return json_is_number(v) ? json_incref(v) : json_null();
	if (strcmp(type, "boolean") == 0)
		return json_is_boolean(v) ? json_incref(v) : json_null();
	if (strcmp(type, "date") != 0 || !json_is_string(v))
		return json_null();
	if (!time_parse(json_string_value(v), &then))
		return json_string("<invalid>");
	return json_string(duration_print(now - then, buf));
}

json_t *
custom_cell(const struct column *col, const json_t *obj, int64_t now)
{
	struct jsonpath *p;
	struct found f = FOUND_INIT;
	struct err err;
	json_t *v = NULL;

	if (jsonpath_parse_path(&p, col->path, &err) < 0)
		return json_null();
	if (jsonpath_find(p, (json_t *)obj, &f, &err) == 0 && f.n > 0) {
		if (strcmp(col->type, "string") != 0) {
			v = typed_cell(col->type, f.item[0], now);
		} else {
			autobuf struct buf b = BUF_INIT;
			json_auto_t *shown = sorted_copy(f.item[0]);

			if (json_is_null(f.item[0]))
				buf_puts(&b, "<no value>");
			else
				jsonpath_text(&b, shown);
			v = json_stringn(b.len ? b.data : "", b.len);
		}
	}
	found_release(&f);
	jsonpath_free(p);
	return v ? v : json_null();
}
