/* The words of the language (cel-spec, langdef.md, Syntax). */
#include "cel/lex.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const char *const operators[] = { "==", "!=", "<=", ">=", "&&", "||", "<", ">", "[", "]",
	"{", "}", "(", ")", ".", ",", "-", "!", "?", ":", "+", "*", "/", "%" };

static bool
starts_ident(char c)
{
	return isalpha((unsigned char)c) || c == '_';
}

static bool
in_ident(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* White space and comments. */
static size_t
skip(const char *s, size_t at)
{
	for (;;) {
		at += strspn(s + at, " \t\r\n\f");
		if (s[at] != '/' || s[at + 1] != '/')
			return at;
		at += strcspn(s + at, "\n");
	}
}

/* --- numbers -------------------------------------------------------------------------- */

static size_t
digits(const char *s)
{
	return strspn(s, "0123456789");
}

static struct cel_token
number(struct arena *a, const char *s, size_t at, struct cel_issues *issues)
{
	struct cel_token t = { .kind = TOK_INT, .at = at };
	const char *p = s + at;
	bool hex = p[0] == '0' && p[1] == 'x' && isxdigit((unsigned char)p[2]);
	size_t n = hex ? 2 + strspn(p + 2, "0123456789abcdefABCDEF") : digits(p);
	char *copy;

	if (!hex && p[n] == '.' && digits(p + n + 1) > 0) {
		t.kind = TOK_FLOAT;
		n += 1 + digits(p + n + 1);
	}
	if (!hex && (p[n] == 'e' || p[n] == 'E')) {
		size_t sign = p[n + 1] == '+' || p[n + 1] == '-';

		if (digits(p + n + 1 + sign) > 0) {
			t.kind = TOK_FLOAT;
			n += 1 + sign + digits(p + n + 1 + sign);
		}
	}
	copy = arena_text(a, p, n);
	errno = 0;
	if (t.kind == TOK_FLOAT) {
		t.value = cel_double(strtod(copy, NULL));
	} else if (p[n] == 'u' || p[n] == 'U') {
		t.kind = TOK_UINT;
		t.value = cel_uint(strtoull(copy, NULL, hex ? 16 : 10));
		n++;
		if (errno)
			cel_issue(issues, at, "invalid uint literal");
	} else {
		/* the least int is written with a minus, which is no part of it: the parser looks
		 */
		unsigned long long v = strtoull(copy, NULL, hex ? 16 : 10);

		t.value = cel_uint(v);
		if (errno || v > (unsigned long long)INT64_MAX + 1)
			cel_issue(issues, at, "invalid int literal");
	}
	t.len = n;
	return t;
}

/* --- strings --------------------------------------------------------------------------- */

static void
put_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_putc(b, (char)c);
	} else if (c < 0x800) {
		buf_putc(b, (char)(0xc0 | c >> 6));
		buf_putc(b, (char)(0x80 | (c & 63)));
	} else if (c < 0x10000) {
		buf_putc(b, (char)(0xe0 | c >> 12));
		buf_putc(b, (char)(0x80 | (c >> 6 & 63)));
		buf_putc(b, (char)(0x80 | (c & 63)));
	} else {
		buf_putc(b, (char)(0xf0 | c >> 18));
		buf_putc(b, (char)(0x80 | (c >> 12 & 63)));
		buf_putc(b, (char)(0x80 | (c >> 6 & 63)));
		buf_putc(b, (char)(0x80 | (c & 63)));
	}
}

/* A number of exactly n digits; false when they are not there. */
static bool
code(const char *p, size_t n, int base, uint32_t *ret)
{
	char text[9] = "";

	for (size_t i = 0; i < n; i++) {
		if (base == 16 ? !isxdigit((unsigned char)p[i]) : p[i] < '0' || p[i] > '7')
			return false;
		text[i] = p[i];
	}
	*ret = (uint32_t)strtoul(text, NULL, base);
	return true;
}

/* An escape at p, which begins with a backslash: its length, 0 when it is none. */
static size_t
escape(const char *p, bool bytes, struct buf *out)
{
	static const char from[] = "abfnrtv\\'\"`?", to[] = "\a\b\f\n\r\t\v\\'\"`?";
	const char *simple = p[1] ? strchr(from, p[1]) : NULL;
	size_t n = p[1] == 'x' || p[1] == 'X' ? 2 : p[1] == 'u' ? 4 : p[1] == 'U' ? 8 : 0;
	uint32_t c;

	if (simple) {
		buf_putc(out, to[simple - from]);
		return 2;
	}
	if (n) {
		if ((bytes && n > 2) || !code(p + 2, n, 16, &c))
			return 0;
		n += 2;
	} else {
		if (p[1] > '3' || !code(p + 1, 3, 8, &c))
			return 0;
		n = 4;
	}
	if (!bytes && (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)))
		return 0;
	if (bytes)
		buf_putc(out, (char)c);
	else
		put_utf8(out, c);
	return n;
}

/* A word that is none, up to the character that does not go on with it; the next one is behind
 * that.
 */
static struct cel_token
unknown(const char *s, size_t at, size_t good, struct cel_issues *issues)
{
	size_t left = strlen(s + at + good), more = left ? text_utf8(s + at + good, left) : 0;
	struct cel_token t = { .kind = TOK_BAD, .at = at };

	t.len = good + (left && !more ? 1 : more);
	cel_issue(
	    issues, at, "Syntax error: token recognition error at: '%.*s'", (int)t.len, s + at);
	return t;
}

/* How far an escape goes that is none. */
static size_t
escape_begins(const char *p)
{
	static const char octal[] = "01234567", hex[] = "0123456789abcdefABCDEF";
	size_t n = p[1] == 'x' || p[1] == 'X' ? 2 : p[1] == 'u' ? 4 : p[1] == 'U' ? 8 : 0, good;

	if (n == 0 && (p[1] < '0' || p[1] > '3'))
		return 1;
	good = n ? strspn(p + 2, hex) : strspn(p + 2, octal);
	n = n ? n : 2;
	return 2 + (good < n ? good : n - 1);
}

/* From a quote on; prefix bytes stand before it. */
static struct cel_token
string(struct arena *a, const char *s, size_t at, size_t prefix, bool raw, bool bytes,
    struct cel_issues *issues)
{
	struct cel_token t = { .kind = bytes ? TOK_BYTES : TOK_STRING, .at = at };
	const char *p = s + at + prefix;
	char quote = *p;
	size_t n = p[1] == quote && p[2] == quote ? 3 : 1;
	autobuf struct buf b = BUF_INIT;

	for (p += n;;) {
		size_t len;

		if (!*p || (n == 1 && (*p == '\n' || *p == '\r')))
			break;
		if (strncmp(p, (char[4]){ quote, n == 3 ? quote : 0, quote, 0 }, n) == 0) {
			p += n;
			t.len = (size_t)(p - s) - at;
			t.value = cel_text(arena_text(a, b.len ? b.data : "", b.len), b.len);
			t.value.kind = bytes ? CEL_BYTES : CEL_STRING;
			return t;
		}
		if (*p == '\\' && !raw) {
			if ((len = escape(p, bytes, &b)) == 0)
				break;
			p += len;
			continue;
		}
		buf_putc(&b, *p++);
	}
	/* the longest that is a word: an empty string, the prefix as a name; else nothing */
	if (n == 3) {
		t.len = prefix + 2;
		t.value = cel_text("", 0);
		t.value.kind = bytes ? CEL_BYTES : CEL_STRING;
		return t;
	}
	if (prefix)
		return (struct cel_token){ .kind = TOK_IDENT,
			.at = at,
			.len = prefix,
			.text = arena_text(a, s + at, prefix) };
	return unknown(s, at, (size_t)(p - s) - at + (*p == '\\' ? escape_begins(p) : 0), issues);
}

/* r"...", b"...", br"...", rb"...": the length of the prefix, or -1. */
static int
string_prefix(const char *p, bool *raw, bool *bytes)
{
	int n = 0;

	*raw = *bytes = false;
	while (n < 2) {
		if ((p[n] == 'r' || p[n] == 'R') && !*raw)
			*raw = true;
		else if ((p[n] == 'b' || p[n] == 'B') && !*bytes)
			*bytes = true;
		else
			break;
		n++;
	}
	return p[n] == '"' || p[n] == '\'' ? n : -1;
}

/* --- all ---------------------------------------------------------------------------------- */

static struct cel_token
word(struct arena *a, const char *s, size_t at)
{
	struct cel_token t = { .kind = TOK_IDENT, .at = at };

	while (in_ident(s[at + t.len]))
		t.len++;
	t.text = arena_text(a, s + at, t.len);
	if (strcmp(t.text, "true") == 0)
		t.kind = TOK_TRUE;
	else if (strcmp(t.text, "false") == 0)
		t.kind = TOK_FALSE;
	else if (strcmp(t.text, "null") == 0)
		t.kind = TOK_NULL;
	else if (strcmp(t.text, "in") == 0)
		t.kind = TOK_OP;
	return t;
}

#define QUOTED "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/ "

static bool
quoted(struct arena *a, const char *s, size_t at, struct cel_token *t)
{
	size_t n = strspn(s + at + 1, QUOTED);

	if (n == 0 || s[at + 1 + n] != '`')
		return false;
	*t = (struct cel_token){
		.kind = TOK_QUOTED, .at = at, .len = n + 2, .text = arena_text(a, s + at + 1, n)
	};
	return true;
}

static struct cel_token
one(struct arena *a, const char *s, size_t at, struct cel_issues *issues)
{
	struct cel_token t;
	bool raw, bytes;
	int prefix = string_prefix(s + at, &raw, &bytes);
	size_t n;

	if (!s[at])
		return (struct cel_token){ .kind = TOK_END, .at = at, .text = "<EOF>" };
	if (prefix >= 0)
		return string(a, s, at, (size_t)prefix, raw, bytes, issues);
	if (isdigit((unsigned char)s[at]))
		return number(a, s, at, issues);
	if (starts_ident(s[at]))
		return word(a, s, at);
	if (s[at] == '`' && quoted(a, s, at, &t))
		return t;
	if (s[at] == '.' && (n = digits(s + at + 1)) > 0) {
		autofree char *whole = xasprintf("0%s", s + at);
		struct cel_token f = number(a, whole, 0, issues);

		f.at = at;
		f.len--;
		return f;
	}
	for (size_t i = 0; i < COUNT(operators); i++) {
		n = strlen(operators[i]);
		if (strncmp(s + at, operators[i], n) == 0)
			return (struct cel_token){
				.kind = TOK_OP, .at = at, .len = n, .text = operators[i]
			};
	}
	if (s[at] == '`')
		return unknown(s, at, 1 + strspn(s + at + 1, QUOTED), issues);
	return unknown(s, at, strchr("=&|", s[at]) != NULL, issues);
}

struct cel_token
cel_lex(struct arena *a, const char *source, size_t *at, struct cel_issues *issues)
{
	struct cel_token t;

	do {
		t = one(a, source, skip(source, *at), issues);
		*at = t.at + t.len;
	} while (t.kind == TOK_BAD);
	return t;
}
