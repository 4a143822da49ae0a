/* JSON into protobuf messages.  Everything is written from its end: see api/protobuf_wire.h. */
#include <string.h>

#include "api/path.h"
#include "api/protobuf.h"
#include "api/protobuf_wire.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/time.h"

struct encoder {
	struct writer w;
	struct err *err;
};

/* The message around a list, where the schema says that there is one (field.wire). */
enum { ITEMS = 1 };

static int encode_value(struct encoder *e, const struct type *t, const json_t *v, int number,
    bool wrapped, const struct path *at);
static int encode_struct(
    struct encoder *e, const struct type *t, const json_t *v, const struct path *at);

static int
refuse(struct encoder *e, const struct type *t, const struct path *at)
{
	autofree char *where = path_print(at);

	return err_set(
	    e->err, ERR_BAD_REQUEST, "cannot encode '%.300s': it is no %.100s", where, t->name);
}

/* --- what is no message --- */

static int
encode_bytes(
    struct encoder *e, const struct type *t, const json_t *v, int number, const struct path *at)
{
	autofree unsigned char *data = NULL;
	size_t len;

	if (!json_is_string(v) || !(data = bytes_decode(json_string_value(v), &len)))
		return refuse(e, t, at);
	write_bytes(&e->w, number, data, len);
	return 0;
}

static int
encode_double(struct encoder *e, const json_t *v, int number)
{
	double d = json_number_value(v);
	unsigned char bytes[8];
	uint64_t bits;

	memcpy(&bits, &d, sizeof bits);
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(bits >> 8 * i);
	write_raw(&e->w, bytes, sizeof bytes);
	write_key(&e->w, number, WIRE_64);
	return 0;
}

/* --- messages that JSON shows as a scalar --- */

/* Timestamp: seconds, nanoseconds; one of a whole second only unless it is a MicroTime. */
static int
encode_time(
    struct encoder *e, const struct type *t, const json_t *v, int number, const struct path *at)
{
	size_t mark = written(&e->w);
	int64_t us, seconds, rest;

	if (v) {
		if (!json_is_string(v) || !time_parse_micro(json_string_value(v), &us))
			return refuse(e, t, at);
		seconds = us / 1000000 - (us % 1000000 < 0);
		rest = us - seconds * 1000000;
		write_number(&e->w, 2, t->class == CLASS_MICROTIME ? (uint64_t)rest * 1000 : 0);
		write_number(&e->w, 1, (uint64_t)seconds);
	}
	write_message(&e->w, number, mark);
	return 0;
}

static int
encode_quantity(
    struct encoder *e, const struct type *t, const json_t *v, int number, const struct path *at)
{
	autofree char *text = json_is_number(v) ? json_dumps(v, JSON_ENCODE_ANY) : NULL;
	const char *s = text ? text : v ? json_string_value(v) : "0";
	size_t mark = written(&e->w);

	if (!s)
		return refuse(e, t, at);
	write_bytes(&e->w, 1, s, strlen(s));
	write_message(&e->w, number, mark);
	return 0;
}

/* IntOrString: which of the two, then both. */
static int
encode_int_or_string(
    struct encoder *e, const struct type *t, const json_t *v, int number, const struct path *at)
{
	size_t mark = written(&e->w);

	if (v && !json_is_string(v) && !json_is_integer(v))
		return refuse(e, t, at);
	write_bytes(&e->w, 3, json_string_value(v), json_string_length(v));
	write_number(&e->w, 2, (uint64_t)json_integer_value(v));
	write_number(&e->w, 1, json_is_string(v));
	write_message(&e->w, number, mark);
	return 0;
}

/* A schema, or what else may stand there. */
static int
encode_choice(struct encoder *e, const struct choice *c, const json_t *v, const struct path *at)
{
	const struct type *schema = choice_schema(), *item = choice_other(c);
	int r;

	if (json_is_object(v)) {
		if ((r = encode_value(e, schema, v, c->schema, false, at)) < 0)
			return r;
		if (c->class == CLASS_BOOL)
			write_number(&e->w, c->other, 1);
		return 0;
	}
	if (c->class == CLASS_BOOL && json_is_boolean(v)) {
		write_number(&e->w, c->other, json_is_true(v));
		return 0;
	}
	if (c->class == CLASS_BOOL || !json_is_array(v))
		return refuse(e, schema, at);
	for (size_t i = json_array_size(v); i-- > 0;)
		if ((r = encode_value(
			 e, item, json_array_get(v, i), c->other, false, ITEM(at, i))) < 0)
			return r;
	return 0;
}

/* JSON inside of protobuf: RawExtension, FieldsV1 and JSON are all messages of one field. */
static int
encode_raw(
    struct encoder *e, const struct type *t, const json_t *v, int number, const struct path *at)
{
	const struct choice *c = choice_find(t);
	size_t mark = written(&e->w);
	int r = 0;

	if (c && v) {
		r = encode_choice(e, c, v, at);
	} else if (v && !type_is_empty(t)) {
		autofree char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

		if (!text)
			return refuse(e, t, at);
		write_bytes(&e->w, 1, text, strlen(text));
	}
	write_message(&e->w, number, mark);
	return r;
}

/* --- collections --- */

static int
encode_list(struct encoder *e, const struct type *t, const json_t *v, int number, bool wrapped,
    const struct path *at)
{
	size_t mark = written(&e->w);
	int r;

	if (!json_is_array(v))
		return refuse(e, t, at);
	for (size_t i = json_array_size(v); i-- > 0;)
		if ((r = encode_value(e, t->elem, json_array_get(v, i), wrapped ? ITEMS : number,
			 false, ITEM(at, i))) < 0)
			return r;
	if (wrapped)
		write_message(&e->w, number, mark);
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Each pair is a message: the key is field 1, the value field 2. */
static int
encode_map(struct encoder *e, const struct type *t, const json_t *v, int number, bool wrapped,
    const struct path *at)
{
	autofree const char **keys = NULL;
	size_t n = 0;
	const char *key;
	json_t *item;
	int r;

	if (!json_is_object(v))
		return refuse(e, t, at);
	keys = xreallocarray(NULL, json_object_size(v) + 1, sizeof *keys);
	json_object_foreach ((json_t *)v, key, item)
		keys[n++] = key;
	qsort(keys, n, sizeof *keys, by_name);
	while (n-- > 0) {
		size_t mark = written(&e->w);

		r = encode_value(
		    e, t->elem, json_object_get(v, keys[n]), 2, wrapped, KEY(at, keys[n]));
		if (r < 0)
			return r;
		write_bytes(&e->w, 1, keys[n], strlen(keys[n]));
		write_message(&e->w, number, mark);
	}
	return 0;
}

/* --- values --- */

/* The zero of a field that is no pointer; lists, maps and bytes have none. */
static int
encode_zero(struct encoder *e, const struct type *t, int number, const struct path *at)
{
	size_t mark = written(&e->w);
	int r;

	switch (t->class) {
	case CLASS_STRING:
		write_message(&e->w, number, mark);
		return 0;
	case CLASS_BOOL:
	case CLASS_INT32:
	case CLASS_INT64:
		write_number(&e->w, number, 0);
		return 0;
	case CLASS_DOUBLE:
		return encode_double(e, NULL, number);
	case CLASS_TIME:
	case CLASS_MICROTIME:
		return encode_time(e, t, NULL, number, at);
	case CLASS_QUANTITY:
		return encode_quantity(e, t, NULL, number, at);
	case CLASS_INT_OR_STRING:
		return encode_int_or_string(e, t, NULL, number, at);
	case CLASS_ANY:
	case CLASS_RAW:
		return encode_raw(e, t, NULL, number, at);
	case CLASS_STRUCT:
		if ((r = encode_struct(e, t, NULL, at)) == 0)
			write_message(&e->w, number, mark);
		return r;
	default:
		return 0;
	}
}

static int
encode_scalar(
    struct encoder *e, const struct type *t, const json_t *v, int number, const struct path *at)
{
	switch (t->class) {
	case CLASS_STRING:
		if (!json_is_string(v))
			return refuse(e, t, at);
		write_bytes(&e->w, number, json_string_value(v), json_string_length(v));
		return 0;
	case CLASS_BOOL:
		if (!json_is_boolean(v))
			return refuse(e, t, at);
		write_number(&e->w, number, json_is_true(v));
		return 0;
	case CLASS_INT32:
	case CLASS_INT64:
		if (!json_is_integer(v))
			return refuse(e, t, at);
		write_number(&e->w, number, (uint64_t)json_integer_value(v));
		return 0;
	case CLASS_DOUBLE:
		return json_is_number(v) ? encode_double(e, v, number) : refuse(e, t, at);
	case CLASS_BYTES:
		return encode_bytes(e, t, v, number, at);
	case CLASS_TIME:
	case CLASS_MICROTIME:
		return encode_time(e, t, v, number, at);
	case CLASS_QUANTITY:
		return encode_quantity(e, t, v, number, at);
	case CLASS_INT_OR_STRING:
		return encode_int_or_string(e, t, v, number, at);
	default:
		return refuse(e, t, at);
	}
}

/* v as field `number`; wrapped: the list in it stands in a message of its own. */
static int
encode_value(struct encoder *e, const struct type *t, const json_t *v, int number, bool wrapped,
    const struct path *at)
{
	size_t mark = written(&e->w);
	int r;

	if (json_is_null(v) && t->class != CLASS_ANY)
		return encode_zero(e, t, number, at);
	switch (t->class) {
	case CLASS_LIST:
		return encode_list(e, t, v, number, wrapped, at);
	case CLASS_MAP:
		return encode_map(e, t, v, number, wrapped, at);
	case CLASS_ANY:
	case CLASS_RAW:
		return encode_raw(e, t, v, number, at);
	case CLASS_STRUCT:
		if (!json_is_object(v))
			return refuse(e, t, at);
		if ((r = encode_struct(e, t, v, at)) == 0)
			write_message(&e->w, number, mark);
		return r;
	default:
		return encode_scalar(e, t, v, number, at);
	}
}

/* The fields t->wire_order[from] up to [to], which stand `depth` messages deep inside of t's. */
static int
encode_fields(struct encoder *e, const struct type *t, size_t from, size_t to, int depth,
    const json_t *obj, const struct path *at)
{
	while (to > from) {
		const struct field *f = &t->fields[t->wire_order[--to]];
		size_t mark = written(&e->w), end = to + 1;
		int step = field_step(f, depth), r = 0;

		if (field_depth(f) == depth + 1) {
			const json_t *v = json_object_get(obj, f->name);

			if (v && !json_is_null(v))
				r = encode_value(e, f->type, v, step, f->wire, AT(at, f->name));
			else if (!f->pointer)
				r = encode_zero(e, f->type, step, AT(at, f->name));
		} else {
			while (to > from &&
			       field_step(&t->fields[t->wire_order[to - 1]], depth) == step)
				to--;
			if ((r = encode_fields(e, t, to, end, depth + 1, obj, at)) == 0)
				write_message(&e->w, step, mark);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int
encode_struct(struct encoder *e, const struct type *t, const json_t *v, const struct path *at)
{
	return encode_fields(e, t, 0, t->nwire, 0, v, at);
}

int
protobuf_encode(const json_t *v, const struct type *t, struct buf *out, struct err *err)
{
	struct encoder e = { WRITER_INIT, err };
	int r = json_is_object(v) ? encode_struct(&e, t, v, NULL) : refuse(&e, t, NULL);

	if (r == 0 && e.w.data)
		buf_add(out, e.w.data + e.w.at, written(&e.w));
	writer_release(&e.w);
	return r;
}
