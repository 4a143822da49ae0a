/* Protobuf's scalars into JSON, and the messages that JSON shows as one. */
#include <math.h>
#include <string.h>

#include "api/protobuf_decode.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/time.h"

int
decode_refuse(struct decoder *d, const struct path *at, const char *why)
{
	autofree char *where = path_print(at);

	return err_set(d->err, ERR_BAD_REQUEST, "cannot decode protobuf%s%.300s%s: %s",
	    *where ? " '" : "", where, *where ? "'" : "", why);
}

const char decode_cut[] = "the message is cut off or a length is wrong";

/* The next field of a message; 0 at its end. */
int
decode_next(
    struct decoder *d, struct reader *r, int *number, enum wire *wire, const struct path *at)
{
	if (r->p == r->end)
		return 0;
	return read_key(r, number, wire) ? 1 : decode_refuse(d, at, decode_cut);
}

/* --- what is no message --- */

int
decode_text(struct decoder *d, struct reader bytes, json_t **v, const struct path *at)
{
	size_t len = (size_t)(bytes.end - bytes.p);

	if (len && memchr(bytes.p, '\0', len))
		return decode_refuse(d, at, "a text with a NUL in it");
	if (!(*v = json_stringn(len ? (const char *)bytes.p : "", len)))
		return decode_refuse(d, at, "a text that is not UTF-8");
	return 0;
}

static int
get_bytes(struct reader bytes, json_t **v)
{
	autofree char *text = bytes_encode(bytes.p, (size_t)(bytes.end - bytes.p));

	*v = json_string(text);
	return 0;
}

int
decode_double(struct decoder *d, struct reader *r, json_t **v, const struct path *at)
{
	uint64_t bits = 0;
	double x;

	if (r->end - r->p < 8)
		return decode_refuse(d, at, decode_cut);
	for (int i = 0; i < 8; i++)
		bits |= (uint64_t)*r->p++ << 8 * i;
	memcpy(&x, &bits, sizeof x);
	if (!isfinite(x))
		return decode_refuse(d, at, "a number that JSON cannot hold");
	if (floor(x) == x && fabs(x) < 1e15)
		*v = json_integer((json_int_t)x); /* as JSON writes it */
	else
		*v = json_real(x);
	return 0;
}

int
decode_number(
    struct decoder *d, const struct type *t, struct reader *r, json_t **v, const struct path *at)
{
	uint64_t n;

	if (!read_varint(r, &n))
		return decode_refuse(d, at, decode_cut);
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
	while ((more = decode_next(d, &r, &n, &wire, at)) > 0) {
		bool fine;

		if (n <= 3 && wire == WIRE_VARINT)
			fine = read_varint(&r, &s->number[n]);
		else if (n <= 3 && wire == WIRE_BYTES)
			fine = read_bytes(&r, &s->text[n]);
		else
			fine = read_skip(&r, wire);
		if (!fine)
			return decode_refuse(d, at, decode_cut);
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
		return decode_refuse(d, at, "a time out of range");
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
		return decode_text(d, s.text[1], v, at);
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
		return decode_refuse(d, at, "neither a number nor a string");
	if (s.number[1] == 1)
		return decode_text(d, s.text[3], v, at);
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
		return decode_refuse(d, at, "what should be JSON is none");
	return 0;
}

int
decode_scalar(
    struct decoder *d, const struct type *t, struct reader r, json_t **v, const struct path *at)
{
	switch (t->class) {
	case CLASS_STRING:
		return decode_text(d, r, v, at);
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
		return get_json(d, t, r, v, at);
	default:
		return decode_refuse(d, at, "this type has no protobuf form");
	}
}
