#include "store/token.h"

#include <jansson.h>
#include <string.h>

#include "api/meta.h"
#include "base/buf.h"
#include "base/jsonl.h"
#include "base/mem.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* base64url without padding, RFC 4648 section 5 */
static void
encode(struct buf *out, const unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i += 3) {
		unsigned v = (unsigned)p[i] << 16 | (i + 1 < len ? (unsigned)p[i + 1] << 8 : 0) |
			     (i + 2 < len ? p[i + 2] : 0);

		buf_putc(out, alphabet[v >> 18]);
		buf_putc(out, alphabet[v >> 12 & 63]);
		if (i + 1 < len)
			buf_putc(out, alphabet[v >> 6 & 63]);
		if (i + 2 < len)
			buf_putc(out, alphabet[v & 63]);
	}
}

static bool
decode(struct buf *out, const char *s)
{
	unsigned v = 0;
	int bits = 0;

	for (; *s; s++) {
		const char *at = strchr(alphabet, *s);

		if (!at)
			return false;
		v = v << 6 | (unsigned)(at - alphabet);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			buf_putc(out, (char)(v >> bits & 255));
		}
	}
	return true;
}

static int
invalid(struct err *err, const char *why)
{
	return err_set(
	    err, ERR_BAD_REQUEST, "invalid continue token: continue key is not valid: %s", why);
}

int
token_parse(struct token *t, const char *text, struct err *err)
{
	autobuf struct buf b = BUF_INIT;
	json_error_t e;
	json_t *v;
	int r = 0;

	if (!decode(&b, text))
		return invalid(err, "it is not base64");
	v = json_loadb(b.data ? b.data : "", b.len, 0, &e);
	if (!v)
		return invalid(err, e.text);

	const char *start = text(v, "start"), *slash = strchr(start, '/');
	if (strcmp(text(v, "v"), "meta.k8s.io/v1") != 0)
		r = err_set(err, ERR_BAD_REQUEST,
		    "invalid continue token: continue key is not valid: server does not recognize "
		    "this encoded "
		    "version %s",
		    text(v, "v"));
	else if (!slash || num(json_object_get(v, "rv"), 0) == 0)
		r = invalid(err, "it has no start or no revision");
	else {
		json_int_t rv = num(json_object_get(v, "rv"), 0);

		t->revision = rv > 0 ? (uint64_t)rv : 0;
		t->namespace = xstrndup(start, (size_t)(slash - start));
		t->name = xstrdup(slash + 1);
	}
	json_decref(v);
	return r;
}

void
token_release(struct token *t)
{
	free(t->namespace);
	free(t->name);
}

char *
token_print(const struct token *t)
{
	autobuf struct buf json = BUF_INIT;
	struct buf out = BUF_INIT;
	autofree char *start = xasprintf("%s/%s", t->namespace, t->name);
	json_t *v = json_pack("{s:s,s:I,s:s}", "v", "meta.k8s.io/v1", "rv",
	    t->revision ? (json_int_t)t->revision : -1, "start", start);

	json_add(&json, v);
	json_decref(v);
	encode(&out, (const unsigned char *)json.data, json.len);
	return buf_detach(&out);
}
