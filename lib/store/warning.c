/* Warning headers (RFC 9111 no longer has them, Kubernetes does): what the client should know. */
#include <stdlib.h>
#include <string.h>

#include "api/warn.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/call.h"

/* A client reads so many headers and no more: past TOTAL characters, whole or cut, each warning is
 * cut to ITEM and those that come later are left out. */
enum { TOTAL = 4096, ITEM = 256 };

/* How many bytes the first most characters are; *n: how many those are, at most. */
static size_t
characters(const char *s, size_t most, size_t *n)
{
	size_t len = 0, step;

	for (*n = 0; s[len] && *n < most; ++*n, len += step ? step : 1)
		step = text_utf8(s + len, strlen(s + len));
	return len;
}

/* What a header can carry: UTF-8 without control characters (C0, DEL, C1). */
static bool
fits_header(const char *s)
{
	size_t step;

	for (; *s; s += step) {
		const unsigned char *u = (const unsigned char *)s;

		step = text_utf8(s, strlen(s));
		if (!step || *u < ' ' || *u == 0x7f || (*u == 0xc2 && u[1] < 0xa0))
			return false;
	}
	return true;
}

void
call_warn(struct call *c, const char *text)
{
	size_t whole = 0, cut = 0;

	for (size_t at = 0; at < c->warnings.len; at += strlen(c->warnings.data + at) + 1) {
		const char *has = c->warnings.data + at;
		size_t n;

		if (strcmp(has, text) == 0)
			return;
		characters(has, TOTAL + 1, &n);
		whole += n;
		cut += n < ITEM ? n : ITEM;
	}
	if (*text && fits_header(text) && (whole <= TOTAL || cut < TOTAL))
		buf_add(&c->warnings, text, strlen(text) + 1);
}

size_t
call_warning_headers(const struct call *c, struct buf *values)
{
	size_t n, whole = 0, headers = 0;

	for (size_t at = 0; at < c->warnings.len; at += strlen(c->warnings.data + at) + 1) {
		characters(c->warnings.data + at, TOTAL + 1, &n);
		whole += n;
		headers++;
	}
	for (size_t at = 0; at < c->warnings.len; at += strlen(c->warnings.data + at) + 1) {
		const char *s = c->warnings.data + at;
		size_t len = whole > TOTAL ? characters(s, ITEM, &n) : strlen(s);

		buf_puts(values, "299 - \"");
		for (; len; len--, s++) {
			if (strchr("\"\\", *s))
				buf_putc(values, '\\');
			buf_putc(values, *s);
		}
		buf_add(values, "\"", 2); /* with its NUL */
	}
	return headers;
}

static void
say(struct call *c, struct causes *causes)
{
	for (size_t i = 0; i < causes->n; i++)
		call_warn(c, causes->item[i].message);
	causes_release(causes);
}

void
call_warn_create(struct call *c, const json_t *obj)
{
	struct causes causes = CAUSES_INIT;

	warn_create(c->kind, obj, &causes);
	say(c, &causes);
	if (kind_is(c->kind, "", "Secret"))
		call_warn_secret(c, obj);
}

void
call_warn_update(struct call *c, const json_t *old, const json_t *obj)
{
	struct causes causes = CAUSES_INIT;

	warn_update(c->kind, c->target.sub, obj, old, &causes);
	say(c, &causes);
	if (kind_is(c->kind, "", "Secret"))
		call_warn_secret(c, obj);
}
