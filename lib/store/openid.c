/*
 * What others need to check our tokens: OpenID Connect Discovery 1.0 (section 3), and the keys
 * (RFC 7517).
 */
#include <string.h>
#include <strings.h>

#include "base/jsonl.h"
#include "base/mem.h"
#include "store/call.h"

/* Is `type` one that the Accept header takes? */
static bool
accepted(struct call *c, const char *type)
{
	const char *accept = http_header(c->x, "Accept");
	size_t n = strlen(type);

	if (!accept || !*accept)
		return true;
	while (*accept) {
		size_t len, word;

		accept += strspn(accept, " \t,");
		len = strcspn(accept, ",");
		word = strcspn(accept, ";, \t");
		if ((word == n && strncasecmp(accept, type, n) == 0) ||
		    (word == 3 && strncmp(accept, "*/*", 3) == 0) ||
		    (word == 13 && strncasecmp(accept, "application/*", 13) == 0))
			return true;
		accept += len;
	}
	return false;
}

static void
refuse(struct call *c, const char *type)
{
	autofree char *msg =
	    xasprintf("406: Not Acceptable\n\nAvailable representations: %s", type);

	reply_status(c, 406, "NotAcceptable", msg, json_object());
}

static void
answer(struct call *c, const char *type, json_t *v)
{
	autobuf struct buf b = BUF_INIT;

	json_add(&b, v);
	json_decref(v);
	c->cacheable = true;
	reply_text(c, 200, type, b.data);
}

static json_t *
configuration(struct server *s)
{
	autofree char *keys = xasprintf("%s/openid/v1/jwks", s->url ? s->url : "");

	return json_pack("{s:s,s:s,s:[s],s:[s],s:[s]}", "issuer", issuer_url(s->issuer), "jwks_uri",
	    keys, "response_types_supported", "id_token", "subject_types_supported", "public",
	    "id_token_signing_alg_values_supported", jwt_algorithm(issuer_keys(s->issuer)));
}

void
openid_handle(struct call *c)
{
	bool keys = strncmp(c->req->path, "/openid/", 8) == 0;
	const char *type = keys ? "application/jwk-set+json" : "application/json";

	if (!c->server->issuer)
		reply_text(c, 404, "text/plain; charset=utf-8", "404 page not found\n");
	else if (!accepted(c, type))
		refuse(c, type);
	else
		answer(c, type,
		    keys ? jwt_key_set(issuer_keys(c->server->issuer)) : configuration(c->server));
}
