/* Protobuf messages into JSON: what comes from a stranger, so every length is looked at. */
#include <math.h>
#include <string.h>

#include "api/bytes.h"
#include "api/path.h"
#include "api/protobuf.h"
#include "api/protobuf_wire.h"
#include "api/time.h"
#include "base/mem.h"
#include "base/text.h"

enum { DEPTH = 300 }; /* of messages in messages */

struct decoder {
	int depth;
	struct err *err;
};

static int decode_value(struct decoder *d, const struct type *t, struct reader *r, enum wire wire,
    bool wrapped, json_t **v, const struct path *at);
static int decode_struct(
    struct decoder *d, const struct type *t, struct reader r, json_t *obj, const struct path *at);

static int
refuse(struct decoder *d, const struct path *at, const char *why)
{
	autofree char *where = path_print(at);

	return err_set(d->err, ERR_BAD_REQUEST, "cannot decode protobuf%s%.300s%s: %s",
	    *where ? " '" : "", where, *where ? "'" : "", why);
}

static const char cut[] = "the message is cut off or a length is wrong",
		  wrong_wire[] = "the wire type is not the field's";

/* The next field of a message; 0 at its end. */
static int
next_field(struct decoder *d, struct reader *r, int *number, enum wire *wire, const struct path *at)
{
	if (r->p == r->end)
		return 0;
	return read_key(r, number, wire) ? 1 : refuse(d, at, cut);
}

/* --- what is no message --- */

static int
get_text(struct decoder *d, struct reader bytes, json_t **v, const struct path *at)
{
	size_t len = (size_t)(bytes.end - bytes.p);

	if (len && memchr(bytes.p, '\0', len))
		return refuse(d, at, "a text with a NUL in it");
	if (!(*v = json_stringn(len ? (const char *)bytes.p : "", len)))
		return refuse(d, at, "a text that is not UTF-8");
	return 0;
}

static int
get_bytes(struct reader bytes, json_t **v)
{
	autofree char *text = bytes_encode(bytes.p, (size_t)(bytes.end - bytes.p));

	*v = json_string(text);
	return 0;
}

static int
get_double(struct decoder *d, struct reader *r, json_t **v, const struct path *at)
{
	uint64_t bits = 0;
	double x;

	if (r->end - r->p < 8)
		return refuse(d, at, cut);
	for (int i = 0; i < 8; i++)
		bits |= (uint64_t)*r->p++ << 8 * i;
	memcpy(&x, &bits, sizeof x);
	if (!isfinite(x))
		return refuse(d, at, "a number that JSON cannot hold");
	if (floor(x) == x && fabs(x) < 1e15)
		*v = json_integer((json_int_t)x); /* as JSON writes it */
	else
		*v = json_real(x);
	return 0;
}

static int
get_number(
    struct decoder *d, const struct type *t, struct reader *r, json_t **v, const struct path *at)
{
	uint64_t n;

	if (!read_varint(r, &n))
		return refuse(d, at, cut);
	if (t->class == CLASS_BOOL)
		*v = json_boolean(n != 0);
	else
		*v = json_integer(t->class == CLASS_INT32 ? (int32_t)n : (int64_t)n);
	return 0;
}

/* --- messages that JSON shows as a scalar --- */

/*
 * A message of few fields into numbers and texts: field i goes to number[i] or text[i], of which
 * the other is left as it is.  Both have room for fields 1 to 3.
 */
struct small {
	uint64_t number[4];
	struct reader text[4];
	bool seen[4];
};

static int
read_small(struct decoder *d, struct reader r, struct small *s, const struct path *at)
{
	enum wire wire;
	int n, more;

	*s = (struct small){ 0 };
	while ((more = next_field(d, &r, &n, &wire, at)) > 0) {
		bool fine;

		if (n <= 3 && wire == WIRE_VARINT)
			fine = read_varint(&r, &s->number[n]);
		else if (n <= 3 && wire == WIRE_BYTES)
			fine = read_bytes(&r, &s->text[n]);
		else
			fine = read_skip(&r, wire);
		if (!fine)
			return refuse(d, at, cut);
		if (n <= 3)
			s->seen[n] = true;
	}
	return more;
}

/* Timestamp.  The empty one is no time: *v is null. */
static int
get_time(
    struct decoder *d, const struct type *t, struct reader r, json_t **v, const struct path *at)
{
	/* the years 1 to 9999: the zero of Go's times, and what RFC 3339 can write */
	const int64_t first = -62135596800, last = 253402300799;
	char text[TIME_TEXT];
	struct small s;
	int64_t seconds, nanos;

	if (read_small(d, r, &s, at) < 0)
		return -ERR_BAD_REQUEST;
	seconds = (int64_t)s.number[1];
	nanos = (int64_t)s.number[2];
	if (seconds < first || seconds > last || nanos < 0 || nanos > 999999999)
		return refuse(d, at, "a time out of range");
	if (r.p == r.end || (seconds == first && nanos == 0))
		*v = json_null();
	else if (t->class == CLASS_MICROTIME)
		*v = json_string(time_print_micro(seconds * 1000000 + nanos / 1000, text));
	else
		*v = json_string(time_print(seconds, text));
	return 0;
}

static int
get_quantity(struct decoder *d, struct reader r, json_t **v, const struct path *at)
{
	struct small s;

	if (read_small(d, r, &s, at) < 0)
		return -ERR_BAD_REQUEST;
	if (s.text[1].p != s.text[1].end)
		return get_text(d, s.text[1], v, at);
	*v = json_string("0");
	return 0;
}

static int
get_int_or_string(struct decoder *d, struct reader r, json_t **v, const struct path *at)
{
	struct small s;

	if (read_small(d, r, &s, at) < 0)
		return -ERR_BAD_REQUEST;
	if (s.number[1] > 1)
		return refuse(d, at, "neither a number nor a string");
	if (s.number[1] == 1)
		return get_text(d, s.text[3], v, at);
	*v = json_integer((int32_t)s.number[2]);
	return 0;
}

/* --- JSON inside of protobuf --- */

static int
get_json(
    struct decoder *d, const struct type *t, struct reader r, json_t **v, const struct path *at)
{
	struct small s;
	size_t len;

	if (read_small(d, r, &s, at) < 0)
		return -ERR_BAD_REQUEST;
	len = (size_t)(s.text[1].end - s.text[1].p);
	if (type_is_empty(t))
		*v = json_object();
	else if (len == 0)
		*v = json_null();
	else if (!(*v = json_loadb((const char *)s.text[1].p, len,
		       JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL)))
		return refuse(d, at, "what should be JSON is none");
	return 0;
}

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
		return read_skip(r, wire) ? 0 : refuse(d, at, cut);
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

	while ((more = next_field(d, &r, &n, &wire, at)) > 0)
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
	switch (t->class) {
	case CLASS_STRING:
		return get_text(d, r, v, at);
	case CLASS_BYTES:
		return get_bytes(r, v);
	case CLASS_TIME:
	case CLASS_MICROTIME:
		return get_time(d, t, r, v, at);
	case CLASS_QUANTITY:
		return get_quantity(d, r, v, at);
	case CLASS_INT_OR_STRING:
		return get_int_or_string(d, r, v, at);
	case CLASS_ANY:
	case CLASS_RAW:
		return choice_find(t) ? get_choice(d, choice_find(t), r, v, at)
				      : get_json(d, t, r, v, at);
	case CLASS_STRUCT:
		return get_struct(d, t, r, v, at);
	default:
		return refuse(d, at, wrong_wire);
	}
}

/* The items of a list that stands in a message of its own. */
static int
get_wrapped(
    struct decoder *d, const struct type *t, struct reader r, json_t **v, const struct path *at)
{
	json_t *list = *v ? *v : json_array();
	enum wire wire;
	int n, more;

	while ((more = next_field(d, &r, &n, &wire, at)) > 0) {
		json_t *item = NULL;

		if (n != 1 && !read_skip(&r, wire))
			more = refuse(d, at, cut);
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
		return refuse(d, at, wrong_wire);
	if (want == WIRE_64)
		return get_double(d, r, v, at);
	if (want == WIRE_VARINT)
		return get_number(d, t, r, v, at);
	if (!read_bytes(r, &bytes))
		return refuse(d, at, cut);
	if (++d->depth > DEPTH)
		return refuse(d, at, "it is nested too deeply");
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
		return refuse(d, at, cut);
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

	while ((more = next_field(d, &r, &n, &wire, at)) > 0) {
		const char *name = key ? json_string_value(key) : "";
		struct reader bytes;

		if (n == 1 && wire == WIRE_BYTES && read_bytes(&r, &bytes)) {
			json_decref(key);
			key = NULL;
			more = get_text(d, bytes, &key, at);
		} else if (n == 2) {
			json_decref(v);
			v = NULL;
			more = decode_value(d, f->type->elem, &r, wire, f->wire, &v, KEY(at, name));
		} else if (n == 1 || !read_skip(&r, wire)) {
			more = refuse(d, at, cut);
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
		return refuse(d, at, wrong_wire);
	if (!read_bytes(r, &bytes))
		return refuse(d, at, cut);
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

	while ((more = next_field(d, &r, &n, &wire, at)) > 0) {
		size_t first = from, last = to;
		const struct field *f;
		struct reader bytes;

		if (!find_step(t, n, depth, &first, &last)) {
			more = read_skip(&r, wire) ? 0 : refuse(d, at, cut);
		} else if (field_depth(f = &t->fields[t->wire_order[first]]) == depth + 1) {
			more = decode_field(d, f, &r, wire, obj, at);
		} else if (wire != WIRE_BYTES) {
			more = refuse(d, AT(at, f->name), wrong_wire);
		} else if (!read_bytes(&r, &bytes)) {
			more = refuse(d, AT(at, f->name), cut);
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
