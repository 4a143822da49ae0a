/* Protobuf messages into JSON: what comes from a stranger, so every length is looked at. */
#include "api/protobuf_decode.h"
#include "api/path.h"
#include "api/protobuf.h"
#include "base/mem.h"
#include "base/text.h"

enum { DEPTH = 300 }; /* of messages in messages */

static const char wrong_wire[] = "the wire type is not the field's";

static int decode_value(struct decoder *d, const struct type *t, struct reader *r, enum wire wire,
    bool wrapped, json_t **v, const struct path *at);
static int decode_struct(
    struct decoder *d, const struct type *t, struct reader r, json_t *obj, const struct path *at);

/* --- a value that is one of two things --- */

/* One field of a choice; what is decoded stands in *v, which may be there from a field before. */
static int
choice_field(struct decoder *d, const struct choice *c, int n, struct reader *r, enum wire wire,
    json_t **v, const struct path *at)
{
	const struct type *schema = choice_schema();
	json_t *item = NULL;
	int result = 0;

	if (n == c->schema) {
		if (!json_is_object(*v)) {
			json_decref(*v);
			*v = NULL;
		}
		return decode_value(d, schema, r, wire, false, v, at);
	}
	if (n != c->other)
		return read_skip(r, wire) ? 0 : decode_refuse(d, at, decode_cut);
	result = decode_value(d, choice_other(c), r, wire, false, &item, at);
	if (result < 0)
		return result;
	if (json_is_object(*v)) { /* the schema says it all */
		json_decref(item);
	} else if (c->class == CLASS_BOOL) {
		json_decref(*v);
		*v = item;
	} else {
		if (!*v)
			*v = json_array();
		json_array_append_new(*v, item);
	}
	return 0;
}

static int
get_choice(
    struct decoder *d, const struct choice *c, struct reader r, json_t **v, const struct path *at)
{
	enum wire wire;
	json_t *got = NULL;
	int n, more;

	while ((more = decode_next(d, &r, &n, &wire, at)) > 0)
		if ((more = choice_field(d, c, n, &r, wire, &got, at)) < 0)
			break;
	if (more < 0) {
		json_decref(got);
		return more;
	}
	*v = got ? got : json_null();
	return 0;
}

/* --- values --- */

static int
get_struct(
    struct decoder *d, const struct type *t, struct reader r, json_t **v, const struct path *at)
{
	json_t *obj = *v ? *v : json_object();
	int result = decode_struct(d, t, r, obj, at);

	if (result == 0)
		*v = obj;
	else if (!*v)
		json_decref(obj);
	return result;
}

static int
get_message(
    struct decoder *d, const struct type *t, struct reader r, json_t **v, const struct path *at)
{
	const struct choice *c = t->class == CLASS_ANY ? choice_find(t) : NULL;

	if (t->class == CLASS_STRUCT)
		return get_struct(d, t, r, v, at);
	if (t->class == CLASS_LIST || t->class == CLASS_MAP)
		return decode_refuse(d, at, wrong_wire);
	return c ? get_choice(d, c, r, v, at) : decode_scalar(d, t, r, v, at);
}

/* The items of a list that stands in a message of its own. */
static int
get_wrapped(
    struct decoder *d, const struct type *t, struct reader r, json_t **v, const struct path *at)
{
	json_t *list = *v ? *v : json_array();
	enum wire wire;
	int n, more;

	while ((more = decode_next(d, &r, &n, &wire, at)) > 0) {
		json_t *item = NULL;

		if (n != 1 && !read_skip(&r, wire))
			more = decode_refuse(d, at, decode_cut);
		else if (n == 1)
			more = decode_value(
			    d, t->elem, &r, wire, false, &item, ITEM(at, json_array_size(list)));
		if (more < 0)
			break;
		if (item)
			json_array_append_new(list, item);
	}
	if (more == 0)
		*v = list;
	else if (!*v)
		json_decref(list);
	return more;
}

/*
 * A value whose key has been read.  *v is NULL, or the struct or list that came before under the
 * same number, which is then added to.
 */
static int
decode_value(struct decoder *d, const struct type *t, struct reader *r, enum wire wire,
    bool wrapped, json_t **v, const struct path *at)
{
	enum wire want =
	    t->class == CLASS_DOUBLE ? WIRE_64
	    : t->class == CLASS_BOOL || t->class == CLASS_INT32 || t->class == CLASS_INT64
		? WIRE_VARINT
		: WIRE_BYTES;
	struct reader bytes;
	int result;

	if (wire != want)
		return decode_refuse(d, at, wrong_wire);
	if (want == WIRE_64)
		return decode_double(d, r, v, at);
	if (want == WIRE_VARINT)
		return decode_number(d, t, r, v, at);
	if (!read_bytes(r, &bytes))
		return decode_refuse(d, at, decode_cut);
	if (++d->depth > DEPTH)
		return decode_refuse(d, at, "it is nested too deeply");
	if (wrapped && t->class == CLASS_LIST)
		result = get_wrapped(d, t, bytes, v, at);
	else
		result = get_message(d, t, bytes, v, at);
	d->depth--;
	return result;
}

/* --- fields --- */

/* Several numbers in one field, as newer protobuf packs them. */
static int
decode_packed(
    struct decoder *d, const struct type *t, struct reader *r, json_t *list, const struct path *at)
{
	enum wire wire = t->class == CLASS_DOUBLE ? WIRE_64 : WIRE_VARINT;
	struct reader bytes;
	int result = 0;

	if (!read_bytes(r, &bytes))
		return decode_refuse(d, at, decode_cut);
	while (result == 0 && bytes.p < bytes.end) {
		json_t *item = NULL;

		if ((result = decode_value(d, t, &bytes, wire, false, &item, at)) == 0)
			json_array_append_new(list, item);
	}
	return result;
}

static int
decode_item(struct decoder *d, const struct field *f, struct reader *r, enum wire wire, json_t *obj,
    const struct path *at)
{
	json_t *list = json_object_get(obj, f->name), *item = NULL;
	const struct type *t = f->type->elem;
	int result;

	if (!list) {
		list = json_array();
		json_object_set_new_nocheck(obj, f->name, list);
	}
	if (wire == WIRE_BYTES && (t->class == CLASS_BOOL || t->class == CLASS_INT32 ||
				      t->class == CLASS_INT64 || t->class == CLASS_DOUBLE))
		return decode_packed(d, t, r, list, at);
	result = decode_value(d, t, r, wire, false, &item, ITEM(at, json_array_size(list)));
	if (result == 0)
		json_array_append_new(list, item);
	return result;
}

/* A value that was not sent: a text is empty, a struct has no fields. */
static json_t *
zero(const struct type *t)
{
	switch (t->class) {
	case CLASS_STRING:
	case CLASS_BYTES:
		return json_string("");
	case CLASS_BOOL:
		return json_false();
	case CLASS_QUANTITY:
		return json_string("0");
	case CLASS_STRUCT:
		return json_object();
	case CLASS_LIST:
		return json_array();
	case CLASS_INT32:
	case CLASS_INT64:
	case CLASS_INT_OR_STRING:
	case CLASS_DOUBLE:
		return json_integer(0);
	default:
		return json_null();
	}
}

static int
decode_pair(
    struct decoder *d, const struct field *f, struct reader r, json_t *map, const struct path *at)
{
	json_t *key = NULL, *v = NULL;
	enum wire wire;
	int n, more;

	while ((more = decode_next(d, &r, &n, &wire, at)) > 0) {
		const char *name = key ? json_string_value(key) : "";
		struct reader bytes;

		if (n == 1 && wire == WIRE_BYTES && read_bytes(&r, &bytes)) {
			json_decref(key);
			key = NULL;
			more = decode_text(d, bytes, &key, at);
		} else if (n == 2) {
			json_decref(v);
			v = NULL;
			more = decode_value(d, f->type->elem, &r, wire, f->wire, &v, KEY(at, name));
		} else if (n == 1 || !read_skip(&r, wire)) {
			more = decode_refuse(d, at, decode_cut);
		}
		if (more < 0)
			break;
	}
	if (more == 0)
		json_object_set_new_nocheck(map, key ? json_string_value(key) : "",
		    v ? json_incref(v) : zero(f->type->elem));
	json_decref(key);
	json_decref(v);
	return more;
}

static int
decode_entry(struct decoder *d, const struct field *f, struct reader *r, enum wire wire,
    json_t *obj, const struct path *at)
{
	json_t *map = json_object_get(obj, f->name);
	struct reader bytes;

	if (wire != WIRE_BYTES)
		return decode_refuse(d, at, wrong_wire);
	if (!read_bytes(r, &bytes))
		return decode_refuse(d, at, decode_cut);
	if (!map) {
		map = json_object();
		json_object_set_new_nocheck(obj, f->name, map);
	}
	return decode_pair(d, f, bytes, map, at);
}

/* What stands for "nothing" in a field that is always written. */
static bool
is_zero(const struct type *t, const json_t *v)
{
	if (json_is_null(v))
		return true;
	if (t->class == CLASS_STRING || t->class == CLASS_BYTES)
		return json_string_length(v) == 0;
	return json_is_false(v) || (json_is_integer(v) && json_integer_value(v) == 0);
}

/* Is zero what JSON shows for a field that was not set? */
static bool
shows_zero(const struct field *f)
{
	static const char *const zeros[] = { "\"\"", "0", "false", "null", NULL };

	return f->required || (f->dflt && text_in(f->dflt, zeros));
}

static int
decode_field(struct decoder *d, const struct field *f, struct reader *r, enum wire wire,
    json_t *obj, const struct path *up)
{
	const struct path *at = AT(up, f->name);
	json_t *v = NULL;
	int result;

	if (f->type->class == CLASS_LIST && !f->wire)
		return decode_item(d, f, r, wire, obj, at);
	if (f->type->class == CLASS_MAP)
		return decode_entry(d, f, r, wire, obj, at);
	if (f->type->class == CLASS_STRUCT || f->type->class == CLASS_LIST)
		v = json_incref(json_object_get(obj, f->name));
	result = decode_value(d, f->type, r, wire, f->wire, &v, at);
	if (result < 0) {
		json_decref(v);
		return result;
	}
	if ((json_is_null(v) || !f->pointer) && is_zero(f->type, v) && !shows_zero(f)) {
		json_object_del(obj, f->name);
		json_decref(v);
	} else {
		json_object_set_new_nocheck(obj, f->name, v);
	}
	return 0;
}

/* Among wire_order[*from] up to [*to]: those that have this number `depth` messages deep. */
static bool
find_step(const struct type *t, int number, int depth, size_t *from, size_t *to)
{
	size_t lo = *from, hi = *to;

	while (lo < hi && field_step(&t->fields[t->wire_order[lo]], depth) != number)
		lo++;
	*from = lo;
	while (lo < hi && field_step(&t->fields[t->wire_order[lo]], depth) == number)
		lo++;
	*to = lo;
	return *from < lo;
}

/* A message whose fields are wire_order[from] up to [to], `depth` messages deep in t's own. */
static int
decode_fields(struct decoder *d, const struct type *t, struct reader r, size_t from, size_t to,
    int depth, json_t *obj, const struct path *at)
{
	enum wire wire;
	int n, more;

	while ((more = decode_next(d, &r, &n, &wire, at)) > 0) {
		size_t first = from, last = to;
		const struct field *f;
		struct reader bytes;

		if (!find_step(t, n, depth, &first, &last)) {
			more = read_skip(&r, wire) ? 0 : decode_refuse(d, at, decode_cut);
		} else if (field_depth(f = &t->fields[t->wire_order[first]]) == depth + 1) {
			more = decode_field(d, f, &r, wire, obj, at);
		} else if (wire != WIRE_BYTES) {
			more = decode_refuse(d, AT(at, f->name), wrong_wire);
		} else if (!read_bytes(&r, &bytes)) {
			more = decode_refuse(d, AT(at, f->name), decode_cut);
		} else {
			more = decode_fields(d, t, bytes, first, last, depth + 1, obj, at);
		}
		if (more < 0)
			return more;
	}
	return more;
}

static int
decode_struct(
    struct decoder *d, const struct type *t, struct reader r, json_t *obj, const struct path *at)
{
	return decode_fields(d, t, r, 0, t->nwire, 0, obj, at);
}

int
protobuf_decode(const void *data, size_t len, const struct type *t, json_t **ret, struct err *err)
{
	struct decoder d = { 0, err };
	const unsigned char *p = len ? data : (const void *)"";
	struct reader r = { p, p + len };
	json_t *v = NULL;
	int result = get_struct(&d, t, r, &v, NULL);

	if (result == 0)
		*ret = v;
	return result;
}
