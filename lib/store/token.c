#include "store/token.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "api/golang.h"
#include "api/meta.h"
#include "base/buf.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "store/base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* As Go does it, which skips line ends: 0, or -1 with where it is wrong in *at. */
static int
decode(struct buf *out, const char *text, size_t *at)
{
	unsigned v = 0;
	int bits = 0;

	for (const char *s = text; *s; s++) {
		const char *digit = strchr(alphabet, *s);

		*at = (size_t)(s - text);
		if (strchr("\r\n", *s))
			continue;
		if (!digit)
			return -1;
		v = v << 6 | (unsigned)(digit - alphabet);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			buf_putc(out, (char)(v >> bits & 255));
		}
	}
	return bits == 6 ? -1 : 0; /* one digit alone is no byte */
}

static int
invalid(struct err *err, const char *why)
{
	return err_set(
	    err, ERR_BAD_REQUEST, "invalid continue token: continue key is not valid: %s", why);
}

/* "v" of a token says how the rest is to be read. */
static int
read_fields(struct token *t, const json_t *v, struct err *err)
{
	const char *start = text(v, "start"), *slash = strchr(start, '/');
	json_int_t rv = num(json_object_get(v, "rv"), 0);
	char why[256];

	if (strcmp(text(v, "v"), "meta.k8s.io/v1") != 0) {
		snprintf(why, sizeof why, "server does not recognize this encoded version %.200s",
		    text(v, "v"));
		return invalid(err, why);
	}
	if (rv == 0)
		return invalid(
		    err, "incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
	if (!*start)
		return invalid(err, "encoded start key empty (version meta.k8s.io/v1)");
	if (!slash || strchr(slash + 1, '/'))
		return err_set(
		    err, ERR_BAD_REQUEST, "invalid continue token: invalid key: %.200s", start);
	t->revision = rv > 0 ? (uint64_t)rv : 0;
	t->namespace = xstrndup(start, (size_t)(slash - start));
	t->name = xstrdup(slash + 1);
	return 0;
}

int
token_parse(struct token *t, const char *text, struct err *err)
{
	autobuf struct buf b = BUF_INIT;
	char why[96];
	json_error_t e;
	size_t at = 0;
	json_t *v;
	int r;

	if (decode(&b, text, &at) < 0) {
		snprintf(why, sizeof why, "illegal base64 data at input byte %zu", at);
		return invalid(err, why);
	}
	buf_putc(&b, '\0');
	b.len--;
	v = json_loadb(b.data, b.len, 0, &e);
	if (!v)
		return invalid(err, go_json_fault(b.data, b.len, why) ? why : e.text);
	r = read_fields(t, v, err);
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
	base64url_encode(&out, json.data, json.len);
	return buf_detach(&out);
}
