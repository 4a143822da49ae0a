#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

struct reader {
	const char *p, *end;
	struct buf scratch; /* of a string with escapes */
	enum json_fault fault;
	char *msg;
};

static json_t *value(struct reader *r, int depth);

/* What ends the fast walk through a string: quote, backslash, controls and what is not ASCII. */
static const bool special[256] = {
	[0 ... 31] = true,
	['"'] = true,
	['\\'] = true,
	[128 ... 255] = true,
};

static json_t *
wrong(struct reader *r, const char *what)
{
	if (r->fault == JSON_FINE) {
		r->fault = JSON_WRONG;
		snprintf(r->msg, 128, "%s", what);
	}
	return NULL;
}

static json_t *
cut(struct reader *r)
{
	if (r->fault == JSON_FINE) {
		r->fault = JSON_CUT;
		snprintf(r->msg, 128, "the text ends inside a value");
	}
	return NULL;
}

/* Here stands something else, or nothing any more. */
static json_t *
expected(struct reader *r, const char *what)
{
	char msg[64];

	if (r->p >= r->end)
		return cut(r);
	snprintf(msg, sizeof msg, "%s expected", what);
	return wrong(r, msg);
}

static void
space(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
		r->p++;
}

/* --- strings ------------------------------------------------------------------- */

/* Walk to the next quote, backslash or mistake. */
static bool
walk(struct reader *r)
{
	for (;;) {
		unsigned char c;
		size_t n;

		while (r->p < r->end && !special[(unsigned char)*r->p])
			r->p++;
		if (r->p >= r->end) {
			cut(r);
			return false;
		}
		c = (unsigned char)*r->p;
		if (c == '"' || c == '\\')
			return true;
		if (c < 0x20) {
			wrong(r, "a control character in a string");
			return false;
		}
		if ((n = text_utf8(r->p, (size_t)(r->end - r->p))) == 0) {
			wrong(r, "invalid UTF-8");
			return false;
		}
		r->p += n;
	}
}

/* Four hexadecimal digits; -1 when they are not there. */
static long
hex4(struct reader *r)
{
	long v = 0;

	for (int i = 0; i < 4; i++, r->p++) {
		static const char digits[] = "0123456789abcdefABCDEF";
		const char *d;

		if (r->p >= r->end) {
			cut(r);
			return -1;
		}
		if (!*r->p || !(d = strchr(digits, *r->p))) {
			wrong(r, "four hexadecimal digits expected");
			return -1;
		}
		v = v * 16 + (d - digits > 15 ? d - digits - 6 : d - digits);
	}
	return v;
}

static void
put_utf8(struct buf *b, long c)
{
	if (c < 0x80) {
		buf_putc(b, (char)c);
	} else if (c < 0x800) {
		buf_add(b, (char[]){ (char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f)) }, 2);
	} else if (c < 0x10000) {
		buf_add(b,
		    (char[]){ (char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3f)),
			(char)(0x80 | (c & 0x3f)) },
		    3);
	} else {
		buf_add(b,
		    (char[]){ (char)(0xf0 | c >> 18), (char)(0x80 | (c >> 12 & 0x3f)),
			(char)(0x80 | (c >> 6 & 0x3f)), (char)(0x80 | (c & 0x3f)) },
		    4);
	}
}

/* \u and, for what lies beyond the BMP, the second one of the pair. */
static bool
unicode(struct reader *r)
{
	long c = hex4(r), low;

	if (c < 0)
		return false;
	if (c == 0)
		return wrong(r, "\\u0000, a NUL character, is not allowed");
	if (c >= 0xd800 && c < 0xdc00) {
		if (r->end - r->p < 2)
			return cut(r);
		if (r->p[0] != '\\' || r->p[1] != 'u')
			return wrong(r, "half of a surrogate pair");
		r->p += 2;
		if ((low = hex4(r)) < 0)
			return false;
		if (low < 0xdc00 || low > 0xdfff)
			return wrong(r, "half of a surrogate pair");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c >= 0xdc00 && c <= 0xdfff) {
		return wrong(r, "half of a surrogate pair");
	}
	put_utf8(&r->scratch, c);
	return true;
}

/* What follows a backslash, into scratch. */
static bool
escape(struct reader *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *e;

	if (r->p >= r->end)
		return cut(r);
	if (*r->p == 'u') {
		r->p++;
		return unicode(r);
	}
	if (!*r->p || !(e = strchr(from, *r->p)))
		return wrong(r, "unknown escape");
	buf_putc(&r->scratch, to[e - from]);
	r->p++;
	return true;
}

/* The string whose quote stands at p: where its text is and how long, until the next call. */
static const char *
string(struct reader *r, size_t *len)
{
	const char *start = ++r->p;

	if (!walk(r))
		return NULL;
	if (*r->p == '"') {
		*len = (size_t)(r->p++ - start);
		return start;
	}
	buf_clear(&r->scratch);
	for (;;) {
		buf_add(&r->scratch, start, (size_t)(r->p - start));
		if (*r->p++ == '"')
			break;
		if (!escape(r))
			return NULL;
		start = r->p;
		if (!walk(r))
			return NULL;
	}
	*len = r->scratch.len;
	return r->scratch.data;
}

/* --- numbers ----------------------------------------------------------------------- */

static bool
digits(struct reader *r)
{
	const char *start = r->p;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	return r->p > start || expected(r, "a digit");
}

static json_t *
real(struct reader *r, const char *start)
{
	autofree char *text = xstrndup(start, (size_t)(r->p - start));
	double v = strtod(text, NULL);

	return isinf(v) ? wrong(r, "a number beyond what a double holds") : json_real(v);
}

static json_t *
number(struct reader *r)
{
	const char *start = r->p;
	bool negative = *r->p == '-', whole = true;
	int64_t n = 0;

	r->p += negative;
	if (r->p < r->end && *r->p == '0')
		r->p++;
	else if (!digits(r))
		return NULL;
	for (const char *p = start + negative; p < r->p && whole; p++)
		whole = !__builtin_mul_overflow(n, 10, &n) &&
			!__builtin_sub_overflow(n, *p - '0', &n); /* downwards: INT64_MIN fits */
	if (r->p < r->end && *r->p == '.') {
		whole = false;
		r->p++;
		if (!digits(r))
			return NULL;
	}
	if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
		whole = false;
		r->p++;
		r->p += r->p < r->end && (*r->p == '+' || *r->p == '-');
		if (!digits(r))
			return NULL;
	}
	if (!whole || (!negative && n == INT64_MIN))
		return real(r, start);
	return json_integer(negative ? n : -n);
}

/* --- values --------------------------------------------------------------------------- */

static json_t *
word(struct reader *r, const char *text, json_t *v)
{
	size_t len = strlen(text), left = (size_t)(r->end - r->p);

	if (memcmp(r->p, text, left < len ? left : len) != 0)
		return wrong(r, "a value expected");
	if (left < len) {
		r->p = r->end;
		return cut(r);
	}
	r->p += len;
	return v;
}

/* One member; false on a mistake. */
static bool
member(struct reader *r, json_t *object, int depth)
{
	size_t len, before = json_object_size(object);
	const char *key, *at = r->p;
	autofree char *copy = NULL;
	json_t *v;

	if (r->p >= r->end || *r->p != '"')
		return expected(r, "a key");
	if (!(key = string(r, &len)))
		return false;
	if (key == r->scratch.data)
		key = copy = xstrndup(key, len); /* the value may need scratch */
	space(r);
	if (r->p >= r->end || *r->p != ':')
		return expected(r, "':'");
	r->p++;
	if (!(v = value(r, depth)))
		return false;
	json_object_setn_new_nocheck(object, key, len, v);
	if (json_object_size(object) == before) {
		char msg[128];

		r->p = at;
		snprintf(msg, sizeof msg, "duplicate key '%.*s'", len > 90 ? 90 : (int)len, key);
		return wrong(r, msg);
	}
	return true;
}

static json_t *
object(struct reader *r, int depth)
{
	json_t *v = json_object();

	r->p++;
	space(r);
	if (r->p < r->end && *r->p == '}') {
		r->p++;
		return v;
	}
	while (member(r, v, depth)) {
		space(r);
		if (r->p < r->end && *r->p == '}') {
			r->p++;
			return v;
		}
		if (r->p >= r->end || *r->p != ',') {
			expected(r, "',' or '}'");
			break;
		}
		r->p++;
		space(r);
	}
	json_decref(v);
	return NULL;
}

static json_t *
array(struct reader *r, int depth)
{
	json_t *v = json_array(), *item;

	r->p++;
	space(r);
	if (r->p < r->end && *r->p == ']') {
		r->p++;
		return v;
	}
	while ((item = value(r, depth))) {
		json_array_append_new(v, item);
		space(r);
		if (r->p < r->end && *r->p == ']') {
			r->p++;
			return v;
		}
		if (r->p >= r->end || *r->p != ',') {
			expected(r, "',' or ']'");
			break;
		}
		r->p++;
	}
	json_decref(v);
	return NULL;
}

static json_t *
value(struct reader *r, int depth)
{
	const char *text;
	size_t len;

	space(r);
	if (r->p >= r->end)
		return cut(r);
	if (depth > JSON_DEPTH)
		return wrong(r, "nested too deeply");
	switch (*r->p) {
	case '{':
		return object(r, depth + 1);
	case '[':
		return array(r, depth + 1);
	case '"':
		text = string(r, &len);
		return text ? json_stringn_nocheck(text, len) : NULL;
	case 't':
		return word(r, "true", json_true());
	case 'f':
		return word(r, "false", json_false());
	case 'n':
		return word(r, "null", json_null());
	default:
		if (*r->p == '-' || (*r->p >= '0' && *r->p <= '9'))
			return number(r);
		return wrong(r, "a value expected");
	}
}

enum json_fault
json_decode(const char *text, size_t len, json_t **ret, size_t *used, char msg[static 128])
{
	struct reader r = { text, text + len, BUF_INIT, JSON_FINE, msg };

	*ret = value(&r, 1);
	*used = (size_t)(r.p - text);
	buf_release(&r.scratch);
	return r.fault;
}
