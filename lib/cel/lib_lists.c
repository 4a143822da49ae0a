/* Lists as Kubernetes has them (library/lists.go), and sets (cel-go's ext/sets.go). */
#include <string.h>

#include "cel/library.h"

CEL_FN(is_sorted)
{
	const struct cel_list *l = arg[0].list;
	struct cel_value before, v;

	for (size_t i = 0; i < l->n; i++, before = v) {
		v = cel_list_get(a, l, i);
		if (i == 0)
			continue;
		switch (cel_compare(before, v)) {
		case 1:
			return cel_bool(false);
		case 2:
			return cel_error(a, "no such overload");
		}
	}
	return cel_bool(true);
}

/* The smallest (sign -1) or largest (1). */
static struct cel_value
extreme(struct arena *a, const struct cel_list *l, int sign, const char *name)
{
	struct cel_value best, v;

	if (l->n == 0)
		return cel_error(a, "%s called on empty list", name);
	best = cel_list_get(a, l, 0);
	for (size_t i = 1; i < l->n; i++) {
		int order;

		v = cel_list_get(a, l, i);
		if ((order = cel_compare(v, best)) == 2)
			return cel_error(a, "no such overload");
		if (order == sign)
			best = v;
	}
	return best;
}

CEL_FN(smallest)
{
	return extreme(a, arg[0].list, -1, "min");
}

CEL_FN(largest)
{
	return extreme(a, arg[0].list, 1, "max");
}

static struct cel_value
add(struct arena *a, struct cel_value x, struct cel_value y)
{
	int64_t i;
	uint64_t u;

	if (x.kind != y.kind)
		return cel_error(a, "no such overload");
	switch (x.kind) {
	case CEL_INT:
		return __builtin_add_overflow(x.i, y.i, &i) ? cel_error(a, "integer overflow")
							    : cel_int(i);
	case CEL_UINT:
		return __builtin_add_overflow(x.u, y.u, &u)
			   ? cel_error(a, "unsigned integer overflow")
			   : cel_uint(u);
	case CEL_DOUBLE:
		return cel_double(x.d + y.d);
	case CEL_DURATION: {
		__int128 ns = ((__int128)x.time.s + y.time.s) * 1000000000 + x.time.ns + y.time.ns;
		struct cel_value v = { .kind = CEL_DURATION };

		if (ns > INT64_MAX || ns < INT64_MIN)
			return cel_error(a, "duration overflow");
		v.time.s = (int64_t)(ns / 1000000000);
		v.time.ns = (int32_t)(ns % 1000000000);
		return v;
	}
	default:
		return cel_error(a, "no such overload");
	}
}

/* Of the first item on; that of an empty list is 0 of the type in the overload. */
static struct cel_value
total(struct arena *a, const struct cel_list *l, struct cel_value zero)
{
	struct cel_value sum = l->n ? cel_list_get(a, l, 0) : zero;

	for (size_t i = 1; i < l->n && sum.kind != CEL_ERROR; i++)
		sum = add(a, sum, cel_list_get(a, l, i));
	return sum;
}

CEL_FN(sum_int)
{
	return total(a, arg[0].list, cel_int(0));
}

CEL_FN(sum_uint)
{
	return total(a, arg[0].list, cel_uint(0));
}

CEL_FN(sum_double)
{
	return total(a, arg[0].list, cel_double(0));
}

CEL_FN(sum_duration)
{
	return total(a, arg[0].list, (struct cel_value){ .kind = CEL_DURATION });
}

CEL_FN(index_of)
{
	for (size_t i = 0; i < arg[0].list->n; i++)
		if (cel_equal(a, cel_list_get(a, arg[0].list, i), arg[1]))
			return cel_int((int64_t)i);
	return cel_int(-1);
}

CEL_FN(last_index_of)
{
	for (size_t i = arg[0].list->n; i-- > 0;)
		if (cel_equal(a, cel_list_get(a, arg[0].list, i), arg[1]))
			return cel_int((int64_t)i);
	return cel_int(-1);
}

#define ORDERED(name, fn, result)                                                               \
	{ name, "list_int_" name "_int", "list(int).() " result("int"), fn, cel_cost_walk },    \
	    { name, "list_uint_" name "_uint", "list(uint).() " result("uint"), fn,             \
		    cel_cost_walk },                                                            \
	    { name, "list_double_" name "_double", "list(double).() " result("double"), fn,     \
		    cel_cost_walk },                                                            \
	    { name, "list_bool_" name "_bool", "list(bool).() " result("bool"), fn,             \
		    cel_cost_walk },                                                            \
	    { name, "list_duration_" name "_duration", "list(duration).() " result("duration"), \
		    fn, cel_cost_walk },                                                        \
	    { name, "list_timestamp_" name "_timestamp",                                        \
		    "list(timestamp).() " result("timestamp"), fn, cel_cost_walk },             \
	    { name, "list_string_" name "_string", "list(string).() " result("string"), fn,     \
		    cel_cost_walk },                                                            \
	{                                                                                       \
		name, "list_bytes_" name "_bytes", "list(bytes).() " result("bytes"), fn,       \
		    cel_cost_walk                                                               \
	}
#define OF_ITSELF(type) type
#define OF_BOOL(type) "bool"

/* A list of dyn has the values' own types to go by: the overloads are tried in this order. */
const struct cel_function cel_lib_lists[] = {
	ORDERED("isSorted", is_sorted, OF_BOOL),
	ORDERED("min", smallest, OF_ITSELF),
	ORDERED("max", largest, OF_ITSELF),
	{ "sum", "list_int_sum_int", "list(int).() int", sum_int, cel_cost_walk },
	{ "sum", "list_uint_sum_uint", "list(uint).() uint", sum_uint, cel_cost_walk },
	{ "sum", "list_double_sum_double", "list(double).() double", sum_double, cel_cost_walk },
	{ "sum", "list_duration_sum_duration", "list(duration).() duration", sum_duration,
	    cel_cost_walk },
	{ "indexOf", "list_a_index_of_int", "list(A).(A) int", index_of, cel_cost_walk },
	{ "lastIndexOf", "list_a_last_index_of_int", "list(A).(A) int", last_index_of,
	    cel_cost_walk },
	{ 0 },
};

/* --- sets --------------------------------------------------------------------------------- */

static bool
has(struct arena *a, const struct cel_list *l, struct cel_value v)
{
	for (size_t i = 0; i < l->n; i++)
		if (cel_equal(a, cel_list_get(a, l, i), v))
			return true;
	return false;
}

static bool
has_all(struct arena *a, const struct cel_list *l, const struct cel_list *of)
{
	for (size_t i = 0; i < of->n; i++)
		if (!has(a, l, cel_list_get(a, of, i)))
			return false;
	return true;
}

CEL_FN(contains)
{
	return cel_bool(has_all(a, arg[0].list, arg[1].list));
}

CEL_FN(equivalent)
{
	return cel_bool(
	    has_all(a, arg[0].list, arg[1].list) && has_all(a, arg[1].list, arg[0].list));
}

CEL_FN(intersects)
{
	for (size_t i = 0; i < arg[0].list->n; i++)
		if (has(a, arg[1].list, cel_list_get(a, arg[0].list, i)))
			return cel_bool(true);
	return cel_bool(false);
}

/* Each item of one is held against each of the other (ext/sets.go). */
CEL_COST(cost_of_pairs)
{
	return 1 + (uint64_t)cel_size(arg[0]) * cel_size(arg[1]);
}

CEL_COST(cost_both_ways)
{
	return 1 + 2 * (uint64_t)cel_size(arg[0]) * cel_size(arg[1]);
}

const struct cel_function cel_lib_sets[] = {
	{ "sets.contains", "list_sets_contains_list", "(list(A), list(A)) bool", contains,
	    cost_of_pairs },
	{ "sets.equivalent", "list_sets_equivalent_list", "(list(A), list(A)) bool", equivalent,
	    cost_both_ways },
	{ "sets.intersects", "list_sets_intersects_list", "(list(A), list(A)) bool", intersects,
	    cost_of_pairs },
	{ 0 },
};
