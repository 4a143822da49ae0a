#include "api/golang.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* --- encoding/json: the scanner's words --- */

enum { DEPTH = 10000 };

struct scan {
	const char *p, *end;
	char *msg;
	int depth;
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

	if (c < 0 || !strchr("bfnrt\\/\"u", c))
		return bad(s, "in string escape code");
	s->p++;
	for (int i = 0; c == 'u' && i < 4; i++, s->p++)
		if (peek(s) < 0 || !strchr("0123456789abcdefABCDEF", peek(s)))
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

static bool
member(struct scan *s)
{
	space(s);
	if (peek(s) != '"')
		return bad(s, "looking for beginning of object key string");
	s->p++;
	if (!string(s))
		return false;
	space(s);
	if (peek(s) != ':')
		return bad(s, "after object key");
	s->p++;
	return value(s);
}

/* What stands between the brackets, and the closing one. */
static bool
items(struct scan *s, char close, bool (*item)(struct scan *), const char *context)
{
	if (++s->depth > DEPTH) {
		snprintf(s->msg, 96, "exceeded max depth");
		return false;
	}
	s->p++;
	space(s);
	if (peek(s) == close) {
		s->p++;
		s->depth--;
		return true;
	}
	for (;;) {
		if (!item(s))
			return false;
		space(s);
		if (peek(s) == close) {
			s->p++;
			s->depth--;
			return true;
		}
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
		return items(s, ']', value, "after array element");
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
	struct scan s = { text, text + len, msg, 0 };

	if (!value(&s))
		return true;
	space(&s);
	return s.p < s.end && !bad(&s, "after top-level value");
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
