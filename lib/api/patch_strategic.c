/*
 * Strategic merge patch: as a JSON merge patch, but a list whose field has a merge key is
 * merged item by item.  Directives in the patch say more:
 *
 *	"$patch": "replace" | "delete" | "merge"	of a map, or of an item of such a list
 *	"$retainKeys": [...]				other keys of the map go
 *	"$deleteFromPrimitiveList/x": [...]		these values leave the list x
 *	"$setElementOrder/x": [...]			the order that the list x gets
 */
#include <string.h>

#include "api/golang.h"
#include "api/meta.h"
#include "api/patch.h"
#include "base/mem.h"
#include "base/text.h"

static const char delete_from[] = "$deleteFromPrimitiveList/", set_order[] = "$setElementOrder/";

static int merge_map(json_t **target, const json_t *patch, const struct type *t, struct err *err);

static bool
is_directive(const char *key)
{
	return strcmp(key, "$patch") == 0 || strcmp(key, "$retainKeys") == 0 ||
	       text_starts(key, delete_from) || text_starts(key, set_order);
}

/* A value of the patch for where there was nothing: without directives and nulls. New. */
static json_t *
clean(const json_t *v)
{
	const char *key;
	json_t *copy, *item;
	size_t i;

	if (json_is_object(v)) {
		copy = json_object();
		json_object_foreach ((json_t *)v, key, item)
			if (!is_directive(key) && !json_is_null(item))
				json_object_set_new(copy, key, clean(item));
		return copy;
	}
	if (!json_is_array(v))
		return json_deep_copy(v);
	copy = json_array();
	json_array_foreach (v, i, item)
		if (!json_object_get(item, "$patch"))
			json_array_append_new(copy, clean(item));
	return copy;
}

static const struct field *
field_of(const struct type *t, const char *key)
{
	return t && t->class == CLASS_STRUCT ? type_field(t, key) : NULL;
}

static const struct type *
type_of(const struct type *t, const char *key)
{
	const struct field *f = field_of(t, key);

	return f ? f->type : t && t->class == CLASS_MAP ? t->elem : NULL;
}

/* --- lists --- */

/* Where in the list is an item with the same key (or, without a key, the same value)?  -1: nowhere.
 */
static long
place_of(const json_t *list, const json_t *item, const char *key)
{
	const json_t *want = key ? json_object_get(item, key) : item;
	json_t *other;
	size_t i;

	json_array_foreach (list, i, other)
		if (want && json_equal(key ? json_object_get(other, key) : other, want))
			return (long)i;
	return -1;
}

static int
no_key(const json_t *item, const char *key, struct err *err)
{
	autobuf struct buf map = BUF_INIT;

	go_print(&map, item);
	return err_set(err, ERR_INTERNAL, "map: %.300s does not contain declared merge key: %s",
	    map.data, key);
}

static int
unknown_directive(const json_t *in, struct err *err)
{
	autobuf struct buf map = BUF_INIT;

	go_print(&map, in);
	return err_set(err, ERR_INTERNAL, "unknown patch type: %s in map: %.300s",
	    text(in, "$patch"), map.data);
}

/* The items of the patch with a directive: *replace, or a deletion from `list`; the others into
 * `plain`. */
static int
special_items(json_t *list, const json_t *patch, const char *key, json_t *plain, bool *replace,
    struct err *err)
{
	json_t *item;
	size_t i;

	json_array_foreach (patch, i, item) {
		const char *directive = text(item, "$patch");

		if (key && !json_object_get(item, key) && strcmp(directive, "replace") != 0)
			return no_key(item, key, err);
		if (!*directive) {
			json_array_append(plain, item);
		} else if (strcmp(directive, "replace") == 0) {
			*replace = true;
		} else if (strcmp(directive, "delete") == 0) {
			for (long at; (at = place_of(list, item, key)) >= 0;)
				json_array_remove(list, (size_t)at);
		} else {
			return unknown_directive(item, err);
		}
	}
	return 0;
}

static int
merge_items(
    json_t *list, const json_t *plain, const char *key, const struct type *elem, struct err *err)
{
	json_t *item;
	size_t i;

	json_array_foreach (plain, i, item) {
		long at = place_of(list, item, key);
		json_t *was;
		int r;

		if (at < 0) {
			json_array_append_new(list, clean(item));
		} else if (key) {
			was = json_incref(json_array_get(list, (size_t)at));
			r = merge_map(&was, item, elem, err);
			json_array_set_new(list, (size_t)at, was);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/*
 * Items that `order` names stand in its order; the others keep theirs.  Between the two kinds, an
 * item that nobody ordered comes first only if it came first on the server, too.
 */
static json_t *
arrange(const json_t *merged, const json_t *order, const json_t *server, const char *key)
{
	json_t *ordered = json_array(), *others = json_array(), *out = json_array(), *item;
	size_t i, a = 0, b = 0;

	json_array_foreach (order, i, item) {
		long at = place_of(merged, item, key);

		if (at >= 0 && place_of(ordered, item, key) < 0)
			json_array_append(ordered, json_array_get(merged, (size_t)at));
	}
	json_array_foreach (merged, i, item)
		if (place_of(order, item, key) < 0)
			json_array_append(others, item);
	while (a < json_array_size(others) || b < json_array_size(ordered)) {
		json_t *x = json_array_get(others, a), *y = json_array_get(ordered, b);
		long xs = x ? place_of(server, x, key) : -1, ys = y ? place_of(server, y, key) : -1;

		if (!y || (x && xs >= 0 && ys >= 0 && xs < ys)) {
			json_array_append(out, x);
			a++;
		} else {
			json_array_append(out, y);
			b++;
		}
	}
	json_decref(ordered);
	json_decref(others);
	return out;
}

static int
wrong_order(const json_t *plain, const json_t *order, struct err *err)
{
	autobuf struct buf a = BUF_INIT, b = BUF_INIT;

	go_print(&a, plain);
	go_print(&b, order);
	return err_set(err, ERR_INTERNAL,
	    "The order in patch list:\n%.300s\n doesn't match $setElementOrder list:\n%.300s\n",
	    a.data, b.data);
}

/* What the patch adds must be in the order that it asks for. */
static int
check_order(const json_t *plain, const json_t *order, const char *key, struct err *err)
{
	long last = -1;
	json_t *item;
	size_t i;

	json_array_foreach (plain, i, item) {
		long at = place_of(order, item, key);

		if (at <= last)
			return wrong_order(plain, order, err);
		last = at;
	}
	return 0;
}

/* patch may be NULL when there is only an order, order when there is only a patch. */
static int
merge_list(
    json_t **list, const json_t *patch, const json_t *order, const struct field *f, struct err *err)
{
	json_auto_t *merged = json_deep_copy(*list), *plain = json_array();
	const char *key = f->merge_key;
	bool replace = false;
	int r;

	if ((r = special_items(merged, patch, key, plain, &replace, err)) < 0)
		return r;
	if (order && (r = check_order(plain, order, key, err)) < 0)
		return r;
	if (replace)
		json_array_clear(merged);
	if ((r = merge_items(merged, plain, key, f->type->elem, err)) < 0)
		return r;
	json_t *out = arrange(merged, order ? order : plain, *list, key);
	json_decref(*list);
	*list = out;
	return 0;
}

static bool
merges(const struct field *f)
{
	return f && f->type->class == CLASS_LIST && (f->patch & PATCH_MERGE);
}

/* --- maps --- */

static int
retain_keys(json_t *target, const json_t *patch, struct err *err)
{
	json_t *keep = json_object_get(patch, "$retainKeys"), *v;
	const char *key;
	void *tmp;

	if (!keep)
		return 0;
	json_object_foreach ((json_t *)patch, key, v) {
		json_auto_t *name = json_string(key);

		if (!is_directive(key) && !json_is_null(v) && place_of(keep, name, NULL) < 0)
			return err_set(err, ERR_BAD_REQUEST, "invalid patch format of retainKeys");
	}
	json_object_foreach_safe(target, tmp, key, v)
	{
		json_auto_t *name = json_string(key);

		if (place_of(keep, name, NULL) < 0)
			json_object_del(target, key);
	}
	return 0;
}

static void
delete_values(json_t *target, const char *name, const json_t *values)
{
	json_t *list = json_object_get(target, name), *v;
	size_t i;

	json_array_foreach (values, i, v)
		for (long at; (at = place_of(list, v, NULL)) >= 0;)
			json_array_remove(list, (size_t)at);
}

static int
merge_value(json_t *target, const char *key, const json_t *v, const json_t *patch,
    const struct type *t, struct err *err)
{
	const struct field *f = field_of(t, key);
	json_t *was = json_object_get(target, key);
	int r = 0;

	if (json_is_null(v)) {
		json_object_del(target, key);
		return 0;
	}
	if (json_is_object(v) && json_is_object(was)) {
		json_incref(was);
		r = merge_map(&was, v, type_of(t, key), err);
		json_object_set_new(target, key, was);
	} else if (json_is_array(v) && json_is_array(was) && merges(f)) {
		autofree char *name = xasprintf("%s%s", set_order, key);

		json_incref(was);
		r = merge_list(&was, v, json_object_get(patch, name), f, err);
		json_object_set_new(target, key, was);
	} else {
		json_object_set_new(target, key, clean(v));
	}
	return r;
}

/* A list that only gets another order. */
static int
only_order(json_t *target, const char *key, const json_t *order, const json_t *patch,
    const struct type *t, struct err *err)
{
	const struct field *f = field_of(t, key);
	json_t *was = json_object_get(target, key);
	int r;

	if (json_object_get(patch, key) || !json_is_array(was) || !json_is_array(order) ||
	    !merges(f))
		return 0;
	json_incref(was);
	r = merge_list(&was, NULL, order, f, err);
	json_object_set_new(target, key, was);
	return r;
}

static int
merge_map(json_t **target, const json_t *patch, const struct type *t, struct err *err)
{
	const char *directive = text(patch, "$patch"), *key;
	json_t *v;
	int r;

	if (strcmp(directive, "replace") == 0 || strcmp(directive, "delete") == 0) {
		json_decref(*target);
		*target = *directive == 'r' ? clean(patch) : json_object();
		return 0;
	}
	if (*directive && strcmp(directive, "merge") != 0)
		return unknown_directive(patch, err);
	if ((r = retain_keys(*target, patch, err)) < 0)
		return r;
	json_object_foreach ((json_t *)patch, key, v) {
		if (text_starts(key, delete_from))
			delete_values(*target, key + strlen(delete_from), v);
		else if (text_starts(key, set_order))
			r = only_order(*target, key + strlen(set_order), v, patch, t, err);
		else if (!is_directive(key))
			r = merge_value(*target, key, v, patch, t, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int
strategic_patch(json_t **target, const json_t *patch, const struct type *type, struct err *err)
{
	return merge_map(target, patch, type, err);
}
