#include "store/gzip.h"

#include <stdlib.h>
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

struct gzip {
	z_stream z;
	struct buf out;
};

struct gzip *
gzip_new(int level)
{
	struct gzip *g = xcalloc(1, sizeof *g);

	if (deflateInit2(&g->z, level, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort(); /* out of memory */
	return g;
}

void
gzip_add(struct gzip *g, const void *data, size_t len)
{
	g->z.next_in = (unsigned char *)data;
	g->z.avail_in = (unsigned)len;
	feed(&g->z, &g->out, Z_NO_FLUSH);
}

struct bytes *
gzip_end(struct gzip *g)
{
	struct bytes *ret;

	feed(&g->z, &g->out, Z_FINISH);
	deflateEnd(&g->z);
	ret = bytes_new(g->out.data, g->out.len);
	buf_release(&g->out);
	free(g);
	return ret;
}

struct bytes *
gzip_pack(struct bytes *const *parts, size_t n, int level)
{
	struct gzip *g = gzip_new(level);

	for (size_t i = 0; i < n; i++)
		gzip_add(g, parts[i]->data, parts[i]->len);
	return gzip_end(g);
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
