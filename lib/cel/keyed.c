/*
 * Lists whose items are told apart by what they are, not by where they stand: sets, and lists that
 * are maps (x-kubernetes-list-type).  Their order does not count where they are compared, and
 * adding one brings in what is new and, to a map, what is changed.
 *
 * In both the list on the left decides.  Items are looked up by their keys as text, in a sorted
 * table: long lists are made to cost.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cel/value.h"

struct keyed {
	const char *key;
	size_t nth;
};

static void
put_json(struct buf *b, const json_t *v)
{
	autofree char *text =
	    v ? json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	buf_printf(b, "%s\n", text ? text : "null");
}

static void
put_value(struct arena *a, struct buf *b, struct cel_value v)
{
	json_auto_t *json = cel_to_json(a, v);

	put_json(b, json);
}

/* The field of an item that is part of its key. */
static void
put_field(struct arena *a, struct buf *b, struct cel_value item, const char *name)
{
	struct cel_value v;

	if (item.kind != CEL_MAP && item.kind != CEL_OBJECT)
		put_json(b, NULL);
	else if (item.map->json)
		put_json(b, json_object_get(item.map->json, name));
	else if (cel_map_find(a, item.map, cel_string(a, name), &v))
		put_value(a, b, v);
	else
		put_json(b, NULL);
}

static const char *
key_of(struct arena *a, const struct cel_list *l, struct cel_value item)
{
	autobuf struct buf b = BUF_INIT;

	if (!*l->keys)
		put_value(a, &b, item);
	for (const char *const *k = l->keys; *k; k++)
		put_field(a, &b, item, *k);
	return arena_text(a, b.data, b.len);
}

static int
by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int r = strcmp(x->key, y->key);

	return r ? r : x->nth < y->nth ? -1 : x->nth > y->nth;
}

static struct keyed *
table_of(struct arena *a, const struct cel_list *l)
{
	struct keyed *t = arena_alloc(a, (l->n + 1) * sizeof *t);

	for (size_t i = 0; i < l->n; i++)
		t[i] = (struct keyed){ key_of(a, l, cel_list_get(a, l, i)), i };
	if (l->n)
		qsort(t, l->n, sizeof *t, by_key);
	return t;
}

/* The first or last item with this key, or `n` when there is none. */
static size_t
find(const struct keyed *t, size_t n, const char *key, bool last)
{
	size_t low = 0, high = n, at;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int r = strcmp(t[middle].key, key);

		if (r < 0 || (r == 0 && last))
			low = middle + 1;
		else
			high = middle;
	}
	at = last ? low - 1 : low; /* behind the table when nothing is before it */
	return at < n && strcmp(t[at].key, key) == 0 ? t[at].nth : n;
}

bool
cel_keyed_equal(struct arena *a, const struct cel_list *x, const struct cel_list *y)
{
	const struct keyed *t;

	if (x->n != y->n)
		return false;
	t = table_of(a, x);
	for (size_t i = 0; i < y->n; i++) {
		struct cel_value item = cel_list_get(a, y, i);
		size_t at = find(t, x->n, key_of(a, x, item), true);

		if (at == x->n || (*x->keys && !cel_equal(a, cel_list_get(a, x, at), item)))
			return false;
	}
	return true;
}

struct cel_value
cel_keyed_add(struct arena *a, const struct cel_list *x, const struct cel_list *y)
{
	struct cel_list same = *y, *sum = arena_alloc(a, sizeof *sum);
	struct cel_value *item = arena_alloc(a, (x->n + y->n + 1) * sizeof *item);
	const struct keyed *old = table_of(a, x), *new;
	bool set = !*x->keys;
	size_t n = x->n;

	same.keys = x->keys;
	new = table_of(a, &same);
	for (size_t i = 0; i < x->n; i++)
		item[i] = cel_list_get(a, x, i);
	for (size_t i = 0; i < y->n; i++) {
		struct cel_value v = cel_list_get(a, y, i);
		const char *key = key_of(a, x, v);
		size_t at = find(old, x->n, key, true);

		if (at < x->n)
			item[at] = set ? item[at] : v;
		else if (!set || find(new, y->n, key, false) == i)
			item[n++] = v;
	}
	*sum = (struct cel_list){ .n = n, .item = item, .of = x->of, .keys = x->keys };
	return CEL_MAKE(CEL_LIST, list, sum);
}
