/*
 * Strategic merge patch: as a JSON merge patch, but a list whose field has a merge key is
 * merged item by item.  Directives in the patch say more:
 *
 *	"$patch": "replace" | "delete"		of a map, or of an item of such a list
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

static const char delete_from[] = "$deleteFromPrimitiveList", set_order[] = "$setElementOrder";

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

/* What tells an item from the others: its key's value, or without a key itself; NULL: nothing. */
static char *
identity(const json_t *item, const char *key)
{
	const json_t *v = key ? json_object_get(item, key) : item;

	if (json_is_string(v))
		return xasprintf("\"%s", json_string_value(v));
	return v ? json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS) : NULL;
}

/* Where in the list each item is first: an object of identities. */
static json_t *
places(const json_t *list, const char *key)
{
	json_t *index = json_object(), *item;
	size_t i;

	json_array_foreach (list, i, item) {
		autofree char *id = identity(item, key);

		if (id && !json_object_get(index, id))
			json_object_set_new(index, id, json_integer((json_int_t)i));
	}
	return index;
}

static long
place_of(const json_t *index, const json_t *item, const char *key)
{
	autofree char *id = identity(item, key);
	const json_t *at = id ? json_object_get(index, id) : NULL;

	return at ? (long)json_integer_value(at) : -1;
}

/* The items that `gone` (places) does not know; new. */
static json_t *
without(const json_t *list, const json_t *gone, const char *key)
{
	json_t *rest = json_array(), *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (place_of(gone, item, key) < 0)
			json_array_append(rest, item);
	return rest;
}

/* Here nothing is a type of its own. */
static const char *
go_type(const json_t *v)
{
	return json_is_null(v) ? "nil" : go_value_type(v);
}

static int
no_list(const json_t *v, struct err *err)
{
	return err_set(
	    err, ERR_INTERNAL, "expected a []interface {}, but received a %s", go_type(v));
}

/* All items of both lists are of one type, and no lists. */
static int
check_types(const json_t *list, const json_t *patch, struct err *err)
{
	const json_t *all[] = { list, patch };
	const char *type = NULL;
	autobuf struct buf shown = BUF_INIT;
	json_t *item;
	size_t i;

	for (int n = 0; n < 2; n++)
		json_array_foreach (all[n], i, item) {
			if (!type && json_is_array(item))
				return err_set(
				    err, ERR_INVALID, "lists of lists are not supported");
			if (type && strcmp(type, go_type(item)) != 0)
				goto different;
			type = go_type(item);
		}
	return 0;
different:
	go_print(&shown, list);
	buf_putc(&shown, ' ');
	go_print(&shown, patch);
	return err_set(
	    err, ERR_INTERNAL, "list element types are not identical: [%.400s]", shown.data);
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
	autobuf struct buf map = BUF_INIT, directive = BUF_INIT;

	go_print(&map, in);
	go_print(&directive, json_object_get(in, "$patch"));
	return err_set(err, ERR_INTERNAL, "unknown patch type: %.100s in map: %.300s",
	    directive.data, map.data);
}

/* The items of the patch: *replace, what goes from the list, and the others into `plain`. */
static int
sort_out(const json_t *patch, const char *key, json_t *plain, json_t *gone, bool *replace,
    struct err *err)
{
	json_t *item;
	size_t i;

	json_array_foreach (patch, i, item) {
		const char *directive = text(item, "$patch");

		if (key && !json_object_get(item, key) && strcmp(directive, "replace") != 0)
			return no_key(item, key, err);
		if (!json_object_get(item, "$patch"))
			json_array_append(plain, item);
		else if (strcmp(directive, "replace") == 0)
			*replace = true;
		else if (strcmp(directive, "delete") == 0)
			json_array_append(gone, item);
		else if (strcmp(directive, "merge") == 0)
			return err_set(err, ERR_INTERNAL,
			    "merging lists cannot yet be specified in the patch");
		else
			return unknown_directive(item, err);
	}
	return 0;
}

/* The items of the patch into the list; each value is there once. */
static int
merge_items(
    json_t *list, const json_t *plain, const char *key, const struct type *elem, struct err *err)
{
	json_auto_t *index = places(list, key);
	json_t *item;
	size_t i;

	json_array_foreach (plain, i, item) {
		long at = place_of(index, item, key);
		json_t *was;
		int r;

		if (at < 0) {
			autofree char *id = identity(item, key);

			json_object_set_new(
			    index, id, json_integer((json_int_t)json_array_size(list)));
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

/* The items of `merged` that `order` names, in its order. */
static json_t *
in_order(const json_t *merged, const json_t *order, const char *key)
{
	json_auto_t *index = places(merged, key), *done = json_object();
	json_t *out = json_array(), *item;
	size_t i;

	json_array_foreach (order, i, item) {
		autofree char *id = identity(item, key);
		long at = place_of(index, item, key);

		if (at >= 0 && !json_object_get(done, id)) {
			json_array_append(out, json_array_get(merged, (size_t)at));
			json_object_set_new(done, id, json_true());
		}
	}
	return out;
}

/*
 * Items that `order` names stand in its order; the others keep theirs.  Between the two kinds, an
 * item that nobody ordered comes first only if it came first on the server, too.
 */
static json_t *
arrange(const json_t *merged, const json_t *order, const json_t *server, const char *key)
{
	json_auto_t *named = places(order, key), *there = places(server, key);
	json_auto_t *ordered = in_order(merged, order, key), *others = without(merged, named, key);
	json_t *out = json_array();
	size_t a = 0, b = 0;

	while (a < json_array_size(others) || b < json_array_size(ordered)) {
		json_t *x = json_array_get(others, a), *y = json_array_get(ordered, b);
		long xs = x ? place_of(there, x, key) : -1, ys = y ? place_of(there, y, key) : -1;

		if (!y || (x && xs >= 0 && ys >= 0 && xs < ys)) {
			json_array_append(out, x);
			a++;
		} else {
			json_array_append(out, y);
			b++;
		}
	}
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
check_order(
    const json_t *patch, const json_t *plain, const json_t *order, const char *key, struct err *err)
{
	json_auto_t *index = places(order, key);
	long last = -1;
	json_t *item;
	size_t i;

	if (json_array_size(order) == 0)
		return 0;
	json_array_foreach (plain, i, item) {
		long at = place_of(index, item, key);

		if (at <= last)
			return wrong_order(patch, order, err);
		last = at;
	}
	return 0;
}

/* patch may be NULL when there is only an order, order when there is only a patch. */
static int
merge_list(
    json_t **list, const json_t *patch, const json_t *order, const struct field *f, struct err *err)
{
	json_auto_t *plain = json_array(), *gone = json_array(), *going = NULL, *merged = NULL;
	const char *key = f->merge_key;
	bool replace = false;
	json_t *out;
	int r;

	if ((r = check_types(*list, patch, err)) < 0 ||
	    (r = sort_out(patch, key, plain, gone, &replace, err)) < 0 ||
	    (order && (r = check_order(patch, plain, order, key, err)) < 0))
		return r;
	going = places(gone, key);
	out = replace ? json_array() : without(*list, going, key);
	merged = json_deep_copy(out);
	json_decref(out);
	if ((r = merge_items(merged, plain, key, f->type->elem, err)) < 0)
		return r;
	out = arrange(merged, order ? order : plain, *list, key);
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
	json_t *list = json_object_get(patch, "$retainKeys"), *v;
	json_auto_t *keep = places(list, NULL);
	const char *key;
	void *tmp;

	if (!list)
		return 0;
	if (!json_is_array(list))
		return err_set(err, ERR_BAD_REQUEST, "invalid patch format of retainKeys");
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

/* The name behind "$setElementOrder/" or "$deleteFromPrimitiveList/". */
static const char *
list_name(const char *key, const char *prefix, const char *what, struct err *err)
{
	const char *name = key + strlen(prefix);

	if (*name == '/')
		return name + 1;
	err_set(err, ERR_BAD_REQUEST, "invalid patch format of %s", what);
	return NULL;
}

static int
delete_values(json_t *target, const char *directive, const json_t *values, struct err *err)
{
	const char *name = list_name(directive, delete_from, "primitive list", err);
	json_t *list;

	if (!name)
		return -ERR_BAD_REQUEST;
	list = json_object_get(target, name);
	if (json_is_array(list) && json_is_array(values)) {
		json_auto_t *gone = places(values, NULL);

		json_object_set_new(target, name, without(list, gone, NULL));
	}
	return 0;
}

static int
merge_value(json_t *target, const char *key, const json_t *v, const struct type *t, struct err *err)
{
	const struct field *f = field_of(t, key);
	json_t *was = json_object_get(target, key);
	int r = 0;

	if (json_is_null(v)) {
		json_object_del(target, key);
	} else if (json_is_object(v) && json_is_object(was) && !(f && f->patch & PATCH_REPLACE)) {
		json_incref(was);
		r = merge_map(&was, v, type_of(t, key), err);
		json_object_set_new(target, key, was);
	} else if (json_is_array(v) && json_is_array(was) && merges(f)) {
		json_incref(was);
		r = merge_list(&was, v, NULL, f, err);
		json_object_set_new(target, key, was);
	} else {
		json_object_set_new(target, key, clean(v));
	}
	return r;
}

/* "$setElementOrder/x": the list x, as it is or with what the patch has for it, in this order. */
static int
merge_ordered(json_t *target, const char *directive, const json_t *order, const json_t *patch,
    const struct type *t, struct err *err)
{
	const char *key = list_name(directive, set_order, "setElementOrder list", err);
	const struct field *f;
	json_t *was, *items;
	int r;

	if (!key)
		return -ERR_BAD_REQUEST;
	if (!json_is_array(order))
		return no_list(order, err);
	was = json_object_get(target, key);
	items = json_object_get(patch, key);
	if ((was && !json_is_array(was)) || (items && !json_is_array(items)))
		return no_list(was && !json_is_array(was) ? was : items, err);
	f = field_of(t, key);
	if (!f && t && t->class == CLASS_STRUCT)
		return err_set(err, ERR_INTERNAL,
		    "unable to find api field in struct %s for the json field \"%.200s\"",
		    strrchr(t->name, '.') ? strrchr(t->name, '.') + 1 : t->name, key);
	if (!merges(f))
		return items ? merge_value(target, key, items, t, err) : 0;
	if (!was && !items)
		return 0;
	was = was ? json_incref(was) : json_array();
	r = merge_list(&was, items, order, f, err);
	json_object_set_new(target, key, was);
	return r;
}

/* Is there an order for the list `key`, so that it has been merged? */
static bool
has_order(const json_t *patch, const char *key)
{
	autofree char *directive = xasprintf("%s/%s", set_order, key);

	return json_object_get(patch, directive);
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
	if (json_object_get(patch, "$patch"))
		return unknown_directive(patch, err);
	if ((r = retain_keys(*target, patch, err)) < 0)
		return r;
	json_object_foreach ((json_t *)patch, key, v)
		if (text_starts(key, set_order) &&
		    (r = merge_ordered(*target, key, v, patch, t, err)) < 0)
			return r;
	json_object_foreach ((json_t *)patch, key, v) {
		if (text_starts(key, delete_from))
			r = delete_values(*target, key, v, err);
		else if (!is_directive(key) && !has_order(patch, key))
			r = merge_value(*target, key, v, t, err);
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
