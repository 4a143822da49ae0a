/* Tokens: what is signed verifies, and nothing that was touched does. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/base64url.h"
#include "store/issuer.h"

static int failed;

#define CHECK(what, ok)                            \
	do {                                       \
		if (!(ok)) {                       \
			printf("jwt: %s\n", what); \
			failed = 1;                \
		}                                  \
	} while (0)

static void
base64(void)
{
	static const char *const bad[] = { "A", "AB=", "AB==", "A B", "A+", "A/", "AB\n", "B",
		"AAB", "AAAAB", "\xc3\xa9", "AC" };

	for (size_t i = 0; i < COUNT(bad); i++) {
		autobuf struct buf b = BUF_INIT;

		CHECK(bad[i], !base64url_decode(&b, bad[i], strlen(bad[i])));
	}
	for (size_t n = 0; n < 70; n++) {
		autobuf struct buf text = BUF_INIT, back = BUF_INIT;
		unsigned char raw[70];

		for (size_t i = 0; i < n; i++)
			raw[i] = (unsigned char)(i * 37 + n);
		base64url_encode(&text, raw, n);
		CHECK("base64 there and back",
		    base64url_decode(&back, text.len ? text.data : "", text.len) && back.len == n &&
			(n == 0 || memcmp(back.data, raw, n) == 0));
	}
	{
		autobuf struct buf b = BUF_INIT;

		CHECK("a NUL is no digit", !base64url_decode(&b, "AA\0A", 4));
	}
}

/* "header.payload.signature" with a header of one's own */
static char *
forge(const char *header, const char *token)
{
	struct buf b = BUF_INIT;

	base64url_encode(&b, header, strlen(header));
	buf_puts(&b, strchr(token, '.'));
	return buf_detach(&b);
}

static void
hostile(struct jwt_keys *k, struct jwt_keys *other, const char *token)
{
	static const char *const headers[] = { "{\"alg\":\"none\"}", "{\"alg\":\"None\"}",
		"{\"alg\":\"HS256\"}", "{\"alg\":\"RS256\"}", "{\"alg\":\"ES384\"}", "{}", "[]",
		"{\"alg\":[\"ES256\"]}", "{\"alg\":\"ES256\"}",
		"{\"alg\":\"ES256\",\"alg\":\"none\"}", "{\"alg\":\"ES256\",\"crit\":[\"exp\"]}",
		"{\"alg\":\"ES256\"} x", "\xff", "null",
		"{\"alg\":\"ES256\",\"kid\":\"another\"}" };
	size_t len = strlen(token);
	struct err err;

	CHECK("it verifies", jwt_verify(k, token, &err) == 0);
	CHECK("another key", jwt_verify(other, token, &err) == -ERR_UNAUTHORIZED);
	for (size_t i = 0; i < COUNT(headers); i++) {
		autofree char *t = forge(headers[i], token);

		CHECK(headers[i], jwt_verify(k, t, &err) == -ERR_UNAUTHORIZED);
	}
	for (size_t i = 0; i < len; i++) {
		autofree char *t = xstrdup(token);

		t[i] = t[i] == 'A' ? 'B' : 'A';
		CHECK("one letter changed", jwt_verify(k, t, &err) == -ERR_UNAUTHORIZED);
		t[i] = '\0';
		CHECK("cut short", jwt_verify(k, t, &err) == -ERR_UNAUTHORIZED);
	}
	{
		autofree char *t = xasprintf("%s.", token), *u = xasprintf("%sA", token);
		autofree char *huge = xmalloc(JWT_BYTES + len + 2);

		CHECK("four parts", jwt_verify(k, t, &err) == -ERR_UNAUTHORIZED && !jwt_peek(t));
		CHECK("a longer signature", jwt_verify(k, u, &err) == -ERR_UNAUTHORIZED);
		memset(huge, 'A', JWT_BYTES);
		strcpy(huge + JWT_BYTES, token);
		CHECK("huge", jwt_verify(k, huge, &err) == -ERR_UNAUTHORIZED && !jwt_peek(huge));
	}
}

/* What the issuer says of claims that we sign ourselves. */
static const char *
verdict(struct issuer *i, const char *claims, struct err *err)
{
	json_auto_t *v = json_loads(claims, 0, NULL);
	autofree char *token = NULL;
	struct identity *id = NULL;

	if (!v || jwt_sign(issuer_keys(i), v, &token, err) < 0)
		return "cannot sign";
	err->msg[0] = '\0';
	if (issuer_check(i, token, NULL, &id, err) < 0)
		return err->msg;
	identity_unref(id);
	return "good";
}

static void
claims(struct issuer *i)
{
	static const struct {
		const char *claims, *want; /* in claims, %lld is now */
	} t[] = {
		{ "{}", "" },
		{ "{\"iss\":\"other\",\"aud\":\"u\",\"exp\":%lld}", "" },
		{ "{\"iss\":[\"u\"],\"aud\":\"u\",\"exp\":%lld}", "" },
		{ "{\"iss\":\"u\",\"aud\":\"u\",\"exp\":%lld}", "" },
		{ "{\"iss\":\"u\",\"aud\":\"u\",\"exp\":%lld,\"kubernetes.io\":{\"namespace\":"
		  "\"n\","
		  "\"serviceaccount\":{\"name\":\"a\",\"uid\":\"1\"}}}",
		    "serviceaccounts \"a\" not found" },
		{ "{\"iss\":\"u\",\"aud\":\"u\",\"exp\":%lld,\"kubernetes.io\":{\"namespace\":7,"
		  "\"serviceaccount\":\"x\"}}",
		    "serviceaccounts \"\" not found" },
		{ "{\"iss\":\"u\",\"aud\":[\"v\",\"w\"],\"kubernetes.io\":{\"serviceaccount\":{}}}",
		    "token audiences [\"v\" \"w\"] is invalid for the target audiences [\"u\"]" },
		{ "{\"iss\":\"u\",\"aud\":{\"u\":1},\"kubernetes.io\":{\"serviceaccount\":{}}}",
		    "token audiences [] is invalid for the target audiences [\"u\"]" },
		{ "{\"iss\":\"u\",\"aud\":\"u\",\"exp\":1,\"kubernetes.io\":{\"serviceaccount\":{}}"
		  "}",
		    "service account token has expired" },
		{ "{\"iss\":\"u\",\"aud\":\"u\",\"kubernetes.io\":{\"serviceaccount\":{}}}",
		    "service account token has expired" },
		{ "{\"iss\":\"u\",\"aud\":\"u\",\"exp\":%lld,\"nbf\":9e12,\"kubernetes.io\":{"
		  "\"serviceaccount\":{}}}",
		    "service account token is not valid yet" },
		{ "{\"iss\":\"u\",\"aud\":\"u\",\"exp\":%lld,\"iat\":9e12,\"kubernetes.io\":{"
		  "\"serviceaccount\":{}}}",
		    "service account token is issued in the future" },
	};

	for (size_t n = 0; n < COUNT(t); n++) {
		autobuf struct buf b = BUF_INIT;
		const char *at = strstr(t[n].claims, "%lld"), *got;
		struct err err;

		buf_add(&b, t[n].claims, at ? (size_t)(at - t[n].claims) : strlen(t[n].claims));
		if (at)
			buf_printf(&b, "%lld%s", (long long)clock_now() + 60, at + 4);
		for (int again = 0; again < 2; again++) { /* the second time it is remembered */
			got = verdict(i, b.data, &err);
			if (strcmp(got, t[n].want) == 0)
				continue;
			printf("jwt: %s: got '%s', want '%s'\n", b.data, got, t[n].want);
			failed = 1;
		}
	}
}

int
main(void)
{
	char dir[] = "/tmp/orch-jwt-XXXXXX", there[64], command[128];
	json_auto_t *c = json_pack("{s:s,s:i}", "iss", "u", "exp", 5);
	struct cache *cache = cache_new();
	struct jwt_keys *k = NULL, *other = NULL;
	struct issuer *i = NULL;
	autofree char *token = NULL;
	struct err err;

	base64();
	if (!mkdtemp(dir))
		return 1;
	snprintf(there, sizeof there, "%s/other", dir);
	if (jwt_keys_open(&k, dir, &err) < 0 || jwt_keys_open(&other, there, &err) < 0 ||
	    jwt_sign(k, c, &token, &err) < 0 || issuer_open(&i, cache, dir, "u", &err) < 0) {
		printf("jwt: %s\n", err.msg);
		failed = 1;
	} else {
		json_auto_t *peeked = jwt_peek(token);

		CHECK("claims there and back", json_equal(peeked, c));
		hostile(k, other, token);
		claims(i);
	}
	issuer_free(i);
	jwt_keys_free(k);
	jwt_keys_free(other);
	cache_free(cache);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	if (system(command) != 0)
		failed = 1;
	return failed;
}
