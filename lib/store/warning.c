/* Warning headers (RFC 9111 no longer has them, Kubernetes does): what the client should know. */
#include <stdlib.h>
#include <string.h>

#include "api/warn.h"
#include "base/mem.h"
#include "store/call.h"

static bool
said(const struct call *c, const char *header)
{
	for (size_t at = 0; at < c->warnings.len; at += strlen(c->warnings.data + at) + 1)
		if (strcmp(c->warnings.data + at, header) == 0)
			return true;
	return false;
}

void
call_warn(struct call *c, const char *text)
{
	autobuf struct buf b = BUF_INIT;

	buf_puts(&b, "299 - \"");
	for (const char *s = text; *s; s++) {
		if (strchr("\"\\", *s))
			buf_putc(&b, '\\');
		if ((unsigned char)*s >= ' ' && *s != 0x7f)
			buf_putc(&b, *s);
	}
	buf_putc(&b, '"');
	if (!said(c, b.data))
		buf_add(&c->warnings, b.data, b.len + 1);
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
