/* Messages that are values: wrappers, times, JSON (types/provider.go and types/json_*.go of
 * cel-go). */
#include "cel/well_known.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/text.h"
#include "cel/function.h"

static bool
given(const struct cel_map *fields, const char *name, struct cel_value *ret)
{
	for (size_t i = 0; i < fields->n; i++)
		if (strcmp(fields->entry[i].key.text.p, name) == 0) {
			*ret = fields->entry[i].value;
			return true;
		}
	return false;
}

static struct cel_value
unfit(struct arena *a, const struct cel_well_known *w, const char *field, const char *why)
{
	return cel_error(
	    a, "field type conversion error for %s.%s value type: %s", w->name, field, why);
}

/* A number of a time, 0 when it is not given. */
static bool
whole(const struct cel_map *fields, const char *name, int64_t *ret)
{
	struct cel_value v;

	*ret = 0;
	if (!given(fields, name, &v))
		return true;
	*ret = v.i;
	return v.kind == CEL_INT;
}

/* --- wrappers ------------------------------------------------------------------------------- */

/* What does not fit into 32 bits; NULL: it does. */
static const char *
narrow(const char *name, struct cel_value *v)
{
	if (text_ends(name, ".Int32Value") && (v->i < INT32_MIN || v->i > INT32_MAX))
		return "integer overflow";
	if (text_ends(name, ".UInt32Value") && v->u > UINT32_MAX)
		return "unsigned integer overflow";
	if (text_ends(name, ".FloatValue"))
		v->d = fabs(v->d) > (double)FLT_MAX && isfinite(v->d) ? copysign(INFINITY, v->d)
								      : (double)(float)v->d;
	return NULL;
}

static struct cel_value
make_wrapper(struct arena *a, const struct cel_well_known *w, const struct cel_map *fields)
{
	static const enum cel_kind kinds[] = { [CEL_T_BOOL] = CEL_BOOL,
		[CEL_T_INT] = CEL_INT,
		[CEL_T_UINT] = CEL_UINT,
		[CEL_T_DOUBLE] = CEL_DOUBLE,
		[CEL_T_STRING] = CEL_STRING,
		[CEL_T_BYTES] = CEL_BYTES };
	struct cel_value v, none = { .kind = kinds[w->type->of[0]->kind] };
	const char *why;

	if (none.kind == CEL_STRING || none.kind == CEL_BYTES)
		none.text.p = "";
	if (!given(fields, "value", &v))
		return none;
	if (v.kind != none.kind)
		return unfit(a, w, "value", "unsupported type conversion");
	return (why = narrow(w->name, &v)) ? unfit(a, w, "value", why) : v;
}

/* --- times ---------------------------------------------------------------------------------- */

static struct cel_value
make_time(struct arena *a, const struct cel_well_known *w, const struct cel_map *fields)
{
	struct cel_value v = { .kind = w->type->kind == CEL_T_TIMESTAMP ? CEL_TIMESTAMP
									: CEL_DURATION };
	bool stamp = v.kind == CEL_TIMESTAMP;
	int64_t s, ns;

	if (!whole(fields, "seconds", &s))
		return unfit(a, w, "seconds", "unsupported type conversion");
	if (!whole(fields, "nanos", &ns))
		return unfit(a, w, "nanos", "unsupported type conversion");
	if (ns < INT32_MIN || ns > INT32_MAX)
		return unfit(a, w, "nanos", "integer overflow");
	/* within the years 1 to 9999; a duration in nanoseconds has 64 bits */
	if (s < (stamp ? -62135596800 : -9223372036) || s > (stamp ? 253402300799 : 9223372036))
		return cel_error(a, "%s overflow", stamp ? "timestamp" : "duration");
	s += ns / 1000000000;
	ns %= 1000000000;
	if (ns < 0 && (stamp || s > 0)) {
		s--;
		ns += 1000000000;
	} else if (ns > 0 && !stamp && s < 0) {
		s++;
		ns -= 1000000000;
	}
	v.time.s = s;
	v.time.ns = (int32_t)ns;
	return v;
}

/* --- JSON ----------------------------------------------------------------------------------- */

static struct cel_value json_of(struct arena *a, struct cel_value v);

static struct cel_value
json_list(struct arena *a, const struct cel_list *l)
{
	struct cel_value *items = arena_alloc(a, (l->n + 1) * sizeof *items);

	for (size_t i = 0; i < l->n; i++) {
		items[i] = json_of(a, cel_list_get(a, l, i));
		if (items[i].kind == CEL_ERROR)
			return items[i];
	}
	return cel_list_of(a, items, l->n);
}

static struct cel_value
json_map(struct arena *a, const struct cel_map *m)
{
	struct cel_entry *entries = arena_alloc(a, (m->n + 1) * sizeof *entries);
	void *at = NULL;

	for (size_t i = 0; i < m->n; i++) {
		struct cel_value key = cel_map_key(a, m, i, &at), v;

		entries[i].key = cel_string_of(a, key);
		if (!cel_map_find(a, m, key, &v) || entries[i].key.kind == CEL_ERROR)
			return cel_error(a, "no such overload");
		entries[i].value = json_of(a, v);
		if (entries[i].value.kind == CEL_ERROR)
			return entries[i].value;
	}
	return cel_map_of(a, entries, m->n);
}

/* Beyond 53 bits a number would not stay what it is: it becomes a text. */
static struct cel_value
json_number(struct arena *a, struct cel_value v)
{
	const int64_t most = (int64_t)1 << 53;

	if (v.kind == CEL_INT && v.i > -most && v.i < most)
		return cel_double((double)v.i);
	if (v.kind == CEL_UINT && v.u < (uint64_t)most)
		return cel_double((double)v.u);
	return cel_string_of(a, v);
}

static struct cel_value
json_of(struct arena *a, struct cel_value v)
{
	switch (v.kind) {
	case CEL_INT:
	case CEL_UINT:
		return json_number(a, v);
	case CEL_TIMESTAMP:
		return cel_string(a, cel_print_timestamp(a, v));
	case CEL_DURATION:
		return cel_string(a, cel_print_duration(a, v));
	case CEL_BYTES: {
		autofree char *text = bytes_encode(v.text.p, v.text.len);

		return cel_string(a, text);
	}
	case CEL_LIST:
		return json_list(a, v.list);
	case CEL_MAP:
	case CEL_OBJECT:
		return json_map(a, v.map);
	case CEL_TYPE:
	case CEL_OPTIONAL:
	case CEL_OPAQUE:
		return cel_error(a, "type conversion error from '%s' to 'google.protobuf.Value'",
		    cel_type_of(v)->name);
	default:
		return v;
	}
}

/* Of Value, the field that is given last counts. */
static struct cel_value
make_json(struct arena *a, const struct cel_well_known *w, const struct cel_map *fields)
{
	struct cel_value v = { .kind = w->type->kind == CEL_T_MAP    ? CEL_MAP
				       : w->type->kind == CEL_T_LIST ? CEL_LIST
								     : CEL_NULL };
	const char *field;

	if (fields->n == 0)
		return v.kind == CEL_MAP    ? cel_map_of(a, NULL, 0)
		       : v.kind == CEL_LIST ? cel_list_of(a, NULL, 0)
					    : v;
	field = fields->entry[fields->n - 1].key.text.p;
	v = fields->entry[fields->n - 1].value;
	return strcmp(field, "null_value") == 0 ? cel_null() : json_of(a, v);
}

static struct cel_value
make_empty(struct arena *a, const struct cel_well_known *w, const struct cel_map *fields)
{
	struct cel_map *m = arena_alloc(a, sizeof *m);

	*m = *fields;
	m->type = w->type;
	return CEL_MAKE(CEL_OBJECT, map, m);
}

/* --- all ------------------------------------------------------------------------------------ */

static const struct cel_type map_of_any = { .kind = CEL_T_MAP,
	.name = "map",
	.of = { &cel_t_string, &cel_t_dyn } },
			     list_of_any = { .kind = CEL_T_LIST,
				     .name = "list",
				     .of = { &cel_t_dyn } },
			     empty = { .kind = CEL_T_OBJECT, .name = "google.protobuf.Empty" };
static const struct cel_field time_fields[] = { { "seconds", &cel_t_int, NULL },
	{ "nanos", &cel_t_int, NULL } };
static const struct cel_field value_fields[] = { { "null_value", &cel_t_int, NULL },
	{ "number_value", &cel_t_double, NULL }, { "string_value", &cel_t_string, NULL },
	{ "bool_value", &cel_t_bool, NULL }, { "struct_value", &map_of_any, NULL },
	{ "list_value", &list_of_any, NULL } };
static const struct cel_field struct_fields[] = { { "fields", &map_of_any, NULL } };
static const struct cel_field list_fields[] = { { "values", &list_of_any, NULL } };

#define WRAPS(type)                                                               \
	static const struct cel_type wrapped_##type = {                           \
		.kind = CEL_T_WRAPPER, .name = "wrapper", .of = { &cel_t_##type } \
	};                                                                        \
	static const struct cel_field wrapped_##type##_fields[] = {               \
		{ "value", &cel_t_##type, NULL },                                 \
	}
WRAPS(bool);
WRAPS(int);
WRAPS(uint);
WRAPS(double);
WRAPS(string);
WRAPS(bytes);

#define WRAPPER(name, type)                                                                        \
	{                                                                                          \
		"google.protobuf." name, &wrapped_##type, wrapped_##type##_fields, 1, make_wrapper \
	}

static const struct cel_well_known all[] = {
	WRAPPER("BoolValue", bool),
	WRAPPER("Int32Value", int),
	WRAPPER("Int64Value", int),
	WRAPPER("UInt32Value", uint),
	WRAPPER("UInt64Value", uint),
	WRAPPER("FloatValue", double),
	WRAPPER("DoubleValue", double),
	WRAPPER("StringValue", string),
	WRAPPER("BytesValue", bytes),
	{ "google.protobuf.Timestamp", &cel_t_timestamp, time_fields, 2, make_time },
	{ "google.protobuf.Duration", &cel_t_duration, time_fields, 2, make_time },
	{ "google.protobuf.Value", &cel_t_dyn, value_fields, COUNT(value_fields), make_json },
	{ "google.protobuf.Struct", &map_of_any, struct_fields, 1, make_json },
	{ "google.protobuf.ListValue", &list_of_any, list_fields, 1, make_json },
	{ "google.protobuf.Empty", &empty, NULL, 0, make_empty },
};

const struct cel_well_known *
cel_well_known(const char *name)
{
	if (!text_starts(name, "google.protobuf."))
		return NULL;
	for (size_t i = 0; i < COUNT(all); i++)
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	return NULL;
}

bool
cel_well_known_number(const char *name, int64_t *ret)
{
	*ret = 0;
	return strcmp(name, "google.protobuf.NullValue.NULL_VALUE") == 0;
}
