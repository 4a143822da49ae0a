/*
 * Chunked bodies, RFC 9112 section 7.1.  Extensions and trailers are read over: nobody here uses
 * them, and section 7.1.1 wants unknown ones ignored.
 */
#include "serve/http_parse.h"

enum {
	SIZE,
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER,
	TRAILER_LINE,
	TRAILER_LF,
	LAST_LF
};

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One byte of the line that holds a chunk's size. */
static int
size_byte(struct http_chunks *c, char ch)
{
	int d = digit(ch);

	if (d >= 0) {
		if (++c->digits > 16)
			return 400;
		c->left = c->left << 4 | (uint64_t)d;
		return 0;
	}
	if (c->digits == 0)
		return 400;
	if (ch == '\r')
		c->state = SIZE_LF;
	else if (ch == ';')
		c->state = EXTENSION;
	else
		return 400;
	return 0;
}

/* A byte of an extension or a trailer, which is not kept; `after` follows its CR. */
static int
skip_byte(struct http_chunks *c, char ch, int after)
{
	if (++c->extra > HTTP_TRAILER_MAX)
		return 431;
	if (ch == '\r')
		c->state = after;
	else if (((unsigned char)ch < ' ' && ch != '\t') || ch == 0x7f)
		return 400;
	return 0;
}

/* Any byte outside the data.  1 at the end of the body. */
static int
frame_byte(struct http_chunks *c, char ch)
{
	switch (c->state) {
	case SIZE:
		return size_byte(c, ch);
	case EXTENSION:
		return skip_byte(c, ch, SIZE_LF);
	case SIZE_LF:
		c->state = c->left > 0 ? DATA : TRAILER;
		return ch == '\n' ? 0 : 400;
	case DATA_CR:
		c->state = DATA_LF;
		return ch == '\r' ? 0 : 400;
	case DATA_LF:
		c->state = SIZE;
		c->digits = 0;
		return ch == '\n' ? 0 : 400;
	case TRAILER: /* the start of a line */
		c->state = TRAILER_LINE;
		return skip_byte(c, ch, LAST_LF);
	case TRAILER_LINE:
		return skip_byte(c, ch, TRAILER_LF);
	case TRAILER_LF:
		c->state = TRAILER;
		return ch == '\n' ? 0 : 400;
	default:
		return ch == '\n' ? 1 : 400;
	}
}

int
http_chunks_feed(struct http_chunks *c, const char *data, size_t len, size_t *used,
    struct buf *body, size_t limit)
{
	size_t i = 0;
	int r = 0;

	while (i < len && r == 0) {
		size_t n = len - i;

		if (c->state != DATA) {
			r = frame_byte(c, data[i++]);
			if (r == 0 && c->left > limit - body->len)
				r = 413;
			continue;
		}
		if (n > c->left)
			n = (size_t)c->left;
		buf_add(body, data + i, n);
		i += n;
		c->left -= n;
		if (c->left == 0)
			c->state = DATA_CR;
	}
	*used = i;
	return r;
}
