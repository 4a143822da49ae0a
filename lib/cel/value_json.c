/* Values out of JSON, looked at only where an expression asks; and back. */
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "cel/value.h"

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
			.of = type->kind == CEL_T_LIST ? type->of[0] : &cel_t_dyn,
			.keys = type->kind == CEL_T_LIST ? type->keys : NULL };
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

/* The type of a field by its name in JSON; NULL of one that expressions do not see. */
static const struct cel_type *
type_of_key(const struct cel_type *t, const char *key)
{
	for (size_t i = 0; i < t->nfields; i++)
		if (strcmp(t->field[i].json ? t->field[i].json : t->field[i].name, key) == 0)
			return t->field[i].type;
	return NULL;
}

bool
cel_objects_equal(struct arena *a, const struct cel_map *x, const struct cel_map *y)
{
	const char *key;
	json_t *v;

	if (x->n != y->n)
		return false;
	json_object_foreach ((json_t *)x->json, key, v) {
		const struct cel_type *one = type_of_key(x->type, key),
				      *two = type_of_key(y->type, key);
		const json_t *w = json_object_get(y->json, key);

		if (!w ||
		    (one && two ? !cel_equal(a, cel_from_json(a, v, one), cel_from_json(a, w, two))
				: !json_equal(v, w)))
			return false;
	}
	return true;
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
