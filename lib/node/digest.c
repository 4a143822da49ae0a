#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/digest.h"

void
digest_init(struct digest *d)
{
	gnutls_hash_hd_t hash;

	if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) < 0)
		abort(); /* sha256 is always there; only memory can fail */
	d->hash = hash;
}

void
digest_add(struct digest *d, const void *data, size_t len)
{
	if (gnutls_hash(d->hash, data, len) < 0)
		abort();
}

const char *
digest_end(struct digest *d, char buf[static DIGEST_TEXT])
{
	unsigned char raw[32];
	int n = snprintf(buf, DIGEST_TEXT, "sha256:");

	gnutls_hash_deinit(d->hash, raw);
	d->hash = NULL;
	for (size_t i = 0; i < sizeof raw; i++)
		n += snprintf(buf + n, DIGEST_TEXT - (size_t)n, "%02x", raw[i]);
	return buf;
}

const char *
digest_of(const void *data, size_t len, char buf[static DIGEST_TEXT])
{
	struct digest d;

	digest_init(&d);
	digest_add(&d, data, len);
	return digest_end(&d, buf);
}

bool
digest_valid(const char *text)
{
	return strncmp(text, "sha256:", 7) == 0 && strlen(text) == 71 &&
	       strspn(text + 7, "0123456789abcdef") == 64;
}

const char *
digest_hex(const char *text)
{
	return text + 7;
}
