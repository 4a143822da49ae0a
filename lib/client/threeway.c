#include <string.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "base/buf.h"
#include "base/mem.h"
#include "client/threeway.h"

static const struct type *
elem_type(const struct type *t)
{
	return t ? t->elem : NULL;
}

static const struct field *
field_of(const struct type *t, const char *name)
{
	return t && t->class == CLASS_STRUCT ? type_field(t, name) : NULL;
}

/* The type of what stands under a key of an object of type t. */
static const struct type *
type_under(const struct type *t, const char *key)
{
	const struct field *f = field_of(t, key);

	if (f)
		return f->type;
	return t && t->class == CLASS_MAP ? t->elem : NULL;
}

/* --- lists --------------------------------------------------------------------------------- */

/* A field's value, or what it is when nobody says. */
static json_t *
key_value(const struct type *t, const json_t *elem, const char *key)
{
	const struct field *f = field_of(t, key);
	json_t *v = json_object_get(elem, key);

	if (v)
		return json_incref(v);
	return f && f->dflt ? json_loads(f->dflt, JSON_DECODE_ANY, NULL) : NULL;
}

static bool
same_key(const struct type *t, const json_t *a, const json_t *b, const char *key)
{
	json_auto_t *x = key_value(t, a, key), *y = key_value(t, b, key);

	return x == y || json_equal(x, y);
}

/*
 * Do two elements stand for the same thing?  By the merge key, and by the keys of server-side
 * apply where there are more: port 53 of TCP is not port 53 of UDP.
 */
static bool
same_element(const struct field *f, const json_t *a, const json_t *b)
{
	if (!f->merge_key)
		return json_equal(a, b);
	for (const char *const *key = f->list_keys; key && *key; key++)
		if (!same_key(elem_type(f->type), a, b, *key))
			return false;
	return same_key(elem_type(f->type), a, b, f->merge_key);
}

static json_t *
find_same(const json_t *list, const struct field *f, const json_t *elem)
{
	size_t i;
	json_t *e;

	json_array_foreach (list, i, e)
		if (same_element(f, e, elem))
			return e;
	return NULL;
}

/* Does every element have the merge key (or is none needed)? */
static bool
mergeable(const json_t *list, const char *key)
{
	size_t i;
	json_t *e;

	json_array_foreach (list, i, e)
		if (key && !json_object_get(e, key))
			return false;
	return true;
}

static json_t *merge_value(const struct type *t, unsigned patch, const json_t *last,
    const json_t *wanted, const json_t *live);

/* What is there, is not wanted, and was not applied by us: it stays. */
static bool
foreign(const json_t *e, const struct field *f, const json_t *last, const json_t *wanted)
{
	return !find_same(wanted, f, e) && !find_same(last, f, e);
}

/* The very same element a second time (of keys that are there twice) would multiply with every
 * apply. */
static void
append_once(json_t *out, json_t *elem)
{
	size_t i;
	json_t *e;

	json_array_foreach (out, i, e)
		if (e == elem)
			return;
	json_array_append(out, elem);
}

/*
 * The wanted elements in their order; a foreign one stays behind the element it stands
 * behind now (strategic merge's $setElementOrder comes to the same).
 */
static json_t *
merge_list(const struct field *f, const json_t *last, const json_t *wanted, const json_t *live)
{
	json_t *out = json_array(), *e;
	size_t i, n = json_array_size(live), at = 0;

	for (; at < n && foreign(json_array_get(live, at), f, last, wanted); at++)
		append_once(out, json_array_get(live, at));
	json_array_foreach (wanted, i, e) {
		json_t *there = find_same(live, f, e);

		json_array_append_new(
		    out, merge_value(elem_type(f->type), f->patch & PATCH_RETAIN_KEYS,
			     find_same(last, f, e), e, there));
		if (!there)
			continue;
		for (at = 0; json_array_get(live, at) != there; at++)
			;
		for (at++; at < n && foreign(json_array_get(live, at), f, last, wanted); at++)
			append_once(out, json_array_get(live, at));
	}
	/* foreign ones behind an element that is removed */
	json_array_foreach (live, i, e)
		if (foreign(e, f, last, wanted))
			append_once(out, e);
	return out;
}

/* --- objects --------------------------------------------------------------------------------- */

static bool
by_key(const struct field *f, const json_t *wanted, const json_t *live)
{
	return f && json_is_array(wanted) && json_is_array(live) && (f->patch & PATCH_MERGE) &&
	       mergeable(wanted, f->merge_key) && mergeable(live, f->merge_key);
}

static json_t *
merge_object(const struct type *t, unsigned patch, const json_t *last, const json_t *wanted,
    const json_t *live)
{
	json_t *out = json_copy((json_t *)live), *value;
	const char *key;

	json_object_foreach ((json_t *)last, key, value)
		if (!json_object_get(wanted, key))
			json_object_del(out, key);
	/* retainKeys: of a union only the members that are wanted remain (a strategy, a volume) */
	if (patch & PATCH_RETAIN_KEYS)
		json_object_foreach ((json_t *)live, key, value)
			if (!json_object_get(wanted, key))
				json_object_del(out, key);
	json_object_foreach ((json_t *)wanted, key, value) {
		const struct field *f = field_of(t, key);
		json_t *was = json_object_get(last, key), *is = json_object_get(live, key);

		if (json_is_null(value))
			json_object_del(out, key);
		else if (by_key(f, value, is))
			json_object_set_new(out, key, merge_list(f, was, value, is));
		else
			json_object_set_new(out, key,
			    merge_value(type_under(t, key), f ? f->patch & PATCH_RETAIN_KEYS : 0,
				was, value, is));
	}
	return out;
}

static json_t *
merge_value(const struct type *t, unsigned patch, const json_t *last, const json_t *wanted,
    const json_t *live)
{
	if (json_is_object(wanted) && json_is_object(live))
		return merge_object(t, patch, json_is_object(last) ? last : NULL, wanted, live);
	return json_deep_copy(wanted);
}

json_t *
threeway_merge(const struct kind *k, const json_t *last, const json_t *wanted, const json_t *live)
{
	json_auto_t *shared = merge_value(k ? k->type : NULL, 0, last, wanted, live);

	return json_deep_copy(shared); /* the merge borrows subtrees of live */
}

/* --- differences ------------------------------------------------------------------------------ */

static char *
quantity_text(const json_t *v)
{
	autofree char *plain =
	    json_is_string(v) ? xstrdup(json_string_value(v)) : json_dumps(v, JSON_ENCODE_ANY);

	return plain ? quantity_canonical(plain) : NULL;
}

/* The same when the API server would store the same. */
static bool
same_scalar(const struct type *t, const json_t *a, const json_t *b)
{
	if (json_equal(a, b))
		return true;
	if (json_is_number(a) && json_is_number(b))
		return json_number_value(a) == json_number_value(b);
	if (t && t->class == CLASS_QUANTITY) {
		autofree char *x = quantity_text(a), *y = quantity_text(b);

		return x && y && strcmp(x, y) == 0;
	}
	return false;
}

static bool
same(const struct type *t, const json_t *a, const json_t *b)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_object(a) && json_is_object(b)) {
		if (json_object_size(a) != json_object_size(b))
			return false;
		json_object_foreach ((json_t *)a, key, value)
			if (!json_object_get(b, key) ||
			    !same(type_under(t, key), value, json_object_get(b, key)))
				return false;
		return true;
	}
	if (json_is_array(a) && json_is_array(b)) {
		if (json_array_size(a) != json_array_size(b))
			return false;
		json_array_foreach (a, i, value)
			if (!same(elem_type(t), value, json_array_get(b, i)))
				return false;
		return true;
	}
	return same_scalar(t, a, b);
}

static json_t *
patch_between(const struct type *t, const json_t *from, const json_t *to)
{
	json_t *patch = json_object(), *value;
	const char *key;

	json_object_foreach ((json_t *)from, key, value)
		if (!json_object_get(to, key))
			json_object_set_new(patch, key, json_null());
	json_object_foreach ((json_t *)to, key, value) {
		json_t *was = json_object_get(from, key);
		const struct type *under = type_under(t, key);

		if (was && same(under, was, value))
			continue;
		if (json_is_object(was) && json_is_object(value))
			json_object_set_new(patch, key, patch_between(under, was, value));
		else
			json_object_set(patch, key, value);
	}
	return patch;
}

json_t *
merge_patch_between(const struct kind *k, const json_t *from, const json_t *to)
{
	json_t *patch = patch_between(k ? k->type : NULL, from, to);

	if (json_object_size(patch) > 0)
		return patch;
	json_decref(patch);
	return NULL;
}

/* --- what is applied ----------------------------------------------------------------------------
 */

void
strip_server_fields(json_t *obj)
{
	static const char *const fields[] = { "uid", "resourceVersion", "generation",
		"creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
		"managedFields", "selfLink" };
	json_t *meta = get(obj, "metadata"), *annotations = get(meta, "annotations");

	json_object_del(obj, "status");
	for (size_t i = 0; i < COUNT(fields); i++)
		json_object_del(meta, fields[i]);
	json_object_del(annotations, LAST_APPLIED);
	if (annotations && json_object_size(annotations) == 0)
		json_object_del(meta, "annotations");
}

/* The characters that Go's encoding/json escapes and jansson does not; outside of strings they do
 * not occur. */
static void
escape_as_go(struct buf *out, const char *json)
{
	for (; *json; json++)
		if (strchr("<>&", *json))
			buf_printf(out, "\\u%04x", *json);
		else if (strncmp(json, "\xe2\x80", 2) == 0 &&
			 (json[2] == '\xa8' || json[2] == '\xa9'))
			buf_puts(out, json[2] == '\xa8' ? "\\u2028" : "\\u2029"), json += 2;
		else
			buf_putc(out, *json);
}

char *
last_applied_text(const json_t *obj)
{
	json_auto_t *plain = json_deep_copy(obj);
	autofree char *text = NULL;
	struct buf out = BUF_INIT;

	json_object_del(get(plain, "metadata", "annotations"), LAST_APPLIED);
	/* kubectl writes the empty map too; the same text spares it a change */
	if (!get(plain, "metadata", "annotations"))
		put(plain, json_object(), "metadata", "annotations");
	text = json_dumps(plain, JSON_COMPACT | JSON_SORT_KEYS);
	escape_as_go(&out, text);
	buf_putc(&out, '\n');
	return buf_detach(&out);
}
