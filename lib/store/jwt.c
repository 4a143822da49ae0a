#include "store/jwt.h"

#include <string.h>

#include "api/meta.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/base64url.h"
#include "store/jwt_key.h"

/* "header.payload.signature" */
struct parts {
	const char *header, *payload, *signature;
	size_t header_len, payload_len, signature_len;
};

static bool
split(const char *token, struct parts *p)
{
	const char *first = strchr(token, '.'), *second = first ? strchr(first + 1, '.') : NULL;

	if (!second || strchr(second + 1, '.') || strlen(token) > JWT_BYTES)
		return false;
	*p = (struct parts){ token, first + 1, second + 1, (size_t)(first - token),
		(size_t)(second - first - 1), strlen(second + 1) };
	return true;
}

/* A part that is a JSON object; new, or NULL. */
static json_t *
object(const char *part, size_t len)
{
	autobuf struct buf b = BUF_INIT;
	char msg[128];
	size_t used;
	json_t *v;

	if (!base64url_decode(&b, part, len) || b.len == 0)
		return NULL;
	if (json_decode(b.data, b.len, &v, &used, msg) != JSON_FINE)
		return NULL;
	if (used == b.len && json_is_object(v))
		return v;
	json_decref(v);
	return NULL;
}

static void
add_part(struct buf *out, const json_t *v)
{
	autofree char *text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);

	base64url_encode(out, text, strlen(text));
}

int
jwt_sign(struct jwt_keys *k, const json_t *claims, char **ret, struct err *err)
{
	json_auto_t *header = json_pack("{s:s,s:s}", "alg", jwt_algorithm(k), "kid", jwt_key_id(k));
	autobuf struct buf token = BUF_INIT, signature = BUF_INIT;
	int r;

	add_part(&token, header);
	buf_putc(&token, '.');
	add_part(&token, claims);
	if ((r = jwt_key_sign(k, token.data, token.len, &signature, err)) < 0)
		return r;
	buf_putc(&token, '.');
	base64url_encode(&token, signature.data, signature.len);
	*ret = buf_detach(&token);
	return 0;
}

json_t *
jwt_peek(const char *token)
{
	struct parts p;

	return split(token, &p) ? object(p.payload, p.payload_len) : NULL;
}

/* RFC 7515, 4.1: what is "crit" must be understood, and we understand no extension. */
static int
check_header(const struct jwt_keys *k, const json_t *header, struct err *err)
{
	const char *kid = text(header, "kid");

	if (!header || json_object_get(header, "crit"))
		return err_set(err, ERR_UNAUTHORIZED, "it is no token");
	if (*kid && strcmp(kid, jwt_key_id(k)) != 0)
		return err_set(err, ERR_UNAUTHORIZED, "invalid signature, no keys found");
	if (strcmp(text(header, "alg"), jwt_algorithm(k)) != 0)
		return err_set(err, ERR_UNAUTHORIZED, "unexpected signature algorithm");
	return 0;
}

int
jwt_verify(struct jwt_keys *k, const char *token, struct err *err)
{
	autobuf struct buf signature = BUF_INIT;
	json_auto_t *header = NULL;
	struct parts p;
	int r;

	if (split(token, &p))
		header = object(p.header, p.header_len);
	if ((r = check_header(k, header, err)) < 0)
		return r;
	if (!base64url_decode(&signature, p.signature, p.signature_len))
		return err_set(err, ERR_UNAUTHORIZED, "it is no token");
	return jwt_key_verify(
	    k, token, p.header_len + 1 + p.payload_len, signature.data, signature.len, err);
}
