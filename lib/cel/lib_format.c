/*
 * 'text with %s and %d'.format([...]): as Kubernetes has it (cel-go's ext/formatting.go), with
 * numbers as people in America write them, and as later versions do (ext/formatting_v2.go).
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cel/library.h"

enum { MOST_BYTES = 32 << 20 };

struct clause {
	struct arena *a;
	struct buf *out;
	char letter;
	int precision;
	bool later;		 /* as in later versions */
	struct cel_value *error; /* set when a clause does not fit its value */
};

static bool
wrong(struct clause *c, struct cel_value v, const char *what)
{
	*c->error = cel_error(
	    c->a, "error during formatting: %s, was given %s", what, cel_type_of(v)->name);
	return false;
}

static bool print_string(struct clause *c, struct cel_value v);

/* A string inside of a list or map, as Go quotes it. */
static void
print_quoted(struct buf *out, struct cel_value v)
{
	if (v.kind == CEL_BYTES)
		buf_putc(out, 'b');
	buf_putc(out, '"');
	for (size_t i = 0; i < v.text.len; i++) {
		unsigned char ch = (unsigned char)v.text.p[i];

		if (ch == '"' || ch == '\\')
			buf_printf(out, "\\%c", ch);
		else if (ch == '\n' || ch == '\t' || ch == '\r')
			buf_puts(out, ch == '\n' ? "\\n" : ch == '\t' ? "\\t" : "\\r");
		else if (ch < 32 || ch == 127)
			buf_printf(out, "\\x%02x", ch);
		else
			buf_putc(out, (char)ch);
	}
	buf_putc(out, '"');
}

/* A number with a comma before each three digits. */
static void
put_grouped(struct buf *out, const char *number)
{
	size_t whole;

	if (*number == '-')
		buf_putc(out, *number++);
	whole = strspn(number, "0123456789");
	for (size_t i = 0; number[i]; i++) {
		if (i && i < whole && (whole - i) % 3 == 0)
			buf_putc(out, ',');
		buf_putc(out, number[i]);
	}
}

/* 1.5e+03: "1.5\u00d710" and the exponent in small raised digits. */
static void
put_power(struct buf *out, const char *number)
{
	static const char *const raised[] = { "\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074",
		"\u2075", "\u2076", "\u2077", "\u2078", "\u2079" };
	const char *e = strchr(number, 'e');

	buf_printf(out, "%.*s\u00d710", (int)(e - number), number);
	if (*++e == '-')
		buf_puts(out, "\u207b");
	while (*++e)
		buf_puts(out, raised[*e - '0']);
}

/* As an item of a list or map. */
static void
print_fixed(struct clause *c, double d)
{
	autofree char *text = NULL;

	if (!isfinite(d)) {
		buf_puts(c->out, isnan(d) ? "\"NaN\"" : d > 0 ? "\"Infinity\"" : "\"-Infinity\"");
		return;
	}
	if (asprintf(&text, "%f", d) < 0)
		abort();
	put_grouped(c->out, text);
}

static bool
print_inside(struct clause *c, struct cel_value v)
{
	if (c->out->len > MOST_BYTES) {
		*c->error = cel_error(c->a, "the string is too long");
		return false;
	}
	if (c->later)
		return print_string(c, v);
	switch (v.kind) {
	case CEL_STRING:
	case CEL_BYTES:
		print_quoted(c->out, v);
		return true;
	case CEL_DOUBLE:
		print_fixed(c, v.d);
		return true;
	case CEL_TIMESTAMP:
		buf_printf(c->out, "timestamp(\"%s\")", cel_print_timestamp(c->a, v));
		return true;
	case CEL_DURATION:
		buf_printf(c->out, "duration(\"%s\")", cel_print_duration(c->a, v));
		return true;
	default:
		return print_string(c, v);
	}
}

static int
by_text(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

/* Entries stand in the order of their keys as they are shown. */
static bool
print_map(struct clause *c, const struct cel_map *m)
{
	char **entry = arena_alloc(c->a, (m->n + 1) * sizeof *entry);
	void *at = NULL;

	for (size_t i = 0; i < m->n; i++) {
		autobuf struct buf b = BUF_INIT;
		struct clause inner = *c;
		struct cel_value key = cel_map_key(c->a, m, i, &at), v;

		inner.out = &b;
		cel_map_find(c->a, m, key, &v);
		if (!print_inside(&inner, key))
			return false;
		buf_puts(&b, c->later ? ": " : ":");
		if (!print_inside(&inner, v))
			return false;
		entry[i] = arena_text(c->a, b.data, b.len);
	}
	qsort(entry, m->n, sizeof *entry, by_text);
	buf_putc(c->out, '{');
	for (size_t i = 0; i < m->n; i++)
		buf_printf(c->out, "%s%s", i ? ", " : "", entry[i]);
	buf_putc(c->out, '}');
	return true;
}

static bool
print_string(struct clause *c, struct cel_value v)
{
	struct cel_value text;

	switch (v.kind) {
	case CEL_NULL:
		buf_puts(c->out, "null");
		return true;
	case CEL_TYPE:
		buf_puts(c->out, v.type->name);
		return true;
	case CEL_LIST:
		buf_putc(c->out, '[');
		for (size_t i = 0; i < v.list->n; i++) {
			if (i)
				buf_puts(c->out, ", ");
			if (!print_inside(c, cel_list_get(c->a, v.list, i)))
				return false;
		}
		buf_putc(c->out, ']');
		return true;
	case CEL_MAP:
		return print_map(c, v.map);
	case CEL_DOUBLE:
		if (isinf(v.d)) {
			buf_puts(c->out, v.d > 0 ? "Infinity" : "-Infinity");
			return true;
		}
		break;
	default:
		break;
	}
	text = cel_string_of(c->a, v);
	if (text.kind == CEL_ERROR)
		return wrong(c, v,
		    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, "
		    "lists, types, durations, and timestamps");
	buf_add(c->out, text.text.p, text.text.len);
	return true;
}

/* %f and %e; the three numbers that have no digits may be given as strings, too. */
static bool
print_double(struct clause *c, struct cel_value v)
{
	static const char *const none[] = { "NaN", "Infinity", "-Infinity" }, *const signs[] = {
		"NaN", "\u221e", "-\u221e"
	};
	const char *const *words = c->later ? none : signs;
	char fmt[] = { '%', '.', '*', c->letter, '\0' };

	if (v.kind == CEL_STRING)
		for (size_t i = 0; i < COUNT(none); i++)
			if (v.text.len == strlen(none[i]) &&
			    memcmp(v.text.p, none[i], v.text.len) == 0) {
				buf_puts(c->out, words[i]);
				return true;
			}
	if (v.kind == CEL_INT || v.kind == CEL_UINT)
		v = cel_double(v.kind == CEL_INT ? (double)v.i : (double)v.u);
	if (v.kind != CEL_DOUBLE)
		return wrong(c, v,
		    c->letter == 'f' ? "fixed-point clause can only be used on doubles"
				     : "scientific clause can only be used on doubles");
	if (!isfinite(v.d))
		buf_puts(c->out, words[isnan(v.d) ? 0 : v.d > 0 ? 1 : 2]);
	else {
		autofree char *text = NULL;

		if (asprintf(&text, fmt, c->precision, v.d) < 0)
			abort();
		if (c->later)
			buf_puts(c->out, text);
		else if (c->letter == 'f')
			put_grouped(c->out, text);
		else
			put_power(c->out, text);
	}
	return true;
}

/* A whole number to the base of a power of two. */
static bool
print_bits(struct clause *c, struct cel_value v, unsigned bits)
{
	static const char low[] = "0123456789abcdef", high[] = "0123456789ABCDEF";
	uint64_t left = v.kind == CEL_UINT ? v.u : v.i < 0 ? -(uint64_t)v.i : (uint64_t)v.i;
	char text[66], *p = text + sizeof text;

	*--p = '\0';
	do
		*--p = (c->letter == 'X' ? high : low)[left & ((1u << bits) - 1)];
	while ((left >>= bits));
	if (v.kind == CEL_INT && v.i < 0)
		buf_putc(c->out, '-');
	buf_puts(c->out, p);
	return true;
}

static bool
print_hex(struct clause *c, struct cel_value v)
{
	if (v.kind == CEL_INT || v.kind == CEL_UINT)
		return print_bits(c, v, 4);
	if (v.kind != CEL_STRING && v.kind != CEL_BYTES)
		return wrong(
		    c, v, "only integers, byte buffers, and strings can be formatted as hex");
	for (size_t i = 0; i < v.text.len; i++)
		buf_printf(c->out, c->letter == 'x' ? "%02x" : "%02X", (unsigned char)v.text.p[i]);
	return true;
}

static bool
print(struct clause *c, struct cel_value v)
{
	bool whole = v.kind == CEL_INT || v.kind == CEL_UINT;

	switch (c->letter) {
	case 's':
		return print_string(c, v);
	case 'd':
		if (c->later && v.kind == CEL_DOUBLE && !isfinite(v.d))
			return print_double(c, v);
		if (!whole)
			return wrong(c, v, "decimal clause can only be used on integers");
		return print_string(c, v);
	case 'f':
	case 'e':
		return print_double(c, v);
	case 'b':
		if (v.kind == CEL_BOOL)
			buf_putc(c->out, v.b ? '1' : '0');
		else if (whole)
			return print_bits(c, v, 1);
		else
			return wrong(c, v, "only integers and bools can be formatted as binary");
		return true;
	case 'o':
		if (!whole)
			return wrong(c, v, "octal clause can only be used on integers");
		return print_bits(c, v, 3);
	default:
		return print_hex(c, v);
	}
}

/* ".12f" at p: 0, or -1 with an error. */
static int
read_clause(struct clause *c, const char **p, const char *end)
{
	c->precision = 6;
	if (*p < end && **p == '.') {
		long n = 0;
		const char *first = ++*p;

		for (; *p < end && **p >= '0' && **p <= '9'; (*p)++)
			if ((n = n * 10 + **p - '0') > 1000)
				n = 1001;
		if (*p == end || *p == first || n > 1000) {
			*c->error = cel_error(c->a,
			    "could not parse formatting clause: error while parsing precision: %s",
			    *p == end	  ? "could not find end of precision specifier"
			    : *p == first ? "error while converting precision to integer"
					  : "precision is too large");
			return -1;
		}
		c->precision = (int)n;
	}
	if (*p == end) {
		*c->error = cel_error(c->a, "unexpected end of string");
		return -1;
	}
	c->letter = *(*p)++;
	if (strchr("sdfebxXo", c->letter) && c->letter)
		return 0;
	*c->error = cel_error(c->a,
	    "could not parse formatting clause: unrecognized formatting clause \"%c\"", c->letter);
	return -1;
}

static struct cel_value
formatted(struct arena *a, const struct cel_value *arg, bool later)
{
	autobuf struct buf out = BUF_INIT;
	struct cel_value error;
	struct clause c = { .a = a, .out = &out, .error = &error, .later = later };
	const char *p = arg[0].text.p, *end = p + arg[0].text.len;
	size_t i = 0;

	while (p < end) {
		if (*p != '%') {
			buf_putc(&out, *p++);
			continue;
		}
		if (++p < end && *p == '%') {
			buf_putc(&out, *p++);
			continue;
		}
		if (i >= arg[1].list->n)
			return cel_error(a, "index %zu out of range", i);
		if (read_clause(&c, &p, end) < 0 || !print(&c, cel_list_get(a, arg[1].list, i++)))
			return error;
		if (out.len > MOST_BYTES)
			return cel_error(a, "the string is too long");
	}
	return cel_text(arena_text(a, out.data ? out.data : "", out.len), out.len);
}

CEL_FN(format)
{
	return formatted(a, arg, false);
}

CEL_FN(format_later)
{
	return formatted(a, arg, true);
}

const struct cel_function cel_lib_format[] = {
	{ "format", "string_format_list_string", "string.(list(dyn)) string", format,
	    cel_cost_scan },
	{ 0 },
};

const struct cel_function cel_lib_format_new[] = {
	{ "format", "string_format_list_string", "string.(list(dyn)) string", format_later,
	    cel_cost_scan },
	{ 0 },
};
