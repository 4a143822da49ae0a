#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/yaml.h"
#include "base/yamlblock.h"
#include "base/yamlflow.h"

enum { DEPTH = 100, KEY = 1000, END = -1 };

/*
 * Where we are: p is a place on the current line.  Between values p is the first character of a
 * line that has content and col its column, END behind the last line.
 */
struct block {
	const char *p, *end;
	long col;
	int depth;
	struct buf scratch;
};

static json_t *block(struct block *b);

/* --- bytes ---------------------------------------------------------------------- */

/* Sequences that libyaml refuses or takes for line breaks: C1 controls, U+2028, U+2029, byte order
 * marks, U+FFFE. */
static bool
odd_sequence(const unsigned char *p)
{
	if (*p == 0xc2)
		return p[1] < 0xa0;
	if (*p == 0xe2)
		return p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9);
	if (*p == 0xef)
		return (p[1] == 0xbb && p[2] == 0xbf) || (p[1] == 0xbf && p[2] >= 0xbe);
	return false;
}

/* Nothing but printable characters and newlines? */
static bool
ordinary(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;

	while (p < end) {
		if (*p < 0x7f) {
			if (*p < 0x20 && *p != '\n')
				return false;
			p++;
		} else {
			size_t n = text_utf8((const char *)p, (size_t)(end - p));

			if (n < 2 || odd_sequence(p))
				return false;
			p += n;
		}
	}
	return true;
}

static bool
blank(char c)
{
	return c == ' ' || c == '\n';
}

/* To the next line with content; p must be at the start of a line. */
static void
next_line(struct block *b)
{
	for (;;) {
		const char *start = b->p;

		while (b->p < b->end && *b->p == ' ')
			b->p++;
		if (b->p >= b->end) {
			b->col = END;
			return;
		}
		if (*b->p != '\n' && *b->p != '#') {
			b->col = b->p - start;
			return;
		}
		b->p = (const char *)memchr(b->p, '\n', (size_t)(b->end - b->p)) + 1;
	}
}

/* Nothing but white space and a comment up to the end of the line?  Then go behind it. */
static bool
end_line(struct block *b)
{
	const char *p = b->p;

	while (*p == ' ')
		p++;
	if (*p == '#' && p > b->p)
		p = memchr(p, '\n', (size_t)(b->end - p));
	if (*p != '\n')
		return false;
	b->p = p + 1;
	return true;
}

/* --- scalars ---------------------------------------------------------------------- */

static json_t *
plain(struct block *b)
{
	const char *start = b->p, *p = start, *last = start; /* behind the last that is no space */
	struct err err;
	json_t *v;

	if (strchr(",[]{}#&*!|>'\"%@`?:", *p) || (*p == '-' && blank(p[1])))
		return NULL;
	for (; *p != '\n'; p++) {
		if (*p == ' ')
			continue;
		if ((*p == ':' && blank(p[1])) || (*p == '#' && p[-1] == ' ')) {
			if (*p == ':')
				return NULL;
			break;
		}
		last = p + 1;
	}
	v = yaml_scalar(start, (size_t)(last - start), &err);
	b->p = last;
	return v;
}

/* Lines that are blank, at the start of a literal: how many; -1 when one is deeper than the text
 * itself. */
static long
leading_blanks(const char **p, const char *end, size_t *depth)
{
	size_t deepest = 0;
	long n = 0;

	for (;; n++) {
		size_t k = strspn(*p, " ");

		if (*p + k >= end)
			return -1;
		if ((*p)[k] != '\n') {
			*depth = k;
			return deepest > k ? -1 : n;
		}
		deepest = k > deepest ? k : deepest;
		*p += k + 1;
	}
}

/* The lines of a literal into scratch; *pending gets the blank ones at its end. */
static bool
literal_lines(struct block *b, size_t depth, long outer, long *pending)
{
	for (*pending = 0; b->p < b->end;) {
		size_t k = strspn(b->p, " ");
		const char *eol = memchr(b->p, '\n', (size_t)(b->end - b->p));

		if (b->p[k] == '\n' && k <= depth) {
			++*pending;
			b->p = eol + 1;
			continue;
		}
		if (k < depth)
			return (long)k <= outer;
		for (; *pending > 0; --*pending)
			buf_putc(&b->scratch, '\n');
		buf_add(&b->scratch, b->p + depth, (size_t)(eol + 1 - b->p) - depth);
		b->p = eol + 1;
	}
	return true;
}

/* "|", "|-" or "|+", and the lines below that are deeper than outer */
static json_t *
literal(struct block *b, long outer)
{
	char chomp = *++b->p;
	size_t depth;
	long blanks, pending;

	if (chomp == '-' || chomp == '+')
		b->p++;
	b->p += strspn(b->p, " ");
	if (*b->p++ != '\n' || (blanks = leading_blanks(&b->p, b->end, &depth)) < 0 ||
	    (long)depth <= outer)
		return NULL;
	buf_clear(&b->scratch);
	for (; blanks > 0; blanks--)
		buf_putc(&b->scratch, '\n');
	if (!literal_lines(b, depth, outer, &pending))
		return NULL;
	if (chomp == '-')
		b->scratch.len--;
	for (; chomp == '+' && pending > 0; pending--)
		buf_putc(&b->scratch, '\n');
	return json_stringn_nocheck(b->scratch.data, b->scratch.len);
}

/* A scalar, or [a, b] and {a: b}, with nothing behind it on its line and nothing deeper below. */
static json_t *
scalar(struct block *b, long outer)
{
	const char *text;
	size_t len;
	json_t *v = NULL;

	if (*b->p == '|') {
		v = literal(b, outer);
	} else {
		if (*b->p == '"' || *b->p == '\'') {
			text = yaml_quoted(&b->p, &b->scratch, &len);
			v = text ? json_stringn_nocheck(text, len) : NULL;
		} else if (*b->p == '{' || *b->p == '[') {
			v = yaml_flow(&b->p, &b->scratch, 0);
		} else {
			v = plain(b);
		}
		if (v && !end_line(b))
			goto unsure;
	}
	if (!v)
		return NULL;
	next_line(b);
	if (b->col <= outer)
		return v;
unsure:
	json_decref(v);
	return NULL;
}

/* --- mappings and lists --------------------------------------------------------------- */

static bool
at_dash(const struct block *b)
{
	return *b->p == '-' && blank(b->p[1]);
}

/* "name:" or "'name':" at p, with white space behind: p goes behind the colon.  The key is a new
 * string. */
static char *
key(struct block *b)
{
	static const bool allowed[256] = { ['a' ... 'z'] = true,
		['A' ... 'Z'] = true,
		['0' ... '9'] = true,
		['_'] = true,
		['.'] = true,
		['/'] = true,
		['-'] = true };
	const char *start = b->p, *text = start;
	bool quotes = *start == '"' || *start == '\'';
	size_t len;

	if (quotes) {
		text = yaml_quoted(&b->p, &b->scratch, &len);
	} else {
		while (*start != '-' && allowed[(unsigned char)*b->p])
			b->p++;
		len = (size_t)(b->p - start);
	}
	if (text && *b->p == ':' && blank(b->p[1]) && (quotes || len > 0) && b->p - start < KEY &&
	    (quotes || !yaml_is_special(text, len))) {
		b->p++;
		return xstrndup(text, len);
	}
	b->p = start;
	return NULL;
}

/* What stands behind "key:" or "-": on this line, or below and deeper than outer. */
static json_t *
value(struct block *b, long outer, bool of_key)
{
	const char *start = b->p;

	if (!end_line(b)) {
		b->p = start + strspn(start, " ");
		return scalar(b, outer);
	}
	next_line(b);
	/* the list of a key may stand below it without indentation */
	if (b->col > outer || (of_key && b->col == outer && at_dash(b)))
		return block(b);
	return json_null();
}

static json_t *
mapping(struct block *b, long col)
{
	json_t *map = json_object();

	while (b->col == col) {
		autofree char *name = key(b);
		size_t before = json_object_size(map);
		json_t *v;

		if (!name || !(v = value(b, col, true)))
			goto unsure;
		json_object_set_new_nocheck(map, name, v);
		if (json_object_size(map) == before)
			goto unsure; /* a duplicate */
	}
	if (b->col < col)
		return map;
unsure:
	json_decref(map);
	return NULL;
}

/* What stands behind a dash: a list or mapping that begins on this line, or a value. */
static json_t *
item(struct block *b, long col)
{
	const char *dash = b->p++, *start = b->p + strspn(b->p, " ");
	autofree char *name = NULL;

	if (*start == '\n' || *start == '#')
		return value(b, col, false);
	b->p = start;
	if (!at_dash(b) && !(name = key(b)))
		return scalar(b, col);
	b->p = start;
	b->col = col + (start - dash);
	return block(b);
}

static json_t *
sequence(struct block *b, long col)
{
	json_t *list = json_array();

	while (b->col == col && at_dash(b)) {
		json_t *v = item(b, col);

		if (!v)
			goto unsure;
		json_array_append_new(list, v);
	}
	if (b->col <= col)
		return list;
unsure:
	json_decref(list);
	return NULL;
}

/* The list or mapping that begins at p. */
static json_t *
block(struct block *b)
{
	json_t *v;

	if (++b->depth > DEPTH)
		return NULL;
	v = at_dash(b) ? sequence(b, b->col) : mapping(b, b->col);
	b->depth--;
	return v;
}

json_t *
yaml_block(const char *text, size_t len, size_t *start)
{
	struct block b = { text, text + len, 0, 0, BUF_INIT };
	json_t *v = NULL;

	if (len == 0 || b.end[-1] != '\n' || !ordinary(text, len))
		return NULL;
	if (strncmp(text, "---", 3) == 0) {
		b.p += 3;
		if (!end_line(&b))
			return NULL;
	}
	next_line(&b);
	*start = (size_t)(b.p - text);
	if (b.col == END)
		v = json_null();
	else if (b.col == 0 && *b.p != '%')
		v = block(&b);
	if (v && b.col != END) {
		json_decref(v);
		v = NULL;
	}
	buf_release(&b.scratch);
	return v;
}
