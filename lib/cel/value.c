/* Values: making them, JSON, equality and order. */
#include "cel/value.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
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

/* --- from JSON ----------------------------------------------------------------------- */

static struct cel_value
bytes_from(struct arena *a, const json_t *json)
{
	size_t len;
	autofree unsigned char *data = bytes_decode(json_string_value(json), &len);
	struct cel_value v;

	if (!data)
		return cel_error(a, "invalid base64 in a field of bytes");
	v = cel_text(arena_text(a, (char *)data, len), len);
	v.kind = CEL_BYTES;
	return v;
}

static struct cel_value
text_from(struct arena *a, const json_t *json, const struct cel_type *type)
{
	const char *p = json_string_value(json);
	size_t len = json_string_length(json);
	struct cel_value v;

	if (type->kind == CEL_T_TIMESTAMP)
		return cel_parse_timestamp(p, len, &v) ? v
						       : cel_error(a, "invalid timestamp '%s'", p);
	if (type->kind == CEL_T_DURATION)
		return cel_parse_duration(p, len, &v) ? v
						      : cel_error(a, "invalid duration '%s'", p);
	if (type->kind == CEL_T_BYTES)
		return bytes_from(a, json);
	return cel_text(p, len);
}

struct cel_value
cel_from_json(struct arena *a, const json_t *json, const struct cel_type *type)
{
	switch (json_typeof(json)) {
	case JSON_TRUE:
	case JSON_FALSE:
		return cel_bool(json_is_true(json));
	case JSON_INTEGER:
		if (type->kind == CEL_T_DOUBLE)
			return cel_double((double)json_integer_value(json));
		return cel_int(json_integer_value(json));
	case JSON_REAL:
		return cel_double(json_real_value(json));
	case JSON_STRING:
		return text_from(a, json, type);
	case JSON_ARRAY: {
		struct cel_list *l = arena_alloc(a, sizeof *l);

		*l = (struct cel_list){ .n = json_array_size(json),
			.json = json,
			.of = type->kind == CEL_T_LIST ? type->of[0] : &cel_t_dyn };
		return CEL_MAKE(CEL_LIST, list, l);
	}
	case JSON_OBJECT: {
		struct cel_map *m = arena_alloc(a, sizeof *m);
		bool object = type->kind == CEL_T_OBJECT;

		*m = (struct cel_map){ .n = json_object_size(json),
			.json = json,
			.type = object || type->kind == CEL_T_MAP ? type : &cel_t_dyn };
		return object ? CEL_MAKE(CEL_OBJECT, map, m) : CEL_MAKE(CEL_MAP, map, m);
	}
	case JSON_NULL:
		break;
	}
	return cel_null();
}

struct cel_value
cel_list_get(struct arena *a, const struct cel_list *l, size_t i)
{
	return l->item ? l->item[i] : cel_from_json(a, json_array_get(l->json, i), l->of);
}

/* The type of what stands at a key of a map or object. */
static const struct cel_type *
type_at(const struct cel_map *m, const char *key, const char **json_key)
{
	const struct cel_field *f;

	*json_key = key;
	if (m->type->kind == CEL_T_MAP)
		return m->type->of[1];
	if (m->type->kind != CEL_T_OBJECT)
		return &cel_t_dyn;
	if (!(f = cel_field_of(m->type, key)))
		return m->type->open ? &cel_t_dyn : NULL;
	if (f->json)
		*json_key = f->json;
	return f->type;
}

bool
cel_map_find(struct arena *a, const struct cel_map *m, struct cel_value key, struct cel_value *ret)
{
	const struct cel_type *type;
	const char *json_key;
	const json_t *v;
	char *name;

	if (!m->json) {
		for (size_t i = 0; i < m->n; i++)
			if (cel_equal(a, m->entry[i].key, key)) {
				*ret = m->entry[i].value;
				return true;
			}
		return false;
	}
	if (key.kind != CEL_STRING)
		return false;
	name = arena_text(a, key.text.p, key.text.len);
	if (!(type = type_at(m, name, &json_key)) || !(v = json_object_get(m->json, json_key)))
		return false;
	*ret = cel_from_json(a, v, type);
	return true;
}

struct cel_value
cel_map_key(struct arena *a, const struct cel_map *m, size_t i, void **at)
{
	json_t *json = (json_t *)m->json;

	if (!json)
		return m->entry[i].key;
	*at = *at ? json_object_iter_next(json, *at) : json_object_iter(json);
	return cel_string(a, json_object_iter_key(*at));
}

/* --- to JSON ------------------------------------------------------------------------------ */

static json_t *
map_to_json(struct arena *a, const struct cel_map *m)
{
	json_t *ret;

	if (m->json)
		return json_deep_copy(m->json);
	ret = json_object();
	for (size_t i = 0; i < m->n; i++) {
		struct cel_value key = m->entry[i].key;
		json_t *v = key.kind == CEL_STRING ? cel_to_json(a, m->entry[i].value) : NULL;

		if (!v || json_object_setn_new_nocheck(ret, key.text.p, key.text.len, v) < 0) {
			json_decref(ret);
			return NULL;
		}
	}
	return ret;
}

static json_t *
list_to_json(struct arena *a, const struct cel_list *l)
{
	json_t *ret;

	if (l->json)
		return json_deep_copy(l->json);
	ret = json_array();
	for (size_t i = 0; i < l->n; i++) {
		json_t *v = cel_to_json(a, l->item[i]);

		if (!v) {
			json_decref(ret);
			return NULL;
		}
		json_array_append_new(ret, v);
	}
	return ret;
}

static json_t *
bytes_to_json(struct cel_value v)
{
	autofree char *text = bytes_encode(v.text.p, v.text.len);

	return json_string(text);
}

json_t *
cel_to_json(struct arena *a, struct cel_value v)
{
	switch (v.kind) {
	case CEL_NULL:
		return json_null();
	case CEL_BOOL:
		return json_boolean(v.b);
	case CEL_INT:
		return json_integer(v.i);
	case CEL_UINT:
		return v.u <= INT64_MAX ? json_integer((json_int_t)v.u) : json_real((double)v.u);
	case CEL_DOUBLE:
		return isfinite(v.d) ? json_real(v.d) : NULL;
	case CEL_STRING:
		return json_stringn(v.text.p, v.text.len);
	case CEL_BYTES:
		return bytes_to_json(v);
	case CEL_TIMESTAMP:
		return json_string(cel_print_timestamp(a, v));
	case CEL_DURATION:
		return json_string(cel_print_duration(a, v));
	case CEL_LIST:
		return list_to_json(a, v.list);
	case CEL_MAP:
	case CEL_OBJECT:
		return map_to_json(a, v.map);
	case CEL_TYPE:
		return json_string(v.type->name);
	case CEL_OPTIONAL:
		return v.holding ? cel_to_json(a, *v.holding) : json_null();
	case CEL_OPAQUE:
	case CEL_ERROR:
		break;
	}
	return NULL;
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
	case CEL_MAP:
	case CEL_OBJECT:
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
