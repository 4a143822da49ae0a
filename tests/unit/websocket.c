/* WebSocket frames as a server takes them: RFC 6455, sections 5 and 7. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/websocket.h"

#define CHECK(cond)                                                                \
	do {                                                                       \
		if (!(cond)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			exit(1);                                                   \
		}                                                                  \
	} while (0)

/* A masked frame as a client sends it. */
static void
frame(struct buf *b, int first, const char *data, size_t len)
{
	static const unsigned char mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	size_t at = b->len;

	buf_putc(b, (char)first);
	websocket_frame_head(b, WS_TEXT, len);
	memmove(b->data + at + 1, b->data + at + 2, b->len - at - 2); /* the length alone */
	b->len--;
	b->data[at + 1] = (char)(b->data[at + 1] | 0x80);
	buf_add(b, mask, 4);
	for (size_t i = 0; i < len; i++)
		buf_putc(b, (char)(data[i] ^ mask[i & 3]));
}

static void
one(int first, const char *data, size_t len, int want, int opcode)
{
	struct websocket w = { .limit = 1 << 20 };
	struct websocket_message m;
	struct buf b = BUF_INIT;
	int r = 0;

	frame(&b, first, data, len);
	for (size_t i = 0; i < b.len && r == 0; i++) { /* byte by byte: nothing too early */
		r = websocket_next(&w, &m);
		CHECK(r == 0);
		websocket_feed(&w, b.data + i, 1);
		r = i + 1 < b.len && want == 1 ? 0 : websocket_next(&w, &m);
	}
	CHECK(r == want);
	if (want == 1) {
		CHECK((int)m.opcode == opcode && m.len == len && memcmp(m.data, data, len) == 0);
		CHECK(websocket_next(&w, &m) == 0);
	}
	buf_release(&b);
	websocket_release(&w);
}

static void
fragments(void)
{
	struct websocket w = { .limit = 10 };
	struct websocket_message m;
	struct buf b = BUF_INIT;

	frame(&b, 0x01, "Hel", 3);
	frame(&b, 0x89, "ping", 4); /* between the parts of a message: section 5.4 */
	frame(&b, 0x00, "lo", 2);
	frame(&b, 0x80, "!", 1);
	frame(&b, 0x88, "\x03\xe8so", 4);
	websocket_feed(&w, b.data, b.len);
	CHECK(websocket_next(&w, &m) == 1 && m.opcode == WS_PING && m.len == 4);
	CHECK(websocket_next(&w, &m) == 1 && m.opcode == WS_TEXT && m.len == 6 &&
	      memcmp(m.data, "Hello!", 6) == 0);
	CHECK(websocket_next(&w, &m) == 1 && m.opcode == WS_CLOSE && m.code == 1000 && m.len == 2);
	buf_clear(&b);
	frame(&b, 0x01, "12345678", 8);
	frame(&b, 0x80, "901", 3);
	websocket_feed(&w, b.data, b.len);
	CHECK(websocket_next(&w, &m) == -WS_TOO_BIG);
	buf_release(&b);
	websocket_release(&w);
}

static void
unmasked(void)
{
	struct websocket w = { .limit = 10 };
	struct websocket_message m;

	websocket_feed(&w, "\x81\x05Hello", 7);
	CHECK(websocket_next(&w, &m) == -WS_PROTOCOL);
	websocket_release(&w);
}

static void
sent(size_t len, const char *head, size_t nhead)
{
	struct buf b = BUF_INIT;
	char *data = xcalloc(len + 1, 1);

	websocket_frame(&b, WS_BINARY, data, len);
	CHECK(b.len == len + nhead && memcmp(b.data, head, nhead) == 0);
	free(data);
	buf_release(&b);
}

int
main(void)
{
	static char big[70000];

	one(0x81, "Hello", 5, 1, WS_TEXT);
	one(0x82, "", 0, 1, WS_BINARY);
	one(0x82, big, 125, 1, WS_BINARY);
	one(0x82, big, 126, 1, WS_BINARY);
	one(0x82, big, 65535, 1, WS_BINARY);
	one(0x82, big, 65536, 1, WS_BINARY);
	one(0x8a, "x", 1, 1, WS_PONG);
	one(0x83, "x", 1, -WS_PROTOCOL, 0); /* no such opcode */
	one(0x8b, "x", 1, -WS_PROTOCOL, 0);
	one(0xc1, "x", 1, -WS_PROTOCOL, 0);   /* a reserved bit */
	one(0x80, "x", 1, -WS_PROTOCOL, 0);   /* continues nothing */
	one(0x09, "x", 1, -WS_PROTOCOL, 0);   /* a control frame in parts */
	one(0x89, big, 126, -WS_PROTOCOL, 0); /* and a long one */
	one(0x88, "x", 1, -WS_PROTOCOL, 0);   /* half a code */
	fragments();
	unmasked();
	sent(0, "\x82\x00", 2);
	sent(125, "\x82\x7d", 2);
	sent(126, "\x82\x7e\x00\x7e", 4);
	sent(65535, "\x82\x7e\xff\xff", 4);
	sent(65536, "\x82\x7f\0\0\0\0\0\1\0\0", 10);
	return 0;
}
