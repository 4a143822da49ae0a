/* SPDY/3.1 as a server reads it: large headers, and a ping among the data. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/spdy.h"
#include "serve/streams.h"

#define CHECK(cond, ...)                                                \
	do {                                                            \
		if (!(cond)) {                                          \
			fprintf(stderr, "%s:%d: ", __FILE__, __LINE__); \
			fprintf(stderr, __VA_ARGS__);                   \
			fputc('\n', stderr);                            \
			exit(1);                                        \
		}                                                       \
	} while (0)

static void
put32(struct buf *b, unsigned n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_putc(b, (char)(n >> shift));
}

static void
put_text(struct buf *b, const char *s)
{
	put32(b, (unsigned)strlen(s));
	buf_puts(b, s);
}

/* A SYN_STREAM with these two headers; without the dictionary, which nobody has to use. */
static void
open_stream(struct buf *out, z_stream *z, unsigned stream, const char *type, const char *long_one)
{
	autobuf struct buf plain = BUF_INIT;
	static unsigned char packed[1 << 16];

	put32(&plain, 2);
	put_text(&plain, "padding");
	put_text(&plain, long_one);
	put_text(&plain, "streamtype");
	put_text(&plain, type);
	z->next_in = (Bytef *)plain.data;
	z->avail_in = (uInt)plain.len;
	z->next_out = packed;
	z->avail_out = sizeof packed;
	CHECK(deflate(z, Z_SYNC_FLUSH) == Z_OK && z->avail_out > 0, "deflate");
	put32(out, 0x80030001);
	put32(out, (unsigned)(10 + sizeof packed - z->avail_out));
	put32(out, stream);
	put32(out, 0);
	buf_add(out, "\0\0", 2);
	buf_add(out, packed, sizeof packed - z->avail_out);
}

static void
expect_stream(struct spdy *s, unsigned stream, const char *type, const char *long_one)
{
	autobuf struct buf out = BUF_INIT;
	struct spdy_event e;
	const char *got;

	CHECK(spdy_next(s, &e, &out) == 1 && e.type == SPDY_OPEN && e.stream == stream,
	    "stream %u is not there", stream);
	got = spdy_header(s, "streamtype");
	CHECK(got && strcmp(got, type) == 0, "stream %u: type %s", stream, got ? got : "none");
	got = spdy_header(s, "padding");
	CHECK(got && strcmp(got, long_one) == 0, "stream %u: another header", stream);
}

/* Of any length: a full part of the decompressor's output may leave more behind. */
static void
headers(void)
{
	struct spdy *s = spdy_new();
	autobuf struct buf in = BUF_INIT;
	z_stream z = { 0 };
	unsigned stream = 1;

	CHECK(deflateInit(&z, 9) == Z_OK, "deflate");
	for (size_t len = 4000; len < 4200; len++, stream += 2) {
		autofree char *text = xcalloc(len + 1, 1);

		memset(text, 'x', len);
		buf_clear(&in);
		open_stream(&in, &z, stream, "stdin", text);
		spdy_feed(s, in.data, in.len);
		expect_stream(s, stream, "stdin", text);
	}
	deflateEnd(&z);
	spdy_free(s);
}

/* The answer to a ping is there with the event that comes next. */
static void
ping(void)
{
	static const char frames[] = "\x80\x03\x00\x06\x00\x00\x00\x04\x00\x00\x00\x07"
				     "\x00\x00\x00\x01\x00\x00\x00\x02hi";
	autobuf struct buf out = BUF_INIT;
	struct spdy *s = spdy_new();
	struct spdy_event e;

	spdy_feed(s, frames, sizeof frames - 1);
	CHECK(spdy_next(s, &e, &out) == 1 && e.type == SPDY_DATA && e.len == 2, "no data");
	CHECK(out.len == 12 && memcmp(out.data, frames, 12) == 0, "no answer to a ping");
	spdy_free(s);
}

/* What a client says right behind its last stream's beginning is not lost. */
static void
early(void)
{
	static const char data[] = "\x00\x00\x00\x05\x01\x00\x00\x02hi";
	static const char *const types[] = { "error", "stdout", "stdin" };
	struct streams_plan plan = { .spdy = true,
		.wanted = 1u << STREAM_IN | 1u << STREAM_OUT | 1u << STREAM_STATUS };
	autobuf struct buf in = BUF_INIT;
	struct streams_event e;
	struct duplex *d;
	struct streams *s;
	z_stream z = { 0 };
	int pair[2];

	CHECK(deflateInit(&z, 9) == Z_OK, "deflate");
	for (unsigned i = 0; i < 3; i++)
		open_stream(&in, &z, 1 + 2 * i, types[i], "");
	deflateEnd(&z);
	buf_add(&in, data, sizeof data - 1);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "a pair");
	CHECK(write(pair[0], in.data, in.len) == (ssize_t)in.len, "write");
	d = duplex_from_fd(pair[1]);
	s = streams_open(d, &plan);
	CHECK(s, "the streams are not opened");
	CHECK(streams_next(s, &e) == 1 && e.which == STREAM_IN && e.end && e.len == 2 &&
		  memcmp(e.data, "hi", 2) == 0,
	    "what came early is lost");
	CHECK(streams_next(s, &e) == 0, "something more");
	streams_close(s);
	duplex_close(d);
	close(pair[0]);
}

int
main(void)
{
	early();
	headers();
	ping();
	return 0;
}
