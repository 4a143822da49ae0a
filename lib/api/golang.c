#include "api/golang.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/path.h"
#include "base/mem.h"
#include "base/text.h"

/* --- encoding/json: the scanner's words --- */

enum { DEPTH = 10000 };

struct scan {
	const char *p, *end;
	char *msg;
	int depth;

	struct buf *twice; /* where fields that are there twice are noted, or NULL */
	json_t *keys;	   /* of the object that p is in */
	size_t index;	   /* in the list that p is in */
	const struct path *at;
};

static bool value(struct scan *s);

/* The character at p is none that may stand "after object key", say. */
static bool
bad(struct scan *s, const char *context)
{
	unsigned char c;

	if (s->p == s->end) {
		snprintf(s->msg, 96, "unexpected end of JSON input");
		return false;
	}
	c = (unsigned char)*s->p;
	if (c == '\'')
		snprintf(s->msg, 96, "invalid character '\\'' %s", context);
	else if (c == '\\')
		snprintf(s->msg, 96, "invalid character '\\\\' %s", context);
	else if (c == '\n' || c == '\r' || c == '\t')
		snprintf(s->msg, 96, "invalid character '\\%c' %s",
		    c == '\n'	? 'n'
		    : c == '\r' ? 'r'
				: 't',
		    context);
	else if (c < ' ' || c == 0x7f)
		snprintf(s->msg, 96, "invalid character '\\x%02x' %s", c, context);
	else if (c < 0x7f)
		snprintf(s->msg, 96, "invalid character '%c' %s", c, context);
	else if (c <= 0xa0 || c == 0xad) /* the byte as a rune, where that is no sign */
		snprintf(s->msg, 96, "invalid character '\\u%04x' %s", c, context);
	else
		snprintf(s->msg, 96, "invalid character '%c%c' %s", 0xc0 | c >> 6,
		    0x80 | (c & 0x3f), context);
	return false;
}

static int
peek(const struct scan *s)
{
	return s->p < s->end ? (unsigned char)*s->p : -1;
}

static bool
digit(const struct scan *s)
{
	return peek(s) >= '0' && peek(s) <= '9';
}

static void
space(struct scan *s)
{
	while (s->p < s->end && memchr(" \t\r\n", *s->p, 4))
		s->p++;
}

static bool
escape(struct scan *s)
{
	int c = peek(s);

	if (c <= 0 || !strchr("bfnrt\\/\"u", c))
		return bad(s, "in string escape code");
	s->p++;
	for (int i = 0; c == 'u' && i < 4; i++, s->p++)
		if (peek(s) <= 0 || !strchr("0123456789abcdefABCDEF", peek(s)))
			return bad(s, "in \\u hexadecimal character escape");
	return true;
}

/* Behind the opening quote. */
static bool
string(struct scan *s)
{
	for (;;) {
		int c = peek(s);

		if (c < ' ')
			return bad(s, "in string literal");
		s->p++;
		if (c == '"')
			return true;
		if (c == '\\' && !escape(s))
			return false;
	}
}

static bool
digits(struct scan *s, const char *context)
{
	if (!digit(s))
		return bad(s, context);
	while (digit(s))
		s->p++;
	return true;
}

static bool
number(struct scan *s)
{
	s->p += *s->p == '-';
	if (peek(s) == '0')
		s->p++;
	else if (!digits(s, "in numeric literal"))
		return false;
	if (peek(s) == '.') {
		s->p++;
		if (!digits(s, "after decimal point in numeric literal"))
			return false;
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->p++;
		s->p += peek(s) == '+' || peek(s) == '-';
		return digits(s, "in exponent of numeric literal");
	}
	return true;
}

static bool
literal(struct scan *s, const char *word)
{
	char context[64];

	for (const char *w = word; *w; w++, s->p++) {
		snprintf(context, sizeof context, "in literal %s (expecting '%c')", word, *w);
		if (peek(s) != *w)
			return bad(s, context);
	}
	return true;
}

static void
note_twice(struct scan *s, const struct path *at)
{
	autofree char *where = path_print(at);

	if (json_object_get(s->keys, at->name))
		buf_add(s->twice, where, strlen(where) + 1);
	else
		json_object_set_new(s->keys, at->name, json_true());
}

/* A value inside of another one, at this place. */
static bool
inner(struct scan *s, const struct path *at)
{
	struct scan outer = *s;
	bool fine;

	s->at = at;
	fine = value(s);
	s->at = outer.at;
	s->keys = outer.keys;
	s->index = outer.index;
	return fine;
}

static bool
element(struct scan *s)
{
	return s->twice ? inner(s, ITEM(s->at, s->index++)) : value(s);
}

static bool
member(struct scan *s)
{
	autofree char *key = NULL;
	const char *begin;

	space(s);
	if (peek(s) != '"')
		return bad(s, "looking for beginning of object key string");
	begin = ++s->p;
	if (!string(s))
		return false;
	if (s->twice)
		key = xstrndup(begin, (size_t)(s->p - 1 - begin));
	space(s);
	if (peek(s) != ':')
		return bad(s, "after object key");
	s->p++;
	if (!key)
		return value(s);
	note_twice(s, AT(s->at, key));
	return inner(s, AT(s->at, key));
}

static bool
ends(struct scan *s, char close)
{
	space(s);
	if (peek(s) != close)
		return false;
	s->p++;
	s->depth--;
	return true;
}

/* What stands between the brackets, and the closing one. */
static bool
items(struct scan *s, char close, bool (*item)(struct scan *), const char *context)
{
	json_auto_t *keys = s->twice ? json_object() : NULL;

	if (++s->depth > DEPTH) {
		snprintf(s->msg, 96, "exceeded max depth");
		return false;
	}
	s->p++;
	s->keys = keys;
	s->index = 0;
	if (ends(s, close))
		return true;
	for (;;) {
		if (!item(s))
			return false;
		if (ends(s, close))
			return true;
		if (peek(s) != ',')
			return bad(s, context);
		s->p++;
	}
}

static bool
value(struct scan *s)
{
	space(s);
	switch (peek(s)) {
	case '{':
		return items(s, '}', member, "after object key:value pair");
	case '[':
		return items(s, ']', element, "after array element");
	case '"':
		s->p++;
		return string(s);
	case 't':
		return literal(s, "true");
	case 'f':
		return literal(s, "false");
	case 'n':
		return literal(s, "null");
	case '-':
		return number(s);
	default:
		return digit(s) ? number(s) : bad(s, "looking for beginning of value");
	}
}

bool
go_json_fault(const char *text, size_t len, char msg[static 96])
{
	struct scan s = { .p = text, .end = text + len, .msg = msg };

	if (!value(&s))
		return true;
	space(&s);
	return s.p < s.end && !bad(&s, "after top-level value");
}

void
go_json_duplicates(const char *text, size_t len, struct buf *out)
{
	char msg[96];
	struct scan s = { .p = text, .end = text + len, .msg = msg, .twice = out };

	value(&s);
}

/* \uXXXX at p, or -1. */
static long
escaped(const char *p, const char *end)
{
	char digits[5] = { 0 }, *last;
	long code;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	memcpy(digits, p + 2, 4);
	code = strtol(digits, &last, 16);
	return *last ? -1 : code;
}

static bool
is_half(long code, long first)
{
	return code >= first && code < first + 0x400;
}

/* One backslash and what belongs to it: how many bytes. */
static size_t
repair_escape(const char *p, const char *end, struct buf *out)
{
	long code = escaped(p, end);
	size_t n = code >= 0 ? 6 : end - p > 1 ? 2 : 1;

	if (is_half(code, 0xd800) && is_half(escaped(p + 6, end), 0xdc00)) {
		n = 12;
	} else if (is_half(code, 0xd800) || is_half(code, 0xdc00)) {
		buf_puts(out, "\\ufffd");
		return n;
	}
	buf_add(out, p, n);
	return n;
}

void
go_json_repair(const char *text, size_t len, struct buf *out)
{
	const char *end = text + len;

	for (const char *p = text; p < end;) {
		size_t n = *p == '\\' ? 0 : text_utf8(p, (size_t)(end - p));

		if (*p == '\\') {
			p += repair_escape(p, end, out);
		} else if (n == 0) {
			buf_puts(out, "\xef\xbf\xbd");
			p++;
		} else {
			buf_add(out, p, n);
			p += n;
		}
	}
}

/* --- fmt --- */

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
print_map(struct buf *out, const json_t *v)
{
	autofree const char **keys = xreallocarray(NULL, json_object_size(v) + 1, sizeof *keys);
	size_t n = 0;
	const char *key;
	json_t *item;

	json_object_foreach ((json_t *)v, key, item)
		keys[n++] = key;
	qsort(keys, n, sizeof *keys, by_text);
	buf_puts(out, "map[");
	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "%s%s:", i ? " " : "", keys[i]);
		go_print(out, json_object_get(v, keys[i]));
	}
	buf_putc(out, ']');
}

/* The fewest digits that say it. */
static void
print_real(struct buf *out, double d)
{
	char text[40];

	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	buf_puts(out, text);
}

void
go_print(struct buf *out, const json_t *v)
{
	json_t *item;
	size_t i;

	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_OBJECT:
		print_map(out, v);
		break;
	case JSON_ARRAY:
		buf_putc(out, '[');
		json_array_foreach (v, i, item) {
			if (i)
				buf_putc(out, ' ');
			go_print(out, item);
		}
		buf_putc(out, ']');
		break;
	case JSON_STRING:
		buf_puts(out, json_string_value(v));
		break;
	case JSON_INTEGER:
		buf_printf(out, "%lld", (long long)json_integer_value(v));
		break;
	case JSON_REAL:
		print_real(out, json_real_value(v));
		break;
	case JSON_NULL:
		buf_puts(out, "<nil>");
		break;
	default:
		buf_puts(out, json_is_true(v) ? "true" : "false");
	}
}

const char *
go_json_type(const json_t *v)
{
	static const char *const names[] = { [JSON_OBJECT] = "object",
		[JSON_ARRAY] = "array",
		[JSON_STRING] = "string",
		[JSON_INTEGER] = "number",
		[JSON_REAL] = "number",
		[JSON_TRUE] = "bool",
		[JSON_FALSE] = "bool",
		[JSON_NULL] = "null" };

	return names[json_typeof(v)];
}

const char *
go_value_type(const json_t *v)
{
	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_OBJECT:
		return "map[string]interface {}";
	case JSON_ARRAY:
		return "[]interface {}";
	case JSON_STRING:
		return "string";
	case JSON_INTEGER:
		return "int64";
	case JSON_REAL:
		return "float64";
	case JSON_NULL:
		return "<nil>";
	default:
		return "bool";
	}
}
