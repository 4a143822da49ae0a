#include "store/gzip.h"

#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"

enum { GZIP_WINDOW = 15 + 16, CHUNK = 64 * 1024 };

/* "gzip", "x;q=1, gzip;q=0.5", but not "gzip;q=0" (RFC 9110, 12.5.3). */
bool
gzip_accepted(const struct http_exchange *x)
{
	const char *s = http_header(x, "Accept-Encoding");

	while (s && *s) {
		size_t n, name;

		s += strspn(s, " \t,");
		n = strcspn(s, ",");
		name = strcspn(s, ";, \t");
		if (name == 4 && strncasecmp(s, "gzip", 4) == 0) {
			const char *q = memmem(s, n, "q=", 2);

			return !q || strtod(q + 2, NULL) > 0;
		}
		s += n;
	}
	return false;
}

static void
feed(z_stream *z, struct buf *out, int flush)
{
	do {
		buf_reserve(out, CHUNK);
		z->next_out = (unsigned char *)out->data + out->len;
		z->avail_out = CHUNK;
		if (deflate(z, flush) == Z_STREAM_ERROR)
			abort(); /* only a spoilt z_stream does that */
		out->len += CHUNK - z->avail_out;
	} while (z->avail_out == 0);
}

struct bytes *
gzip_pack(struct bytes *const *parts, size_t n, int level)
{
	autobuf struct buf out = BUF_INIT;
	z_stream z = { 0 };

	if (deflateInit2(&z, level, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort(); /* out of memory */
	for (size_t i = 0; i < n; i++) {
		z.next_in = (unsigned char *)parts[i]->data;
		z.avail_in = (unsigned)parts[i]->len;
		feed(&z, &out, Z_NO_FLUSH);
	}
	feed(&z, &out, Z_FINISH);
	deflateEnd(&z);
	return bytes_new(out.data, out.len);
}

struct bytes *
gzip_unpack(const struct bytes *packed, size_t len)
{
	struct bytes *out = bytes_alloc(len);
	z_stream z = { .next_in = (unsigned char *)packed->data,
		.avail_in = (unsigned)packed->len,
		.next_out = (unsigned char *)out->data,
		.avail_out = (unsigned)len };

	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		abort();
	inflate(&z, Z_FINISH);
	inflateEnd(&z);
	return out;
}
