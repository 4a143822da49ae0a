/* Values: making them, JSON, equality and order. */
#include "cel/value.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct cel_value
cel_text(const char *p, size_t len)
{
	return (struct cel_value){ .kind = CEL_STRING, .text = { p, len } };
}

struct cel_value
cel_string(struct arena *a, const char *s)
{
	size_t len = strlen(s);

	return cel_text(arena_text(a, s, len), len);
}

struct cel_value
cel_error(struct arena *a, const char *fmt, ...)
{
	autofree char *msg = NULL;
	struct cel_value v;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	va_end(ap);
	v = cel_string(a, msg);
	v.kind = CEL_ERROR;
	return v;
}

struct cel_value
cel_list_of(struct arena *a, const struct cel_value *items, size_t n)
{
	struct cel_list *l = arena_alloc(a, sizeof *l);

	*l = (struct cel_list){ .n = n, .item = items };
	return CEL_MAKE(CEL_LIST, list, l);
}

struct cel_value
cel_map_of(struct arena *a, const struct cel_entry *entries, size_t n)
{
	struct cel_map *m = arena_alloc(a, sizeof *m);

	*m = (struct cel_map){ .n = n, .entry = entries };
	return CEL_MAKE(CEL_MAP, map, m);
}

struct cel_value
cel_optional_of(struct arena *a, struct cel_value v)
{
	struct cel_value *copy = arena_alloc(a, sizeof *copy);

	*copy = v;
	return CEL_MAKE(CEL_OPTIONAL, holding, copy);
}

struct cel_value
cel_optional_none(void)
{
	return CEL_MAKE(CEL_OPTIONAL, holding, NULL);
}

struct cel_value
cel_opaque_of(struct arena *a, const struct cel_type *type, const void *data,
    bool (*equal)(const void *a, const void *b))
{
	struct cel_opaque *o = arena_alloc(a, sizeof *o);

	*o = (struct cel_opaque){ type, data, equal };
	return CEL_MAKE(CEL_OPAQUE, opaque, o);
}

/* --- equality and order ------------------------------------------------------------------------
 */

static bool
is_number(struct cel_value v)
{
	return v.kind == CEL_INT || v.kind == CEL_UINT || v.kind == CEL_DOUBLE;
}

#define ORDER(x, y) ((x) < (y) ? -1 : (x) > (y))

/* A double against a whole number, which is taken as a double when it can be one (cel-go). */
static int
order_double(double d, struct cel_value n)
{
	double low = n.kind == CEL_UINT ? 0 : -9223372036854775808.0;
	double high = n.kind == CEL_UINT ? 18446744073709551616.0 : 9223372036854775808.0;
	double v = n.kind == CEL_UINT ? (double)n.u : (double)n.i;

	if (isnan(d))
		return 2;
	if (d < low)
		return -1;
	return d > high ? 1 : ORDER(d, v);
}

static int
order_numbers(struct cel_value x, struct cel_value y)
{
	if (x.kind == CEL_DOUBLE && y.kind == CEL_DOUBLE)
		return isnan(x.d) || isnan(y.d) ? 2 : ORDER(x.d, y.d);
	if (x.kind == CEL_DOUBLE)
		return order_double(x.d, y);
	if (y.kind == CEL_DOUBLE) {
		int r = order_double(y.d, x);

		return r == 2 ? 2 : -r;
	}
	if (x.kind == y.kind)
		return x.kind == CEL_INT ? ORDER(x.i, y.i) : ORDER(x.u, y.u);
	if (x.kind == CEL_INT)
		return x.i < 0 ? -1 : ORDER((uint64_t)x.i, y.u);
	return y.i < 0 ? 1 : ORDER(x.u, (uint64_t)y.i);
}

int
cel_compare(struct cel_value x, struct cel_value y)
{
	size_t n;
	int r;

	if (is_number(x) && is_number(y))
		return order_numbers(x, y);
	if (x.kind != y.kind)
		return 2;
	switch (x.kind) {
	case CEL_BOOL:
		return ORDER(x.b, y.b);
	case CEL_STRING:
	case CEL_BYTES:
		n = x.text.len < y.text.len ? x.text.len : y.text.len;
		r = n ? memcmp(x.text.p, y.text.p, n) : 0;
		return r ? ORDER(r, 0) : ORDER(x.text.len, y.text.len);
	case CEL_TIMESTAMP:
	case CEL_DURATION:
		return ORDER(x.time.s, y.time.s) ? ORDER(x.time.s, y.time.s)
						 : ORDER(x.time.ns, y.time.ns);
	default:
		return 2;
	}
}

static bool
lists_equal(struct arena *a, const struct cel_list *x, const struct cel_list *y)
{
	if (x->n != y->n)
		return false;
	if (x->keys)
		return cel_keyed_equal(a, x, y);
	for (size_t i = 0; i < x->n; i++)
		if (!cel_equal(a, cel_list_get(a, x, i), cel_list_get(a, y, i)))
			return false;
	return true;
}

static bool
maps_equal(struct arena *a, const struct cel_map *x, const struct cel_map *y)
{
	void *at = NULL;

	if (x->n != y->n)
		return false;
	for (size_t i = 0; i < x->n; i++) {
		struct cel_value key = cel_map_key(a, x, i, &at), one, two;

		if (!cel_map_find(a, x, key, &one) || !cel_map_find(a, y, key, &two) ||
		    !cel_equal(a, one, two))
			return false;
	}
	return true;
}

bool
cel_equal(struct arena *a, struct cel_value x, struct cel_value y)
{
	if (is_number(x) && is_number(y))
		return order_numbers(x, y) == 0;
	if (x.kind != y.kind)
		return false;
	switch (x.kind) {
	case CEL_NULL:
		return true;
	case CEL_LIST:
		return lists_equal(a, x.list, y.list);
	case CEL_OBJECT:
		if (x.map->json && y.map->json)
			return cel_objects_equal(a, x.map, y.map);
		return maps_equal(a, x.map, y.map);
	case CEL_MAP:
		return maps_equal(a, x.map, y.map);
	case CEL_TYPE:
		return x.type->kind == y.type->kind && strcmp(x.type->name, y.type->name) == 0;
	case CEL_OPTIONAL:
		return (!x.holding && !y.holding) ||
		       (x.holding && y.holding && cel_equal(a, *x.holding, *y.holding));
	case CEL_OPAQUE:
		return cel_type_same(x.opaque->type, y.opaque->type) &&
		       x.opaque->equal(x.opaque->data, y.opaque->data);
	default:
		return cel_compare(x, y) == 0;
	}
}

/* --- questions
 * ------------------------------------------------------------------------------------ */

size_t
cel_size(struct cel_value v)
{
	size_t n = 0;

	switch (v.kind) {
	case CEL_STRING:
		for (size_t i = 0; i < v.text.len; i++)
			n += (v.text.p[i] & 0xc0) != 0x80;
		return n;
	case CEL_BYTES:
		return v.text.len;
	case CEL_LIST:
		return v.list->n;
	case CEL_MAP:
		return v.map->n;
	default:
		return 1;
	}
}

static const struct cel_type list_type = { .kind = CEL_T_LIST, .name = "list" },
			     map_type = { .kind = CEL_T_MAP, .name = "map" },
			     optional_type = { .kind = CEL_T_OPTIONAL, .name = "optional_type" },
			     null_type = { .kind = CEL_T_NULL, .name = "null_type" },
			     timestamp_type = { .kind = CEL_T_TIMESTAMP,
				     .name = "google.protobuf.Timestamp" },
			     duration_type = { .kind = CEL_T_DURATION,
				     .name = "google.protobuf.Duration" };

const struct cel_type *
cel_type_of(struct cel_value v)
{
	switch (v.kind) {
	case CEL_NULL:
		return &null_type;
	case CEL_BOOL:
		return &cel_t_bool;
	case CEL_INT:
		return &cel_t_int;
	case CEL_UINT:
		return &cel_t_uint;
	case CEL_DOUBLE:
		return &cel_t_double;
	case CEL_STRING:
		return &cel_t_string;
	case CEL_BYTES:
		return &cel_t_bytes;
	case CEL_TIMESTAMP:
		return &timestamp_type;
	case CEL_DURATION:
		return &duration_type;
	case CEL_LIST:
		return &list_type;
	case CEL_MAP:
		return &map_type;
	case CEL_OBJECT:
		return v.map->type ? v.map->type : &map_type;
	case CEL_TYPE:
		return &cel_t_type;
	case CEL_OPTIONAL:
		return &optional_type;
	case CEL_OPAQUE:
		return v.opaque->type;
	case CEL_ERROR:
		break;
	}
	return &cel_t_error;
}
