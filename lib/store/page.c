#include "store/page.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/gzip.h"

struct page_maker {
	struct gzip *gzip;
	gnutls_hash_hd_t hash;
	size_t len;
};

static void
in_capitals(const unsigned char digest[static 32], char ret[static 65])
{
	for (size_t i = 0; i < 32; i++)
		snprintf(ret + 2 * i, 3, "%02X", digest[i]);
}

void
page_sum(const void *data, size_t len, char ret[static 65])
{
	unsigned char digest[32];

	gnutls_hash_fast(GNUTLS_DIG_SHA256, data, len, digest);
	in_capitals(digest, ret);
}

struct page_maker *
page_begin(void)
{
	struct page_maker *m = xcalloc(1, sizeof *m);

	m->gzip = gzip_new(6);
	if (gnutls_hash_init(&m->hash, GNUTLS_DIG_SHA256) < 0)
		abort(); /* SHA-256 is always there; only memory can fail */
	return m;
}

void
page_add(void *maker, const void *data, size_t len)
{
	struct page_maker *m = maker;

	gzip_add(m->gzip, data, len);
	gnutls_hash(m->hash, data, len);
	m->len += len;
}

void
page_end(struct page_maker *m, struct page *p)
{
	unsigned char digest[32];

	gnutls_hash_deinit(m->hash, digest);
	in_capitals(digest, p->hash);
	p->len = m->len;
	p->packed = gzip_end(m->gzip);
	free(m);
}

void
page_make(struct page *p, const void *data, size_t len)
{
	struct page_maker *m = page_begin();

	page_add(m, data, len);
	page_end(m, p);
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

/* The headers of a page into extra[6]; expires has room for a date. */
static void
headers(struct http_header *extra, const char *etag, bool packed, char *expires)
{
	time_t year = time(NULL) + 365 * 24 * 3600;
	struct tm tm;
	size_t k = 0;

	extra[k++] = (struct http_header){ "ETag", etag };
	extra[k++] = (struct http_header){ "Vary", "Accept, Accept-Encoding" };
	extra[k++] = (struct http_header){ "Cache-Control",
		expires ? "public, immutable" : "no-cache, private" };
	if (expires) {
		strftime(expires, 40, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&year, &tm));
		extra[k++] = (struct http_header){ "Expires", expires };
	}
	if (packed)
		extra[k++] = (struct http_header){ "Content-Encoding", "gzip" };
	extra[k] = (struct http_header){ NULL, NULL };
}

/* Ends the call; whole (taken) is NULL when the client has it. */
static void
give(struct call *c, const char *type, const struct http_header *extra, struct bytes *whole)
{
	int status = whole ? 200 : 304;

	metrics_count(c, status);
	http_reply(c->x, status, whole ? type : NULL, extra, &whole, whole ? 1 : 0);
	call_free(c);
}

void
page_reply(struct call *c, const struct page *p, const char *type, bool for_ever)
{
	char etag[80], expires[40];
	bool have, packed = p->len >= GZIP_LEAST && gzip_accepted(c->x);
	struct http_header extra[6];

	snprintf(etag, sizeof etag, "\"%s\"", p->hash);
	have = known(http_header(c->x, "If-None-Match"), etag);
	headers(extra, etag, packed && !have, for_ever ? expires : NULL);
	give(c, type, extra,
	    have     ? NULL
	    : packed ? bytes_ref(p->packed)
		     : gzip_unpack(p->packed, p->len));
}

void
page_answer(struct call *c, const char *type, const void *data, size_t len)
{
	char etag[80], sum[65];
	bool have, pack = len >= GZIP_LEAST && gzip_accepted(c->x);
	struct bytes *whole = bytes_new(data, len), *packed;
	struct http_header extra[6];

	page_sum(data, len, sum);
	snprintf(etag, sizeof etag, "\"%s\"", sum);
	have = known(http_header(c->x, "If-None-Match"), etag);
	headers(extra, etag, pack && !have, NULL);
	if (pack || have) {
		packed = have ? NULL : gzip_pack(&whole, 1, 1);
		bytes_unref(whole);
		whole = packed;
	}
	give(c, type, extra, whole);
}
