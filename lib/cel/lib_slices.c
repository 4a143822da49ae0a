/* More of lists: slices, ranges, sorting (cel-go's ext/lists.go, version 3). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cel/library.h"

/* ROOM: what is larger would not fit into the memory of an evaluation. */
enum { MOST_ITEMS = 10000000, ROOM = 4000000 };

/* Room for that many items and one more. */
static struct cel_value *
room(struct arena *a, size_t n)
{
	return arena_alloc(a, (n + 1) * sizeof(struct cel_value));
}

CEL_FN(slice)
{
	const struct cel_list *l = arg[0].list;
	long long start = arg[1].i, end = arg[2].i;
	struct cel_value *items;

	if (start < 0 || end < 0)
		return cel_error(
		    a, "cannot slice(%lld, %lld), negative indexes not supported", start, end);
	if (start > end)
		return cel_error(a,
		    "cannot slice(%lld, %lld), start index must be less than or equal to end index",
		    start, end);
	if ((unsigned long long)end > l->n)
		return cel_error(
		    a, "cannot slice(%lld, %lld), list is length %zu", start, end, l->n);
	items = room(a, (size_t)(end - start));
	for (long long i = start; i < end; i++)
		items[i - start] = cel_list_get(a, l, (size_t)i);
	return cel_list_of(a, items, (size_t)(end - start));
}

/* --- flatten ------------------------------------------------------------------------------ */

static size_t
count_flat(struct arena *a, const struct cel_list *l, int64_t depth)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct cel_value v = cel_list_get(a, l, i);

		n += v.kind == CEL_LIST && depth > 0 ? count_flat(a, v.list, depth - 1) : 1;
	}
	return n;
}

static struct cel_value *
put_flat(struct arena *a, const struct cel_list *l, int64_t depth, struct cel_value *to)
{
	for (size_t i = 0; i < l->n; i++) {
		struct cel_value v = cel_list_get(a, l, i);

		if (v.kind == CEL_LIST && depth > 0)
			to = put_flat(a, v.list, depth - 1, to);
		else
			*to++ = v;
	}
	return to;
}

CEL_FN(flatten)
{
	int64_t depth = n > 1 ? arg[1].i : 1;
	struct cel_value *items;
	size_t count;

	if (depth < 0)
		return cel_error(a, "level must be non-negative");
	if ((count = count_flat(a, arg[0].list, depth)) > ROOM)
		return cel_error(a, "the list is too long");
	items = room(a, count);
	put_flat(a, arg[0].list, depth, items);
	return cel_list_of(a, items, count);
}

/* --- range, reverse, distinct --------------------------------------------------------------- */

CEL_FN(range)
{
	struct cel_value *items;

	if (arg[0].i > MOST_ITEMS)
		return cel_error(a, "lists.range: size %lld exceeds maximum allowed (%d)",
		    (long long)arg[0].i, MOST_ITEMS);
	if (arg[0].i < 0)
		return cel_error(
		    a, "lists.range: size must be non-negative, got %lld", (long long)arg[0].i);
	if (arg[0].i > ROOM)
		return cel_error(a, "the list is too long");
	items = room(a, (size_t)arg[0].i);
	for (int64_t i = 0; i < arg[0].i; i++)
		items[i] = cel_int(i);
	return cel_list_of(a, items, (size_t)arg[0].i);
}

CEL_FN(reverse)
{
	const struct cel_list *l = arg[0].list;
	struct cel_value *items = room(a, l->n);

	for (size_t i = 0; i < l->n; i++)
		items[i] = cel_list_get(a, l, l->n - 1 - i);
	return cel_list_of(a, items, l->n);
}

CEL_FN(distinct)
{
	const struct cel_list *l = arg[0].list;
	struct cel_value *items = room(a, l->n);
	size_t found = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct cel_value v = cel_list_get(a, l, i);
		size_t k = 0;

		while (k < found && !cel_equal(a, v, items[k]))
			k++;
		if (k == found)
			items[found++] = v;
	}
	return cel_list_of(a, items, found);
}

/* --- sort ----------------------------------------------------------------------------------- */

struct keyed {
	struct cel_value key;
	size_t at;
};

static int
by_key(const void *x, const void *y)
{
	const struct keyed *a = x, *b = y;
	int order = cel_compare(a->key, b->key);

	return order == 1 || order == -1 ? order : a->at < b->at ? -1 : a->at > b->at;
}

/* The items of a list, in the order of as many keys. */
CEL_FN(sort_by_keys)
{
	const struct cel_list *l = arg[0].list, *keys = arg[n > 1 ? 1 : 0].list;
	struct keyed *order = arena_alloc(a, (l->n + 1) * sizeof *order);
	struct cel_value *items = room(a, l->n);

	if (l->n != keys->n)
		return cel_error(a,
		    "@sortByAssociatedKeys() expected a list of the same size as the associated "
		    "keys "
		    "list, but got %zu and %zu elements respectively",
		    l->n, keys->n);
	for (size_t i = 0; i < l->n; i++) {
		order[i] = (struct keyed){ cel_list_get(a, keys, i), i };
		if (order[0].key.kind != CEL_BOOL &&
		    (order[0].key.kind == CEL_NULL || cel_compare(order[0].key, order[0].key) == 2))
			return cel_error(a, "list elements must be comparable");
		if (order[i].key.kind != order[0].key.kind)
			return cel_error(a, "list elements must have the same type");
	}
	if (l->n)
		qsort(order, l->n, sizeof *order, by_key);
	for (size_t i = 0; i < l->n; i++)
		items[i] = cel_list_get(a, l, order[i].at);
	return cel_list_of(a, items, l->n);
}

/* --- costs ---------------------------------------------------------------------------------- */

enum { COST_CALL = 1, COST_LIST = 10 };

static uint64_t
made(double factor, double size)
{
	double v = size * factor;

	return v >= 1e18 ? (uint64_t)1e18 : (uint64_t)v + COST_CALL + COST_LIST;
}

CEL_COST(cost_of_result)
{
	return made(1, result.kind == CEL_LIST ? (double)result.list->n : 1);
}

CEL_COST(cost_of_depth)
{
	return made(n > 1 ? (double)arg[1].i : 1, (double)arg[0].list->n);
}

/* Every item is held against every other one. */
static uint64_t
compared(const struct cel_list *l)
{
	struct arena a = ARENA_INIT;
	double factor = 2;

	if (l->n) {
		struct cel_value v = cel_list_get(&a, l, 0);

		if (v.kind == CEL_STRING || v.kind == CEL_BYTES)
			factor += 0.1;
	}
	arena_release(&a);
	return made(factor, (double)l->n * (double)l->n);
}

CEL_COST(cost_of_order)
{
	return compared(arg[n > 1 ? 1 : 0].list);
}

#define SORTS(type, shown)                                                                 \
	{ "sort", "list_" shown "_sort", "list(" type ").() list(" type ")", sort_by_keys, \
		cost_of_order },                                                           \
	{                                                                                  \
		"@sortByAssociatedKeys", "list_" shown "_sortByAssociatedKeys",            \
		    "list(A).(list(" type ")) list(A)", sort_by_keys, cost_of_order        \
	}

const struct cel_function cel_lib_slices[] = {
	{ "slice", "list_slice", "list(A).(int, int) list(A)", slice, cost_of_result },
	{ "flatten", "list_flatten", "list(list(A)).() list(A)", flatten, cost_of_depth },
	{ "flatten", "list_flatten_int", "list(dyn).(int) list(dyn)", flatten, cost_of_depth },
	{ "lists.range", "lists_range", "(int) list(int)", range, cost_of_result },
	{ "reverse", "list_reverse", "list(A).() list(A)", reverse, cost_of_result },
	{ "distinct", "list_distinct", "list(A).() list(A)", distinct, cost_of_order },
	SORTS("int", "int"),
	SORTS("uint", "uint"),
	SORTS("double", "double"),
	SORTS("bool", "bool"),
	SORTS("duration", "google.protobuf.Duration"),
	SORTS("timestamp", "google.protobuf.Timestamp"),
	SORTS("string", "string"),
	SORTS("bytes", "bytes"),
	{ 0 },
};
