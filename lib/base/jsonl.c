/*
 * Writing JSON.  jansson's own encoder calls back for every few bytes and prints 0.1 as
 * 0.10000000000000001; this one writes into a buf and prints the shortest number.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonl.h"
#include "base/mem.h"

/* Bytes that a string cannot hold as they are. */
static const bool special[256] = { [0 ... 31] = true, ['"'] = true, ['\\'] = true };

static void
escape(struct buf *b, unsigned char c)
{
	static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\";
	const char *p = c ? strchr(from, c) : NULL;

	if (p)
		buf_add(b, (char[]){ '\\', to[p - from] }, 2);
	else
		buf_printf(b, "\\u%04x", c);
}

void
json_add_string(struct buf *b, const char *s, size_t len)
{
	const char *end = s + len;

	buf_reserve(b, len + 2); /* enough where nothing is escaped */
	b->data[b->len++] = '"';
	while (s < end) {
		const char *run = s;

		while (s < end && !special[(unsigned char)*s])
			s++;
		buf_add(b, run, (size_t)(s - run));
		if (s < end)
			escape(b, (unsigned char)*s++);
	}
	buf_putc(b, '"');
}

void
json_add_real(struct buf *b, double v)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	buf_puts(b, text);
	if (!strpbrk(text, ".e"))
		buf_puts(b, ".0"); /* a real stays one */
}

static void
add_integer(struct buf *b, json_int_t v)
{
	char text[24], *p = text + sizeof text;
	unsigned long long n = v < 0 ? 0 - (unsigned long long)v : (unsigned long long)v;

	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	if (v < 0)
		*--p = '-';
	buf_add(b, p, (size_t)(text + sizeof text - p));
}

static void
add_scalar(struct buf *b, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		json_add_string(b, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		add_integer(b, json_integer_value(value));
		break;
	case JSON_REAL:
		json_add_real(b, json_real_value(value));
		break;
	case JSON_TRUE:
		buf_add(b, "true", 4);
		break;
	case JSON_FALSE:
		buf_add(b, "false", 5);
		break;
	default:
		buf_add(b, "null", 4);
		break;
	}
}

void
json_add(struct buf *b, const json_t *value)
{
	const char *key;
	json_t *v;
	size_t i;

	if (json_is_object(value)) {
		char lead = '{';

		json_object_keylen_foreach((json_t *)value, key, i, v)
		{
			buf_putc(b, lead);
			json_add_string(b, key, i);
			buf_putc(b, ':');
			json_add(b, v);
			lead = ',';
		}
		buf_puts(b, lead == '{' ? "{}" : "}");
	} else if (json_is_array(value)) {
		buf_putc(b, '[');
		json_array_foreach (value, i, v) {
			if (i > 0)
				buf_putc(b, ',');
			json_add(b, v);
		}
		buf_putc(b, ']');
	} else {
		add_scalar(b, value);
	}
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **
json_sorted_keys(const json_t *object, size_t *n)
{
	const char **keys = xcalloc(json_object_size(object), sizeof *keys);
	const char *key;
	json_t *v;

	*n = 0;
	json_object_foreach ((json_t *)object, key, v)
		keys[(*n)++] = key;
	qsort(keys, *n, sizeof *keys, by_text);
	return keys;
}

static void
newline(struct buf *b, int depth)
{
	buf_putc(b, '\n');
	while (depth-- > 0)
		buf_add(b, "    ", 4);
}

static void add_pretty(struct buf *b, const json_t *value, bool sorted, int depth);

static void
pretty_member(struct buf *b, const char *key, const json_t *v, bool sorted, int depth, bool first)
{
	if (!first)
		buf_putc(b, ',');
	newline(b, depth + 1);
	if (key) {
		json_add_string(b, key, strlen(key));
		buf_puts(b, ": ");
	}
	add_pretty(b, v, sorted, depth + 1);
}

static void
add_pretty(struct buf *b, const json_t *value, bool sorted, int depth)
{
	const char *key;
	json_t *v;
	size_t i, n = 0;

	if (json_is_object(value) && json_object_size(value) > 0) {
		buf_putc(b, '{');
		if (sorted) {
			autofree const char **keys = json_sorted_keys(value, &n);

			for (i = 0; i < n; i++)
				pretty_member(b, keys[i], json_object_get(value, keys[i]), true,
				    depth, i == 0);
		} else {
			json_object_foreach ((json_t *)value, key, v)
				pretty_member(b, key, v, false, depth, n++ == 0);
		}
		newline(b, depth);
		buf_putc(b, '}');
	} else if (json_is_array(value) && json_array_size(value) > 0) {
		buf_putc(b, '[');
		json_array_foreach (value, i, v)
			pretty_member(b, NULL, v, sorted, depth, i == 0);
		newline(b, depth);
		buf_putc(b, ']');
	} else {
		json_add(b, value);
	}
}

void
json_add_pretty(struct buf *b, const json_t *value, bool sorted)
{
	add_pretty(b, value, sorted, 0);
}

void
json_add_pretty_at(struct buf *b, const json_t *value, bool sorted, int depth)
{
	add_pretty(b, value, sorted, depth);
}

void
jsonl_add(struct buf *b, const json_t *value)
{
	json_add(b, value);
	buf_putc(b, '\n');
}

void
jsonl_write(FILE *f, const json_t *value)
{
	autobuf struct buf b = BUF_INIT;

	jsonl_add(&b, value);
	fwrite(b.data, 1, b.len, f);
}
