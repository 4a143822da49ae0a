/*
 * YAML as kubectl prints it (go-yaml v2's layout): two spaces, lists not indented below
 * their key, a string plain where that is read back as the same string, else quoted, and a
 * literal block for text of several lines.  Long lines are folded only where that is asked for.
 */
#include <ctype.h>
#include <string.h>

#include "base/jsonl.h"
#include "base/mem.h"
#include "base/yaml.h"

enum style { STYLE_PLAIN, STYLE_SINGLE, STYLE_DOUBLE, STYLE_LITERAL };

struct writer {
	struct buf *out;
	bool sorted, folded;
};

enum { WIDTH = 80 };

/* --- which style a string needs ------------------------------------------------ */

/* Would it be read as a YAML timestamp ("2026-01-02...")? */
static bool
is_timestamp(const char *s)
{
	return strspn(s, "0123456789") == 4 && s[4] == '-' && isdigit((unsigned char)s[5]);
}

/* "190:20:30", a number in base 60 for some readers. */
static bool
is_base60(const char *s)
{
	bool colon = false;

	s += *s == '+' || *s == '-';
	if (!isdigit((unsigned char)*s))
		return false;
	s += strspn(s, "0123456789_");
	for (; *s == ':'; s += strspn(s, "0123456789")) {
		colon = true;
		s++;
	}
	if (*s == '.')
		s += 1 + strspn(s + 1, "0123456789_");
	return colon && *s == '\0';
}

/* A character that stands for itself; tabs, controls and what lies beyond the BMP are escaped. */
static bool
printable(const unsigned char *p)
{
	if (*p < 0x80)
		return *p == '\n' || (*p >= 0x20 && *p < 0x7f);
	if (*p == 0xc2)
		return p[1] >= 0xa0;
	if (*p == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9))
		return false; /* line and paragraph separators */
	if (*p == 0xef)
		return !(p[1] == 0xbb && p[2] == 0xbf) && !(p[1] == 0xbf && p[2] >= 0xbe);
	return *p < 0xf0;
}

static bool
blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\0';
}

/* Indicators that end or change a plain scalar in block context. */
static bool
has_indicator(const char *s)
{
	if (strncmp(s, "---", 3) == 0 || strncmp(s, "...", 3) == 0)
		return true;
	if (strchr("#,[]{}&*!|>'\"%@`", *s))
		return true;
	if ((*s == '-' || *s == '?') && blank(s[1]))
		return true;
	for (const char *p = s; *p; p++)
		if ((*p == ':' && blank(p[1])) || (*p == '#' && p > s && blank(p[-1])))
			return true;
	return false;
}

static enum style
style_of(const char *s, size_t len, bool key)
{
	bool lines = false, space_break = false;

	if (len == 0)
		return STYLE_DOUBLE;
	for (size_t i = 0; i < len; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80 &&
		    !printable((const unsigned char *)s + i))
			return STYLE_DOUBLE;
		if (s[i] == '\n') {
			lines = true;
			space_break = space_break || (i > 0 && s[i - 1] == ' ');
		}
	}
	if (lines)
		return key || space_break || s[len - 1] == ' ' ? STYLE_DOUBLE : STYLE_LITERAL;
	if (yaml_is_special(s, len) || is_timestamp(s) || is_base60(s))
		return STYLE_DOUBLE;
	if (*s == ' ' || s[len - 1] == ' ' || has_indicator(s) || strcmp(s, "<<") == 0 ||
	    strcmp(s, "=") == 0)
		return STYLE_SINGLE;
	return STYLE_PLAIN;
}

/* --- strings -------------------------------------------------------------------- */

static void
indent(struct buf *out, int n)
{
	while (n-- > 0)
		buf_putc(out, ' ');
}

/* How many characters stand on the line that is being written. */
static size_t
column(const struct buf *out)
{
	size_t n = 0;

	for (size_t i = out->len; i-- > 0 && out->data[i] != '\n';)
		n += ((unsigned char)out->data[i] & 0xc0) != 0x80;
	return n;
}

/* Where a line that is long enough goes on in the next one; keys are never folded. */
struct fold {
	bool on, space; /* space: the character before was one */
	size_t column;	/* of the next character */
	int depth;
};

static struct fold
fold_begin(const struct writer *w, int depth, bool key)
{
	struct fold f = { .on = w->folded && !key, .depth = depth };

	if (f.on)
		f.column = column(w->out);
	return f;
}

/* The character at p is about to be written: true when a new line took the place of this space. */
static bool
fold_here(struct fold *f, struct buf *out, const char *p, bool inside)
{
	bool space = *p == ' ', fold;

	fold = f->on && space && !f->space && inside && f->column > WIDTH;
	f->space = space;
	f->column++;
	if (fold) {
		buf_putc(out, '\n');
		indent(out, f->depth);
		f->column = (size_t)f->depth;
	}
	return fold;
}

static void
write_plain(const struct writer *w, const char *s, size_t len, int depth, bool key)
{
	struct fold f = fold_begin(w, depth, key);

	if (!f.on || f.column + len <= WIDTH) {
		buf_add(w->out, s, len);
		return;
	}
	for (const char *p = s; p < s + len; p++)
		if (((unsigned char)*p & 0xc0) == 0x80 || !fold_here(&f, w->out, p, p[1] != ' '))
			buf_putc(w->out, *p);
}

static void
write_single(const struct writer *w, const char *s, int depth, bool key)
{
	struct fold f = fold_begin(w, depth, key);

	buf_putc(w->out, '\'');
	f.column++;
	for (const char *p = s; *p; p++) {
		if (*p == '\'') {
			buf_putc(w->out, '\'');
			f.column++;
		}
		if (((unsigned char)*p & 0xc0) == 0x80 ||
		    !fold_here(&f, w->out, p, p > s && p[1] && p[1] != ' '))
			buf_putc(w->out, *p);
	}
	buf_putc(w->out, '\'');
}

/* The code point at p, moving *len to its number of bytes. */
static unsigned
code_point(const unsigned char *p, size_t *len)
{
	*len = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	switch (*len) {
	case 1:
		return *p;
	case 2:
		return (*p & 0x1fu) << 6 | (p[1] & 0x3fu);
	case 3:
		return (*p & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	default:
		return (*p & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 |
		       (p[3] & 0x3fu);
	}
}

/* How a character stands between double quotes. */
static void
write_escaped(struct buf *out, const unsigned char *p, size_t n, unsigned c)
{
	static const char from[] = "\a\b\t\n\v\f\r\x1b\"\\", to[] = "abtnvfre\"\\";
	const char *e = c && c < 0x80 ? strchr(from, (int)c) : NULL;

	if (e)
		buf_add(out, (char[]){ '\\', to[e - from] }, 2);
	else if (printable(p))
		buf_add(out, p, n);
	else
		buf_printf(out, c < 0x100 ? "\\x%02X" : c < 0x10000 ? "\\u%04X" : "\\U%08X", c);
}

static void
write_double(const struct writer *w, const char *s, size_t len, int depth, bool key)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + len;
	struct fold f = fold_begin(w, depth, key);

	buf_putc(w->out, '"');
	f.column++;
	for (size_t n, before; p < end; p += n) {
		unsigned c = code_point(p, &n);

		if (fold_here(&f, w->out, (const char *)p, (const char *)p > s && p + 1 < end)) {
			if (p[1] == ' ') { /* a line that begins with a space */
				buf_putc(w->out, '\\');
				f.column++;
			}
			continue;
		}
		before = w->out->len;
		write_escaped(w->out, p, n, c);
		if (!printable(p) || w->out->data[before] == '\\')
			f.column += w->out->len - before - 1;
	}
	buf_putc(w->out, '"');
}

/* "|", how deep it stands when that cannot be seen from its first line, and what becomes of the
 * last newlines. */
static void
write_literal(struct buf *out, const char *s, size_t len, int depth)
{
	const char *end = s + len;

	buf_putc(out, '|');
	if (*s == ' ' || *s == '\n')
		buf_putc(out, '2');
	if (end[-1] != '\n')
		buf_putc(out, '-');
	else if (len == 1 || end[-2] == '\n')
		buf_putc(out, '+');
	while (s < end) {
		size_t line = strcspn(s, "\n");

		buf_putc(out, '\n');
		if (line)
			indent(out, depth);
		buf_add(out, s, line);
		s += line + 1;
	}
}

static void
write_string(const struct writer *w, const char *s, size_t len, int depth, bool key)
{
	switch (style_of(s, len, key)) {
	case STYLE_PLAIN:
		write_plain(w, s, len, depth, key);
		break;
	case STYLE_SINGLE:
		write_single(w, s, depth, key);
		break;
	case STYLE_DOUBLE:
		write_double(w, s, len, depth, key);
		break;
	case STYLE_LITERAL:
		write_literal(w->out, s, len, depth);
		break;
	}
}

/* --- values --------------------------------------------------------------------- */

static void value(struct writer *w, const json_t *v, int depth);

static bool
is_block(const json_t *v)
{
	return json_object_size(v) > 0 || json_array_size(v) > 0;
}

static void
write_real(struct buf *out, double v)
{
	size_t start = out->len;

	json_add_real(out, v);
	if (out->len - start > 2 && strcmp(out->data + out->len - 2, ".0") == 0)
		out->data[out->len -= 2] = '\0';
}

static void
write_scalar(const struct writer *w, const json_t *v, int depth)
{
	if (json_is_string(v))
		write_string(w, json_string_value(v), json_string_length(v), depth, false);
	else if (json_is_real(v))
		write_real(w->out, json_real_value(v));
	else
		json_add(w->out, v); /* also {} and [] */
}

/* A key longer than YAML's simple keys may be stands behind "? ". */
enum { SIMPLE_KEY = 1000 };

static void
member(struct writer *w, const char *key, const json_t *v, int depth, bool first)
{
	size_t start, len = strlen(key);

	if (!first)
		indent(w->out, depth);
	start = w->out->len;
	write_string(w, key, len, depth, true);
	if (w->out->len - start > SIMPLE_KEY) {
		autofree char *text = xstrndup(w->out->data + start, w->out->len - start);

		w->out->len = start;
		buf_printf(w->out, "? %s\n", text);
		indent(w->out, depth);
	}
	buf_putc(w->out, ':');
	if (!is_block(v)) {
		buf_putc(w->out, ' ');
		write_scalar(w, v, depth + 2);
		buf_putc(w->out, '\n');
		return;
	}
	buf_putc(w->out, '\n');
	depth += json_is_object(v) ? 2 : 0;
	indent(w->out, depth);
	value(w, v, depth);
}

/* A block whose first line's indentation is written already. */
static void
value(struct writer *w, const json_t *v, int depth)
{
	const char *key;
	json_t *item;
	size_t i, n = 0;

	if (json_is_object(v) && w->sorted) {
		autofree const char **keys = json_sorted_keys(v, &n);

		for (i = 0; i < n; i++)
			member(w, keys[i], json_object_get(v, keys[i]), depth, i == 0);
	} else if (json_is_object(v)) {
		json_object_foreach ((json_t *)v, key, item)
			member(w, key, item, depth, n++ == 0);
	} else {
		json_array_foreach (v, i, item) {
			if (i > 0)
				indent(w->out, depth);
			buf_puts(w->out, "- ");
			if (is_block(item)) {
				value(w, item, depth + 2);
			} else {
				write_scalar(w, item, depth + 2);
				buf_putc(w->out, '\n');
			}
		}
	}
}

static void
document(struct writer *w, const json_t *v)
{
	if (is_block(v)) {
		value(w, v, 0);
	} else {
		write_scalar(w, v, 2);
		buf_putc(w->out, '\n');
	}
}

void
yaml_write(struct buf *out, const json_t *v)
{
	document(&(struct writer){ .out = out }, v);
}

void
yaml_write_sorted(struct buf *out, const json_t *v)
{
	document(&(struct writer){ .out = out, .sorted = true }, v);
}

void
yaml_write_folded(struct buf *out, const json_t *v)
{
	document(&(struct writer){ .out = out, .sorted = true, .folded = true }, v);
}
