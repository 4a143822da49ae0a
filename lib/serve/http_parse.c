/*
 * HTTP/1.1 request heads.  Section numbers are RFC 9112's unless another is named.
 */
#include "serve/http_parse.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

/*
 * What a byte may be part of: a token (RFC 9110, 5.6.2), a header's value (RFC 9110, 5.5: visible,
 * space, tab and the old 8-bit bytes), a request target (visible ASCII without '#').
 */
enum { TOKEN = 1, VALUE = 2, TARGET = 4, SIGN = VALUE | TARGET, ANY = TOKEN | VALUE | TARGET };
/* clang-format off */
static const unsigned char classes[256] = {
	['\t'] = VALUE, [' '] = VALUE, ['!'] = ANY, ['"'] = SIGN, ['#'] = TOKEN | VALUE,
	['$' ... '\''] = ANY, ['('] = SIGN, [')'] = SIGN, ['*'] = ANY, ['+'] = ANY, [','] = SIGN,
	['-'] = ANY, ['.'] = ANY, ['/'] = SIGN, ['0' ... '9'] = ANY, [':' ... '@'] = SIGN,
	['A' ... 'Z'] = ANY, ['[' ... ']'] = SIGN, ['^' ... 'z'] = ANY, ['{'] = SIGN, ['|'] = ANY,
	['}'] = SIGN, ['~'] = ANY, [0x80 ... 0xff] = VALUE,
};
/* clang-format on */

static bool
all(const char *p, size_t len, int class)
{
	for (size_t i = 0; i < len; i++)
		if (!(classes[(unsigned char)p[i]] & class))
			return false;
	return len > 0;
}

/* A line ended at s->at - 2.  True when it was the empty one that ends the head. */
static bool
line_end(struct http_scan *s)
{
	bool empty = s->at - 2 == s->line;

	s->line = s->at;
	if (!empty)
		s->lines++;
	else if (s->lines > 0)
		s->end = s->at;
	else
		s->start = s->at; /* 2.2: empty lines before a request are skipped */
	return s->end > 0;
}

int
http_scan(struct http_scan *s, const char *data, size_t len, size_t limit)
{
	while (s->at < len && !s->end) {
		unsigned char c = (unsigned char)data[s->at++];

		if (c == '\n') {
			if (!s->cr)
				return 400; /* 2.2: only CRLF ends a line here */
			s->cr = false;
			if (!line_end(s) && s->lines > HTTP_HEADERS_MAX + 1)
				return 431;
		} else if (s->cr) {
			return 400; /* a CR alone */
		} else if (c == '\r') {
			s->cr = true;
		} else if (!(classes[c] & VALUE)) {
			return 400;
		}
		if (s->lines == 0 && s->at - s->start > HTTP_LINE_MAX)
			return 414;
		if (s->at > limit)
			return 431;
	}
	return 0;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
percent_decode(char *dst, const char *src, size_t len, bool plus)
{
	for (size_t i = 0; i < len; i++) {
		char c = src[i];

		if (c == '%') {
			int hi = i + 2 < len ? hex(src[i + 1]) : -1;
			int lo = i + 2 < len ? hex(src[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return false;
			c = (char)(hi << 4 | lo);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c == '\0')
			return false;
		*dst++ = c;
	}
	*dst = '\0';
	return true;
}

char *
query_value(const char *query, const char *name, size_t nth)
{
	for (const char *p = query; *p != '\0';) {
		size_t len = strcspn(p, "&");
		const char *eq = memchr(p, '=', len);
		size_t klen = eq ? (size_t)(eq - p) : len;
		autofree char *key = xmalloc(klen + 1);

		if (percent_decode(key, p, klen, true) && strcmp(key, name) == 0 && nth-- == 0) {
			size_t vlen = eq ? len - klen - 1 : 0;
			char *value = xmalloc(vlen + 1);

			if (percent_decode(value, p + klen + (eq ? 1 : 0), vlen, true))
				return value;
			free(value);
			return NULL;
		}
		p += len + (p[len] == '&');
	}
	return NULL;
}

/* 3: method SP target SP "HTTP/" DIGIT "." DIGIT, each separated by exactly one space. */
static int
request_line(char *line, size_t len, struct http_head *h)
{
	char *sp = memchr(line, ' ', len), *end = line + len, *target, *sp2;

	if (!sp || !all(line, (size_t)(sp - line), TOKEN))
		return 400;
	*sp = '\0';
	h->method = line;
	target = sp + 1;
	sp2 = memchr(target, ' ', (size_t)(end - target));
	if (!sp2 || !all(target, (size_t)(sp2 - target), TARGET))
		return 400;
	*sp2 = '\0';
	h->target = target;
	sp2++;
	if (end - sp2 != 8 || memcmp(sp2, "HTTP/", 5) != 0 || sp2[6] != '.')
		return 400;
	if (sp2[5] < '0' || sp2[5] > '9' || sp2[7] < '0' || sp2[7] > '9')
		return 400;
	if (sp2[5] != '1')
		return 505;
	h->old = sp2[7] == '0';
	return 0;
}

/* 3.2: origin-form and absolute-form; "*" for OPTIONS.  What stands after the '?' is checked, not
 * decoded. */
static int
request_target(struct http_head *h, char *room)
{
	const char *path = h->target, *query;
	size_t len;

	if (strcmp(h->method, "CONNECT") == 0)
		return 501;
	if (strcmp(path, "*") == 0 && strcmp(h->method, "OPTIONS") == 0) {
		h->path = path;
		h->query = "";
		return 0;
	}
	if (strncasecmp(path, "http://", 7) == 0 || strncasecmp(path, "https://", 8) == 0) {
		path = strchr(path, ':') + 3;
		len = strcspn(path, "/?");
		if (len == 0)
			return 400;
		path += len;
		if (*path != '/' && *path != '\0')
			return 400;
	} else if (*path != '/') {
		return 400;
	}
	len = strcspn(path, "?");
	query = path + len + (path[len] == '?');
	/* the query is decoded once to check it; the path then overwrites it */
	if (!percent_decode(room, query, strlen(query), true) ||
	    !percent_decode(room, path, len, false))
		return 400;
	h->path = *room ? room : "/";
	h->query = query;
	return 0;
}

static int
header_line(char *line, size_t len, struct http_header *ret)
{
	char *colon = memchr(line, ':', len), *end = line + len, *value;

	/* 5.1: no space before the colon; 5.2: a folded line starts with a space, which no name
	 * does */
	if (!colon || !all(line, (size_t)(colon - line), TOKEN))
		return 400;
	*colon = '\0';
	value = colon + 1;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	ret->name = line;
	ret->value = value;
	return 0;
}

/* Whether a comma-separated list holds a word. */
static bool
list_has(const char *list, const char *word)
{
	size_t n = strlen(word);

	while (*list) {
		size_t len;

		list += strspn(list, ", \t");
		len = strcspn(list, ", \t");
		if (len == n && strncasecmp(list, word, n) == 0)
			return true;
		list += len;
	}
	return false;
}

/* 6.2: digits and nothing else.  Too many of them saturate, which no limit allows. */
static int
content_length(const char *s, uint64_t *ret)
{
	uint64_t n = 0;

	if (*s == '\0')
		return 400;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return 400;
		n = n > (UINT64_MAX - 9) / 10 ? UINT64_MAX : n * 10 + (uint64_t)(*s - '0');
	}
	*ret = n;
	return 0;
}

/* 6.1: the only coding known is chunked; it must come last, and no coding at all is fit for
 * HTTP/1.0. */
static int
transfer_encoding(const char *s, struct http_head *h)
{
	size_t n = strlen(s);

	if (h->old)
		return 400;
	h->chunked = strcasecmp(s, "chunked") == 0;
	if (h->chunked)
		return 0;
	return n > 7 && strcasecmp(s + n - 7, "chunked") == 0 && strchr(s, ',') ? 501 : 400;
}

/* RFC 9110, 7.2: a host name or address, perhaps a port; what may not stand in one is refused. */
static bool
host_ok(const char *s)
{
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
			 "-._~%!$&'()*+,;=:[]") == strlen(s);
}

/* What the headers say about framing and the connection. */
struct framing {
	const char *length, *encoding, *host, *expect;
	bool close, twice;
};

static void
once(struct framing *f, const char **slot, const char *value)
{
	f->twice |=
	    *slot != NULL; /* even when both agree: the next reader may take the other one */
	*slot = value;
}

static void
framing_header(struct framing *f, const struct http_header *h)
{
	if (strcasecmp(h->name, "Content-Length") == 0)
		once(f, &f->length, h->value);
	else if (strcasecmp(h->name, "Transfer-Encoding") == 0)
		once(f, &f->encoding, h->value);
	else if (strcasecmp(h->name, "Host") == 0)
		once(f, &f->host, h->value);
	else if (strcasecmp(h->name, "Expect") == 0)
		once(f, &f->expect, h->value);
	else if (strcasecmp(h->name, "Connection") == 0)
		f->close |= list_has(h->value, "close");
}

static int
framing(const struct framing *f, struct http_head *h)
{
	int r = 0;

	if (f->twice || (f->length && f->encoding))
		return 400; /* 6.3: two lengths are how requests are smuggled */
	if ((!f->host && !h->old) || (f->host && !host_ok(f->host)))
		return 400; /* 3.2 */
	if (f->length)
		r = content_length(f->length, &h->length);
	else if (f->encoding)
		r = transfer_encoding(f->encoding, h);
	if (r)
		return r;
	h->close = f->close || h->old;
	if (f->expect && !h->old) {
		if (strcasecmp(f->expect, "100-continue") != 0)
			return 417; /* RFC 9110, 10.1.1 */
		h->expect = h->chunked || h->length > 0;
	}
	return 0;
}

int
http_head_parse(
    char *data, size_t len, struct http_header *headers, char *room, struct http_head *ret)
{
	struct framing f = { 0 };
	char *p = data, *end = data + len, *cr = memchr(data, '\r', len);
	int r;

	memset(ret, 0, sizeof *ret);
	if (!cr)
		return 400;
	if ((r = request_line(p, (size_t)(cr - p), ret)) || (r = request_target(ret, room)))
		return r;
	for (p = cr + 2; p < end && *p != '\r'; p = cr + 2) {
		struct http_header *h = &headers[ret->nheaders];

		cr = memchr(p, '\r', (size_t)(end - p));
		if (!cr)
			return 400;
		if ((r = header_line(p, (size_t)(cr - p), h)))
			return r;
		ret->nheaders++;
		framing_header(&f, h);
	}
	return framing(&f, ret);
}
