/* Any text as a token: it is looked into, and never taken for one of ours. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/base64url.h"
#include "store/issuer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct issuer *
issuer(struct cache **cache)
{
	static struct issuer *one;
	static struct cache *objects;
	char dir[] = "/tmp/orch-fuzz-jwt-XXXXXX", command[64];
	struct err err;

	if (!one) {
		objects = cache_new();
		if (!mkdtemp(dir) || issuer_open(&one, objects, dir, "u", &err) < 0)
			abort();
		snprintf(command, sizeof command, "rm -rf '%s'", dir);
		if (system(command) != 0)
			abort();
	}
	*cache = objects;
	return one;
}

/* What claims say is read even when a signature would have kept it out. */
static void
read_claims(struct cache *cache, const char *text)
{
	json_auto_t *v = jwt_peek(text);
	struct identity *i;
	struct err err;

	if (!v)
		return;
	i = identity_new(cache, v);
	(void)identity_check(i, cache, &err);
	identity_unref(i);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xstrndup((const char *)data, size);
	autobuf struct buf wrapped = BUF_INIT, raw = BUF_INIT, again = BUF_INIT;
	struct identity *i;
	struct cache *cache;
	struct issuer *one = issuer(&cache);
	struct err err;

	if (issuer_check(one, text, NULL, &i, &err) == 0)
		abort();
	read_claims(cache, text);
	/* the same as the claims of a token */
	buf_puts(&wrapped, "e30.");
	base64url_encode(&wrapped, data, size);
	buf_puts(&wrapped, ".e30");
	if (issuer_check(one, wrapped.data, NULL, &i, &err) == 0)
		abort();
	read_claims(cache, wrapped.data);
	if (base64url_decode(&raw, (const char *)data, size)) { /* there is one way to write it */
		base64url_encode(&again, raw.data, raw.len);
		if (again.len != size || (size && memcmp(again.data, data, size) != 0))
			abort();
	}
	return 0;
}
