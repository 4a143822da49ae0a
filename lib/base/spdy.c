/* SPDY/3.1 for Kubernetes' streams. */
#include "base/spdy.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"

enum { SYN_STREAM = 1, SYN_REPLY, RST_STREAM, SETTINGS, PING = 6, GOAWAY, HEADERS, WINDOW_UPDATE };
enum { FLAG_FIN = 1, HEAD = 8, FRAME_MAX = 1 << 20, HEADERS_MAX = 1 << 16, DICTIONARY = 1423 };

struct spdy {
	bool client;
	struct buf in;
	size_t at;
	z_stream inflate, deflate;
	struct buf headers; /* of the stream opened last: name NUL value NUL ... */
};

/* --- header blocks, 2.6.10 ------------------------------------------------------- */

/* The words of the dictionary, each with its length before it, and what follows them bare. */
static const char *const words[] = { "options", "head", "post", "put", "delete", "trace", "accept",
	"accept-charset", "accept-encoding", "accept-language", "accept-ranges", "age", "allow",
	"authorization", "cache-control", "connection", "content-base", "content-encoding",
	"content-language", "content-length", "content-location", "content-md5", "content-range",
	"content-type", "date", "etag", "expect", "expires", "from", "host", "if-match",
	"if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "last-modified",
	"location", "max-forwards", "pragma", "proxy-authenticate", "proxy-authorization", "range",
	"referer", "retry-after", "server", "te", "trailer", "transfer-encoding", "upgrade",
	"user-agent", "vary", "via", "warning", "www-authenticate", "method", "get", "status",
	"200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin" };
static const char bare[] =
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
    "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
    "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 "
    "Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age="
    "gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

static void
put32(struct buf *b, uint32_t n)
{
	const unsigned char p[4] = { (unsigned char)(n >> 24), (unsigned char)(n >> 16),
		(unsigned char)(n >> 8), (unsigned char)n };

	buf_add(b, p, 4);
}

static uint32_t
get32(const void *data)
{
	const unsigned char *p = data;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
dictionary(struct buf *b)
{
	for (size_t i = 0; i < COUNT(words); i++) {
		put32(b, (uint32_t)strlen(words[i]));
		buf_puts(b, words[i]);
	}
	buf_puts(b, bare);
}

struct spdy *
spdy_new(void)
{
	struct spdy *s = xcalloc(1, sizeof *s);
	autobuf struct buf d = BUF_INIT;

	dictionary(&d);
	if (inflateInit(&s->inflate) != Z_OK ||
	    deflateInit(&s->deflate, Z_DEFAULT_COMPRESSION) != Z_OK ||
	    deflateSetDictionary(&s->deflate, (const Bytef *)d.data, (uInt)d.len) != Z_OK)
		abort();
	return s;
}

struct spdy *
spdy_new_client(void)
{
	struct spdy *s = spdy_new();

	s->client = true;
	return s;
}

void
spdy_free(struct spdy *s)
{
	if (!s)
		return;
	inflateEnd(&s->inflate);
	deflateEnd(&s->deflate);
	buf_release(&s->in);
	buf_release(&s->headers);
	free(s);
}

/* The compressed block of one frame into *out; the compressor goes on over all frames. */
static int
expand(struct spdy *s, const char *data, size_t len, struct buf *out)
{
	z_stream *z = &s->inflate;
	char part[4096];

	z->next_in = (Bytef *)data;
	z->avail_in = (uInt)len;
	z->avail_out = 1;
	/* a full part may have more behind it, though all of the input was taken */
	while (z->avail_in > 0 || z->avail_out == 0) {
		int r;

		z->next_out = (Bytef *)part;
		z->avail_out = sizeof part;
		r = inflate(z, Z_SYNC_FLUSH);
		if (r == Z_NEED_DICT) {
			autobuf struct buf d = BUF_INIT;

			dictionary(&d);
			if (inflateSetDictionary(z, (const Bytef *)d.data, (uInt)d.len) != Z_OK)
				return -1;
			continue;
		}
		if (r != Z_OK && r != Z_BUF_ERROR)
			return -1;
		buf_add(out, part, sizeof part - z->avail_out);
		if (out->len > HEADERS_MAX)
			return -1;
		if (r == Z_BUF_ERROR && z->avail_out == sizeof part)
			break;
	}
	return 0;
}

/* A length and that many bytes, as a string; -1 when they are not there or hold a NUL. */
static int
take_text(const struct buf *b, size_t *at, struct buf *out)
{
	uint32_t len;

	if (b->len - *at < 4)
		return -1;
	len = get32(b->data + *at);
	*at += 4;
	if (len > b->len - *at || memchr(b->data + *at, '\0', len))
		return -1;
	buf_add(out, b->data + *at, len);
	buf_add(out, "", 1);
	*at += len;
	return 0;
}

static int
read_headers(struct spdy *s, const char *data, size_t len)
{
	autobuf struct buf b = BUF_INIT;
	size_t at = 4;
	uint32_t n;

	buf_clear(&s->headers);
	if (expand(s, data, len, &b) < 0 || b.len < 4)
		return -1;
	n = get32(b.data);
	for (uint32_t i = 0; i < n; i++)
		if (take_text(&b, &at, &s->headers) < 0 || take_text(&b, &at, &s->headers) < 0)
			return -1;
	return 0;
}

const char *
spdy_header(const struct spdy *s, const char *name)
{
	const char *p = s->headers.data, *end = p + s->headers.len;

	while (p && p < end) {
		const char *value = p + strlen(p) + 1;

		if (strcmp(p, name) == 0)
			return value;
		p = value + strlen(value) + 1;
	}
	return NULL;
}

/* --- frames in, 2.2 ------------------------------------------------------------------ */

void
spdy_feed(struct spdy *s, const void *data, size_t len)
{
	if (s->at > 0) {
		memmove(s->in.data, s->in.data + s->at, s->in.len - s->at);
		s->in.len -= s->at;
		s->at = 0;
	}
	buf_add(&s->in, data, len);
}

static int
control(struct spdy *s, int type, const char *p, size_t len, struct spdy_event *e, struct buf *out)
{
	switch (type) {
	case SYN_STREAM:
		if (len < 10 || read_headers(s, p + 10, len - 10) < 0)
			return -1;
		e->type = SPDY_OPEN;
		e->stream = get32(p) & 0x7fffffff;
		return 1;
	case HEADERS: /* nobody needs more, but the decompressor must see them */
		return len < 4 || read_headers(s, p + 4, len - 4) < 0 ? -1 : 0;
	case SYN_REPLY: /* a server begins no streams */
		return !s->client || len < 4 || read_headers(s, p + 4, len - 4) < 0 ? -1 : 0;
	case RST_STREAM:
		if (len < 8)
			return -1;
		e->type = SPDY_RESET;
		e->stream = get32(p) & 0x7fffffff;
		return 1;
	case PING:
		if (len < 4)
			return -1;
		if ((get32(p) & 1) != s->client) { /* the peer's own: 2.6.5 */
			buf_add(out, "\x80\x03\x00\x06\x00\x00\x00\x04", HEAD);
			buf_add(out, p, 4);
		}
		return 0;
	case GOAWAY:
		e->type = SPDY_CLOSE;
		return 1;
	default: /* SETTINGS, WINDOW_UPDATE; unknown ones are to be ignored */
		return 0;
	}
}

int
spdy_next(struct spdy *s, struct spdy_event *e, struct buf *out)
{
	for (;;) {
		const char *p = s->in.data + s->at;
		size_t have = s->in.len - s->at, len;
		uint32_t first;
		int r;

		if (have < HEAD)
			return 0;
		first = get32(p);
		len = get32(p + 4) & 0xffffff;
		if (len > FRAME_MAX || ((first >> 31) && (first >> 16 & 0x7fff) != 3))
			return -1;
		if (have < HEAD + len)
			return 0;
		s->at += HEAD + len;
		*e = (struct spdy_event){ .fin = p[4] & FLAG_FIN };
		if (first >> 31) {
			r = control(s, first & 0xffff, p + HEAD, len, e, out);
			if (r)
				return r;
			continue;
		}
		e->type = SPDY_DATA;
		e->stream = first;
		e->data = p + HEAD;
		e->len = len;
		return 1;
	}
}

/* --- frames out ------------------------------------------------------------------------ */

static void
head(struct buf *out, int type, uint32_t len)
{
	put32(out, 0x80030000u | (uint32_t)type);
	put32(out, len);
}

/* The headers of a frame, compressed; the compressor goes on over all frames. */
static void
compress_headers(struct spdy *s, const struct buf *plain, struct buf *out)
{
	z_stream *z = &s->deflate;

	z->next_in = (Bytef *)plain->data;
	z->avail_in = (uInt)plain->len;
	do {
		unsigned char part[512];

		z->next_out = part;
		z->avail_out = sizeof part;
		if (deflate(z, Z_SYNC_FLUSH) == Z_STREAM_ERROR)
			abort();
		buf_add(out, part, sizeof part - z->avail_out);
	} while (z->avail_out == 0);
}

void
spdy_begin(struct spdy *s, struct buf *out, uint32_t stream, const char *const *headers)
{
	autobuf struct buf plain = BUF_INIT, block = BUF_INIT;
	uint32_t n = 0;

	while (headers[2 * n])
		n++;
	put32(&plain, n);
	for (; *headers; headers++) {
		put32(&plain, (uint32_t)strlen(*headers));
		buf_puts(&plain, *headers);
	}
	compress_headers(s, &plain, &block);
	head(out, SYN_STREAM, 10 + (uint32_t)block.len);
	put32(out, stream);
	put32(out, 0);		 /* of no other stream */
	buf_add(out, "\0\0", 2); /* no priority */
	buf_add(out, block.data, block.len);
}

void
spdy_accept(struct spdy *s, struct buf *out, uint32_t stream)
{
	autobuf struct buf plain = BUF_INIT, block = BUF_INIT;

	put32(&plain, 0); /* no headers */
	compress_headers(s, &plain, &block);
	head(out, SYN_REPLY, 4 + (uint32_t)block.len);
	put32(out, stream);
	buf_add(out, block.data, block.len);
}

void
spdy_data(struct buf *out, uint32_t stream, const void *data, size_t len, bool fin)
{
	put32(out, stream);
	put32(out, (fin ? (uint32_t)FLAG_FIN << 24 : 0) | (uint32_t)len);
	buf_add(out, data, len);
}

void
spdy_reset(struct buf *out, uint32_t stream, uint32_t status)
{
	head(out, RST_STREAM, 8);
	put32(out, stream);
	put32(out, status);
}
