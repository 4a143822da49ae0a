#include "store/page.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "store/gzip.h"

void
page_make(struct page *p, const void *data, size_t len)
{
	struct bytes *whole = bytes_new(data, len);
	unsigned char digest[32];

	gnutls_hash_fast(GNUTLS_DIG_SHA256, data, len, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(p->hash + 2 * i, 3, "%02X", digest[i]);
	p->len = len;
	p->packed = gzip_pack(&whole, 1, 6);
	bytes_unref(whole);
}

void
page_release(struct page *p)
{
	bytes_unref(p->packed);
	*p = (struct page){ 0 };
}

/* Is it one of `"a", W/"b"`, or is anything meant? */
static bool
known(const char *list, const char *etag)
{
	return list && (strstr(list, etag) || strcmp(list, "*") == 0);
}

void
page_reply(struct call *c, const struct page *p, const char *type, bool for_ever)
{
	char etag[80], expires[40];
	time_t year = time(NULL) + 365 * 24 * 3600;
	struct tm tm;
	bool have, packed = p->len >= GZIP_LEAST && gzip_accepted(c->x);
	struct http_header extra[6] = { { "ETag", etag }, { "Vary", "Accept, Accept-Encoding" },
		{ "Cache-Control", for_ever ? "public, immutable" : "no-cache, private" } };
	struct bytes *whole;
	size_t k = 3;

	snprintf(etag, sizeof etag, "\"%s\"", p->hash);
	if (for_ever) {
		strftime(
		    expires, sizeof expires, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&year, &tm));
		extra[k++] = (struct http_header){ "Expires", expires };
	}
	have = known(http_header(c->x, "If-None-Match"), etag);
	if (packed && !have)
		extra[k++] = (struct http_header){ "Content-Encoding", "gzip" };
	metrics_count(c->server->metrics, c->verb, have ? 304 : 200, clock_monotonic() - c->began);
	if (have) {
		http_reply(c->x, 304, NULL, extra, NULL, 0);
	} else {
		whole = packed ? bytes_ref(p->packed) : gzip_unpack(p->packed, p->len);
		http_reply(c->x, 200, type, extra, &whole, 1);
	}
	call_free(c);
}
