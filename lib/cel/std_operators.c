/* Operators: arithmetic, comparison, membership (cel-spec, langdef.md, Standard Definitions). */
#include <math.h>
#include <string.h>

#include "cel/function.h"

enum { SECOND = 1000000000 };

uint64_t
cel_tenth(size_t size)
{
	return (size + 9) / 10;
}

uint64_t
cel_cost_scan(const struct cel_value *arg, size_t n, struct cel_value result)
{
	(void)n;
	(void)result;
	return cel_tenth(cel_size(arg[0]));
}

uint64_t
cel_cost_join(const struct cel_value *arg, size_t n, struct cel_value result)
{
	(void)n;
	(void)result;
	return cel_tenth(cel_size(arg[0]) + cel_size(arg[1]));
}

uint64_t
cel_cost_shorter(const struct cel_value *arg, size_t n, struct cel_value result)
{
	size_t x = cel_size(arg[0]), y = cel_size(arg[1]);

	(void)n;
	(void)result;
	return cel_tenth(x < y ? x : y);
}

static uint64_t
cost_of_list(const struct cel_value *arg, size_t n, struct cel_value result)
{
	(void)n;
	(void)result;
	return cel_size(arg[1]);
}

/* --- arithmetic --------------------------------------------------------------------- */

#define OVERFLOW cel_error(a, "integer overflow")
#define UOVERFLOW cel_error(a, "unsigned integer overflow")

#define INT_OP(name, builtin)                                                                      \
	static struct cel_value name##_int(struct arena *a, const struct cel_value *arg, size_t n) \
	{                                                                                          \
		int64_t r;                                                                         \
                                                                                                   \
		(void)n;                                                                           \
		return builtin(arg[0].i, arg[1].i, &r) ? OVERFLOW : cel_int(r);                    \
	}                                                                                          \
	static struct cel_value name##_uint(                                                       \
	    struct arena *a, const struct cel_value *arg, size_t n)                                \
	{                                                                                          \
		uint64_t r;                                                                        \
                                                                                                   \
		(void)n;                                                                           \
		return builtin(arg[0].u, arg[1].u, &r) ? UOVERFLOW : cel_uint(r);                  \
	}
INT_OP(add, __builtin_add_overflow)
INT_OP(subtract, __builtin_sub_overflow)
INT_OP(multiply, __builtin_mul_overflow)

#define DOUBLE_OP(name, op)                                         \
	static struct cel_value name##_double(                      \
	    struct arena *a, const struct cel_value *arg, size_t n) \
	{                                                           \
		(void)a;                                            \
		(void)n;                                            \
		return cel_double(arg[0].d op arg[1].d);            \
	}
DOUBLE_OP(add, +)
DOUBLE_OP(subtract, -)
DOUBLE_OP(multiply, *)
DOUBLE_OP(divide, /)

static struct cel_value
divide_int(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	if (arg[1].i == 0)
		return cel_error(a, "division by zero");
	return arg[0].i == INT64_MIN && arg[1].i == -1 ? OVERFLOW : cel_int(arg[0].i / arg[1].i);
}

static struct cel_value
divide_uint(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	return arg[1].u == 0 ? cel_error(a, "division by zero") : cel_uint(arg[0].u / arg[1].u);
}

static struct cel_value
modulo_int(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	if (arg[1].i == 0)
		return cel_error(a, "modulus by zero");
	return arg[0].i == INT64_MIN && arg[1].i == -1 ? OVERFLOW : cel_int(arg[0].i % arg[1].i);
}

static struct cel_value
modulo_uint(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	return arg[1].u == 0 ? cel_error(a, "modulus by zero") : cel_uint(arg[0].u % arg[1].u);
}

static struct cel_value
negate_int(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	return arg[0].i == INT64_MIN ? OVERFLOW : cel_int(-arg[0].i);
}

static struct cel_value
negate_double(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)n;
	return cel_double(-arg[0].d);
}

static struct cel_value not(struct arena * a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)n;
	return cel_bool(!arg[0].b);
}

/* --- joining --------------------------------------------------------------------------- */

static struct cel_value
join(struct arena *a, const struct cel_value *arg, size_t n)
{
	size_t x = arg[0].text.len, y = arg[1].text.len;
	char *p = arena_alloc(a, x + y + 1);
	struct cel_value v = cel_text(p, x + y);

	(void)n;
	if (x)
		memcpy(p, arg[0].text.p, x);
	if (y)
		memcpy(p + x, arg[1].text.p, y);
	v.kind = arg[0].kind;
	return v;
}

enum { MOST_ITEMS = 1 << 21 };

static struct cel_value
join_lists(struct arena *a, const struct cel_value *arg, size_t n)
{
	const struct cel_list *x = arg[0].list, *y = arg[1].list;
	struct cel_value *items;

	(void)n;
	if (y->n == 0)
		return arg[0];
	if (x->n == 0 && !x->keys)
		return arg[1];
	if (x->n + y->n > MOST_ITEMS)
		return cel_error(a, "the list is too long");
	if (x->keys)
		return cel_keyed_add(a, x, y);
	items = arena_alloc(a, (x->n + y->n) * sizeof *items);
	for (size_t i = 0; i < x->n; i++)
		items[i] = cel_list_get(a, x, i);
	for (size_t i = 0; i < y->n; i++)
		items[x->n + i] = cel_list_get(a, y, i);
	return cel_list_of(a, items, x->n + y->n);
}

/* --- time -------------------------------------------------------------------------------- */

static struct cel_value
make_time(struct arena *a, enum cel_kind kind, __int128 ns)
{
	__int128 s = ns / SECOND, rest = ns % SECOND;
	struct cel_value v = { .kind = kind };

	if (kind == CEL_DURATION && (ns > INT64_MAX || ns < INT64_MIN))
		return cel_error(a, "duration overflow");
	if (kind == CEL_TIMESTAMP && rest < 0) {
		s--;
		rest += SECOND;
	}
	v.time.s = (int64_t)s;
	v.time.ns = (int32_t)rest;
	if (kind == CEL_TIMESTAMP && (s < INT64_C(-62135596800) || s > INT64_C(253402300799)))
		return cel_error(a, "timestamp overflow");
	return v;
}

static __int128
nanoseconds(struct cel_value v)
{
	return (__int128)v.time.s * SECOND + v.time.ns;
}

static struct cel_value
add_time(struct arena *a, const struct cel_value *arg, size_t n)
{
	bool point = arg[0].kind == CEL_TIMESTAMP || arg[1].kind == CEL_TIMESTAMP;

	(void)n;
	return make_time(
	    a, point ? CEL_TIMESTAMP : CEL_DURATION, nanoseconds(arg[0]) + nanoseconds(arg[1]));
}

static struct cel_value
subtract_time(struct arena *a, const struct cel_value *arg, size_t n)
{
	bool point = arg[0].kind == CEL_TIMESTAMP && arg[1].kind == CEL_DURATION;

	(void)n;
	return make_time(
	    a, point ? CEL_TIMESTAMP : CEL_DURATION, nanoseconds(arg[0]) - nanoseconds(arg[1]));
}

static struct cel_value
negate_duration(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	return make_time(a, CEL_DURATION, -nanoseconds(arg[0]));
}

/* --- comparing ----------------------------------------------------------------------------- */

static struct cel_value
equals(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	return cel_bool(cel_equal(a, arg[0], arg[1]));
}

static struct cel_value
differs(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	return cel_bool(!cel_equal(a, arg[0], arg[1]));
}

#define COMPARE(name, test)                                                                  \
	static struct cel_value name(struct arena *a, const struct cel_value *arg, size_t n) \
	{                                                                                    \
		int r = cel_compare(arg[0], arg[1]);                                         \
                                                                                             \
		(void)a;                                                                     \
		(void)n;                                                                     \
		return cel_bool(r != 2 && (test));                                           \
	}
COMPARE(less, r < 0)
COMPARE(less_equal, r <= 0)
COMPARE(greater, r > 0)
COMPARE(greater_equal, r >= 0)

/* --- containers ------------------------------------------------------------------------------ */

static struct cel_value
in_list(struct arena *a, const struct cel_value *arg, size_t n)
{
	const struct cel_list *l = arg[1].list;

	(void)n;
	for (size_t i = 0; i < l->n; i++)
		if (cel_equal(a, arg[0], cel_list_get(a, l, i)))
			return cel_bool(true);
	return cel_bool(false);
}

static struct cel_value
in_map(struct arena *a, const struct cel_value *arg, size_t n)
{
	struct cel_value ignored;

	(void)n;
	return cel_bool(cel_map_find(a, arg[1].map, arg[0], &ignored));
}

static struct cel_value
size(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)n;
	return cel_int((int64_t)cel_size(arg[0]));
}

static struct cel_value
type(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)n;
	return CEL_MAKE(CEL_TYPE, type, cel_type_of(arg[0]));
}

static struct cel_value
dyn(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)n;
	return arg[0];
}

#define ORDERED(op, word, fn)                                                      \
	{ op, word "_bool", "(bool, bool) bool", fn, NULL },                       \
	    { op, word "_int64", "(int, int) bool", fn, NULL },                    \
	    { op, word "_int64_double", "(int, double) bool", fn, NULL },          \
	    { op, word "_int64_uint64", "(int, uint) bool", fn, NULL },            \
	    { op, word "_uint64", "(uint, uint) bool", fn, NULL },                 \
	    { op, word "_uint64_double", "(uint, double) bool", fn, NULL },        \
	    { op, word "_uint64_int64", "(uint, int) bool", fn, NULL },            \
	    { op, word "_double", "(double, double) bool", fn, NULL },             \
	    { op, word "_double_int64", "(double, int) bool", fn, NULL },          \
	    { op, word "_double_uint64", "(double, uint) bool", fn, NULL },        \
	    { op, word "_string", "(string, string) bool", fn, cel_cost_shorter }, \
	    { op, word "_bytes", "(bytes, bytes) bool", fn, cel_cost_shorter },    \
	    { op, word "_timestamp", "(timestamp, timestamp) bool", fn, NULL },    \
	{                                                                          \
		op, word "_duration", "(duration, duration) bool", fn, NULL        \
	}

const struct cel_function cel_std_operators[] = {
	{ "_+_", "add_int64", "(int, int) int", add_int, NULL },
	{ "_+_", "add_uint64", "(uint, uint) uint", add_uint, NULL },
	{ "_+_", "add_double", "(double, double) double", add_double, NULL },
	{ "_+_", "add_string", "(string, string) string", join, cel_cost_join },
	{ "_+_", "add_bytes", "(bytes, bytes) bytes", join, cel_cost_join },
	{ "_+_", "add_list", "(list(A), list(A)) list(A)", join_lists, NULL },
	{ "_+_", "add_timestamp_duration", "(timestamp, duration) timestamp", add_time, NULL },
	{ "_+_", "add_duration_timestamp", "(duration, timestamp) timestamp", add_time, NULL },
	{ "_+_", "add_duration_duration", "(duration, duration) duration", add_time, NULL },
	{ "_-_", "subtract_int64", "(int, int) int", subtract_int, NULL },
	{ "_-_", "subtract_uint64", "(uint, uint) uint", subtract_uint, NULL },
	{ "_-_", "subtract_double", "(double, double) double", subtract_double, NULL },
	{ "_-_", "subtract_timestamp_timestamp", "(timestamp, timestamp) duration", subtract_time,
	    NULL },
	{ "_-_", "subtract_timestamp_duration", "(timestamp, duration) timestamp", subtract_time,
	    NULL },
	{ "_-_", "subtract_duration_duration", "(duration, duration) duration", subtract_time,
	    NULL },
	{ "_*_", "multiply_int64", "(int, int) int", multiply_int, NULL },
	{ "_*_", "multiply_uint64", "(uint, uint) uint", multiply_uint, NULL },
	{ "_*_", "multiply_double", "(double, double) double", multiply_double, NULL },
	{ "_/_", "divide_int64", "(int, int) int", divide_int, NULL },
	{ "_/_", "divide_uint64", "(uint, uint) uint", divide_uint, NULL },
	{ "_/_", "divide_double", "(double, double) double", divide_double, NULL },
	{ "_%_", "modulo_int64", "(int, int) int", modulo_int, NULL },
	{ "_%_", "modulo_uint64", "(uint, uint) uint", modulo_uint, NULL },
	{ "-_", "negate_int64", "(int) int", negate_int, NULL },
	{ "-_", "negate_double", "(double) double", negate_double, NULL },
	{ "-_", "negate_duration", "(duration) duration", negate_duration, NULL },
	{ "!_", "logical_not", "(bool) bool", not, NULL },
	{ "_==_", "equals", "(A, A) bool", equals, cel_cost_shorter },
	{ "_!=_", "not_equals", "(A, A) bool", differs, cel_cost_shorter },
	ORDERED("_<_", "less", less),
	ORDERED("_<=_", "less_equals", less_equal),
	ORDERED("_>_", "greater", greater),
	ORDERED("_>=_", "greater_equals", greater_equal),
	/* the evaluator knows these */
	{ "_[_]", "index_list", "(list(A), int) A", NULL, NULL },
	{ "_[_]", "index_map", "(map(A, B), A) B", NULL, NULL },
	{ "@in", "in_list", "(A, list(A)) bool", in_list, cost_of_list },
	{ "@in", "in_map", "(A, map(A, B)) bool", in_map, NULL },
	{ "size", "size_string", "(string) int", size, NULL },
	{ "size", "string_size", "string.() int", size, NULL },
	{ "size", "size_bytes", "(bytes) int", size, NULL },
	{ "size", "bytes_size", "bytes.() int", size, NULL },
	{ "size", "size_list", "(list(A)) int", size, NULL },
	{ "size", "list_size", "list(A).() int", size, NULL },
	{ "size", "size_map", "(map(A, B)) int", size, NULL },
	{ "size", "map_size", "map(A, B).() int", size, NULL },
	{ "type", "type", "(A) type(A)", type, NULL },
	{ "dyn", "to_dyn", "(A) dyn", dyn, NULL },
	{ 0 },
};
