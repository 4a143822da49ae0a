/* Strings (cel-go's ext/strings.go, version 2).  Places are counted in characters. */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cel/library.h"

enum { MOST_BYTES = 32 << 20 };

static struct cel_value
too_long(struct arena *a)
{
	return cel_error(a, "the string is too long");
}

/* How many bytes the character at p takes; a byte that begins none is one of its own. */
static size_t
step(const char *p, size_t len)
{
	size_t n = text_utf8(p, len);

	return n ? n : 1;
}

static int64_t
count(struct cel_value s)
{
	int64_t n = 0;

	for (size_t at = 0; at < s.text.len; n++)
		at += step(s.text.p + at, s.text.len - at);
	return n;
}

/* The byte at which a character begins; the end for one behind the last. */
static size_t
byte_at(struct cel_value s, int64_t character)
{
	size_t at = 0;

	while (character-- > 0 && at < s.text.len)
		at += step(s.text.p + at, s.text.len - at);
	return at;
}

static struct cel_value
out_of_range(struct arena *a, int64_t i)
{
	return cel_error(a, "index out of range: %lld", (long long)i);
}

static struct cel_value
part(struct cel_value s, size_t from, size_t to)
{
	return cel_text(s.text.p + from, to - from);
}

static struct cel_value
made(struct arena *a, const struct buf *b)
{
	return cel_text(arena_text(a, b->data ? b->data : "", b->len), b->len);
}

CEL_FN(char_at)
{
	size_t from;

	if (arg[1].i < 0 || arg[1].i > count(arg[0]))
		return out_of_range(a, arg[1].i);
	from = byte_at(arg[0], arg[1].i);
	return part(arg[0], from, from + byte_at(part(arg[0], from, arg[0].text.len), 1));
}

static bool
stands_at(struct cel_value s, size_t at, struct cel_value what)
{
	return s.text.len - at >= what.text.len &&
	       memcmp(s.text.p + at, what.text.p, what.text.len) == 0;
}

CEL_FN(index_of)
{
	int64_t i = n > 2 ? arg[2].i : 0;

	if (arg[1].text.len == 0)
		return cel_int(i);
	if (i < 0)
		return out_of_range(a, i);
	for (size_t at = byte_at(arg[0], i); at < arg[0].text.len; i++) {
		if (stands_at(arg[0], at, arg[1]))
			return cel_int(i);
		at += step(arg[0].text.p + at, arg[0].text.len - at);
	}
	return cel_int(-1);
}

CEL_FN(last_index_of)
{
	int64_t size = count(arg[0]), from = n > 2 ? arg[2].i : size, found = -1, i = 0;

	if (arg[1].text.len == 0)
		return cel_int(from);
	if (from < 0)
		return out_of_range(a, from);
	if (n > 2 && from >= size)
		return cel_int(-1);
	for (size_t at = 0; at < arg[0].text.len && i <= from; i++) {
		if (stands_at(arg[0], at, arg[1]))
			found = i;
		at += step(arg[0].text.p + at, arg[0].text.len - at);
	}
	return cel_int(found);
}

/* Later versions refuse to begin behind the end. */
CEL_FN(index_within)
{
	return arg[2].i > count(arg[0]) ? out_of_range(a, arg[2].i) : index_of(a, arg, n);
}

CEL_FN(last_index_within)
{
	return arg[2].i > count(arg[0]) ? out_of_range(a, arg[2].i) : last_index_of(a, arg, n);
}

CEL_FN(substring)
{
	int64_t size = count(arg[0]), from = arg[1].i, to = n > 2 ? arg[2].i : size;

	if (n > 2 && from > to)
		return cel_error(a, "invalid substring range. start: %lld, end: %lld",
		    (long long)from, (long long)to);
	if (from < 0 || from > size)
		return out_of_range(a, from);
	if (to < 0 || to > size)
		return out_of_range(a, to);
	return part(arg[0], byte_at(arg[0], from), byte_at(arg[0], to));
}

/* --- changing --------------------------------------------------------------------------- */

static struct cel_value
shift(struct arena *a, struct cel_value s, char first, char last)
{
	char *p = arena_text(a, s.text.p, s.text.len);

	for (size_t i = 0; i < s.text.len; i++)
		if (p[i] >= first && p[i] <= last)
			p[i] ^= 32;
	return cel_text(p, s.text.len);
}

CEL_FN(lower)
{
	return shift(a, arg[0], 'A', 'Z');
}

CEL_FN(upper)
{
	return shift(a, arg[0], 'a', 'z');
}

/* As Go's strings.Replace: an empty text stands before every character and at the end. */
CEL_FN(replace)
{
	struct cel_value s = arg[0], old = arg[1], new = arg[2];
	int64_t left = n > 3 && arg[3].i >= 0 ? arg[3].i : INT64_MAX;
	autobuf struct buf b = BUF_INIT;
	size_t at = 0;

	while (at < s.text.len) {
		size_t len = step(s.text.p + at, s.text.len - at);

		if (left > 0 && stands_at(s, at, old)) {
			buf_add(&b, new.text.p, new.text.len);
			left--;
			if (old.text.len) {
				at += old.text.len;
				if (b.len > MOST_BYTES)
					return too_long(a);
				continue;
			}
		}
		buf_add(&b, s.text.p + at, len);
		at += len;
		if (b.len > MOST_BYTES)
			return too_long(a);
	}
	if (left > 0 && old.text.len == 0)
		buf_add(&b, new.text.p, new.text.len);
	return made(a, &b);
}

struct parts {
	struct cel_value *item;
	size_t n, cap;
};

static void
keep(struct arena *a, struct parts *p, struct cel_value v)
{
	if (p->n == p->cap) {
		struct cel_value *more;

		p->cap = p->cap ? 2 * p->cap : 8;
		more = arena_alloc(a, p->cap * sizeof *more);
		if (p->n)
			memcpy(more, p->item, p->n * sizeof *more);
		p->item = more;
	}
	p->item[p->n++] = v;
}

CEL_FN(split)
{
	struct cel_value s = arg[0], by = arg[1];
	int64_t most = n > 2 && arg[2].i >= 0 ? arg[2].i : INT64_MAX;
	struct parts parts = { 0 };
	size_t from = 0, at = 0;

	if (most == 0 || (by.text.len == 0 && s.text.len == 0))
		return cel_list_of(a, NULL, 0);
	while (at < s.text.len && (int64_t)parts.n + 1 < most) {
		size_t len = step(s.text.p + at, s.text.len - at);

		if (by.text.len == 0) {
			at += len;
			if (at == s.text.len)
				break;
			keep(a, &parts, part(s, from, at));
			from = at;
		} else if (stands_at(s, at, by)) {
			keep(a, &parts, part(s, from, at));
			from = at += by.text.len;
		} else {
			at += len;
		}
	}
	keep(a, &parts, part(s, from, s.text.len));
	return cel_list_of(a, parts.item, parts.n);
}

/* The length of a white space character (Unicode's White_Space), or 0. */
static size_t
space(const char *p, size_t len)
{
	static const char *const wide[] = { "\xc2\x85", "\u00a0", "\u1680", "\u2000", "\u2001",
		"\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009",
		"\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000" };

	if (len && *p && strchr(" \t\n\v\f\r", *p))
		return 1;
	for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
		if (len >= strlen(wide[i]) && memcmp(p, wide[i], strlen(wide[i])) == 0)
			return strlen(wide[i]);
	return 0;
}

CEL_FN(trim)
{
	struct cel_value s = arg[0];
	size_t from = 0, end, len;

	while ((len = space(s.text.p + from, s.text.len - from)))
		from += len;
	end = from;
	for (size_t at = from; at < s.text.len;) {
		len = space(s.text.p + at, s.text.len - at);
		at += len ? len : step(s.text.p + at, s.text.len - at);
		if (!len)
			end = at;
	}
	return part(s, from, end);
}

CEL_FN(join)
{
	const struct cel_list *l = arg[0].list;
	autobuf struct buf b = BUF_INIT;

	for (size_t i = 0; i < l->n; i++) {
		struct cel_value v = cel_list_get(a, l, i);

		if (v.kind != CEL_STRING)
			return cel_error(a, "no such overload");
		if (i && n > 1)
			buf_add(&b, arg[1].text.p, arg[1].text.len);
		buf_add(&b, v.text.p, v.text.len);
		if (b.len > MOST_BYTES)
			return too_long(a);
	}
	return made(a, &b);
}

CEL_FN(reverse)
{
	char *p = arena_alloc(a, arg[0].text.len + 1);
	size_t at = 0, to = arg[0].text.len;

	while (at < arg[0].text.len) {
		size_t len = step(arg[0].text.p + at, arg[0].text.len - at);

		memcpy(p + (to -= len), arg[0].text.p + at, len);
		at += len;
	}
	return cel_text(p, arg[0].text.len);
}

CEL_FN(quote)
{
	static const char plain[] = "\a\b\f\n\r\t\v\\\"", letter[] = "abfnrtv\\\"";
	autobuf struct buf b = BUF_INIT;

	buf_putc(&b, '"');
	for (size_t at = 0; at < arg[0].text.len;) {
		const char *p = arg[0].text.p + at, *found;
		size_t len = text_utf8(p, arg[0].text.len - at);

		if (*p && (found = strchr(plain, *p))) {
			buf_putc(&b, '\\');
			buf_putc(&b, letter[found - plain]);
		} else if (len) {
			buf_add(&b, p, len);
		} else {
			buf_puts(&b, "\ufffd");
		}
		at += len ? len : 1;
	}
	buf_putc(&b, '"');
	return made(a, &b);
}

/* strings.quote, join and format came with version 1 and 2; reverse, with 3, Kubernetes has not. */
const struct cel_function cel_lib_strings[] = {
	{ "charAt", "string_char_at_int", "string.(int) string", char_at, NULL },
	{ "indexOf", "string_index_of_string", "string.(string) int", index_of, cel_cost_walk },
	{ "indexOf", "string_index_of_string_int", "string.(string, int) int", index_of,
	    cel_cost_walk },
	{ "lastIndexOf", "string_last_index_of_string", "string.(string) int", last_index_of,
	    cel_cost_walk },
	{ "lastIndexOf", "string_last_index_of_string_int", "string.(string, int) int",
	    last_index_of, cel_cost_walk },
	{ "lowerAscii", "string_lower_ascii", "string.() string", lower, cel_cost_scan },
	{ "upperAscii", "string_upper_ascii", "string.() string", upper, cel_cost_scan },
	{ "replace", "string_replace_string_string", "string.(string, string) string", replace,
	    cel_cost_twice },
	{ "replace", "string_replace_string_string_int", "string.(string, string, int) string",
	    replace, cel_cost_twice },
	{ "split", "string_split_string", "string.(string) list(string)", split, cel_cost_twice },
	{ "split", "string_split_string_int", "string.(string, int) list(string)", split,
	    cel_cost_twice },
	{ "substring", "string_substring_int", "string.(int) string", substring, cel_cost_scan },
	{ "substring", "string_substring_int_int", "string.(int, int) string", substring,
	    cel_cost_scan },
	{ "trim", "string_trim", "string.() string", trim, cel_cost_scan },
	{ "join", "list_join", "list(string).() string", join, cel_cost_result },
	{ "join", "list_join_string", "list(string).(string) string", join, cel_cost_result },
	{ "strings.quote", "strings_quote", "(string) string", quote, cel_cost_scan },
	{ 0 },
};

const struct cel_function cel_lib_strings_new[] = {
	{ "indexOf", "string_index_of_string_int", "string.(string, int) int", index_within,
	    cel_cost_walk },
	{ "lastIndexOf", "string_last_index_of_string_int", "string.(string, int) int",
	    last_index_within, cel_cost_walk },
	{ "reverse", "string_reverse", "string.() string", reverse, NULL },
	{ 0 },
};
