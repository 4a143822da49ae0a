/* The frames of WebSocket (RFC 6455). */
#include "base/websocket.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/mem.h"

enum { FIN = 0x80, RESERVED = 0x70, MASKED = 0x80, CONTROL_MAX = 125, NO_CODE = 1005 };

/* --- what comes ---------------------------------------------------------------- */

void
websocket_release(struct websocket *w)
{
	buf_release(&w->in);
	buf_release(&w->message);
}

void
websocket_feed(struct websocket *w, const void *data, size_t len)
{
	if (w->at > 0) { /* what was given out is not needed any more */
		memmove(w->in.data, w->in.data + w->at, w->in.len - w->at);
		w->in.len -= w->at;
		w->at = 0;
	}
	buf_add(&w->in, data, len);
}

struct frame {
	int opcode;
	bool fin;
	size_t head; /* bytes before the payload */
	uint64_t len;
	unsigned char mask[4];
};

/* 1: the head is there, 0: more is needed, else a code. */
static int
frame_head(const struct websocket *w, struct frame *f)
{
	const unsigned char *p = (const unsigned char *)w->in.data + w->at;
	size_t have = w->in.len - w->at, extra;

	if (have < 2)
		return 0;
	f->fin = p[0] & FIN;
	f->opcode = p[0] & 15;
	f->len = p[1] & 127;
	extra = f->len == 127 ? 8 : f->len == 126 ? 2 : 0;
	if ((p[0] & RESERVED) || !(p[1] & MASKED) != w->client)
		return -WS_PROTOCOL;
	f->head = 2 + extra + (w->client ? 0 : 4);
	if (have < f->head)
		return 0;
	if (extra)
		f->len = 0;
	for (size_t i = 0; i < extra; i++)
		f->len = f->len << 8 | p[2 + i];
	if (!w->client)
		memcpy(f->mask, p + 2 + extra, 4);
	return 1;
}

/* Sections 5.4 and 5.5: which frames may follow which. */
static int
check(const struct websocket *w, const struct frame *f)
{
	bool control = f->opcode & 8;

	if (f->opcode > WS_PONG || (f->opcode > WS_BINARY && f->opcode < WS_CLOSE))
		return -WS_PROTOCOL;
	if (control && (!f->fin || f->len > CONTROL_MAX))
		return -WS_PROTOCOL;
	if (!control && (f->opcode == WS_CONTINUATION) != (w->opcode != 0))
		return -WS_PROTOCOL;
	if (!control && (f->len > w->limit || w->message.len + f->len > w->limit))
		return -WS_TOO_BIG;
	return 0;
}

static int
closing(struct websocket_message *m)
{
	const unsigned char *p = (const unsigned char *)m->data;

	m->code = NO_CODE;
	if (m->len == 1)
		return -WS_PROTOCOL;
	if (m->len >= 2) {
		m->code = p[0] << 8 | p[1];
		m->data += 2;
		m->len -= 2;
	}
	return 1;
}

int
websocket_next(struct websocket *w, struct websocket_message *m)
{
	for (;;) {
		struct frame f;
		char *data;
		int r = frame_head(w, &f);

		if (r > 0 && (r = check(w, &f)) == 0)
			r = w->in.len - w->at - f.head >= f.len;
		if (r <= 0)
			return r;
		data = w->in.data + w->at + f.head;
		for (size_t i = 0; i < f.len && !w->client; i++)
			data[i] = (char)(data[i] ^ f.mask[i & 3]);
		w->at += f.head + (size_t)f.len;
		*m = (struct websocket_message){ (enum websocket_opcode)f.opcode, data,
			(size_t)f.len, 0 };
		if (f.opcode == WS_CLOSE)
			return closing(m);
		if (f.opcode & 8)
			return 1;
		if (f.opcode != WS_CONTINUATION) {
			if (f.fin)
				return 1; /* the usual case: nothing to put together */
			w->opcode = f.opcode;
			buf_clear(&w->message);
		}
		buf_add(&w->message, data, (size_t)f.len);
		if (!f.fin)
			continue;
		*m = (struct websocket_message){ (enum websocket_opcode)w->opcode, w->message.data,
			w->message.len, 0 };
		w->opcode = 0;
		w->message.len = 0; /* the bytes stay until the next part comes */
		return 1;
	}
}

/* --- what goes ------------------------------------------------------------------ */

void
websocket_frame_head(struct buf *out, enum websocket_opcode opcode, size_t len)
{
	unsigned char head[10] = { (unsigned char)(FIN | opcode) };
	size_t n = 2, bytes = len > 65535 ? 8 : len > CONTROL_MAX ? 2 : 0;

	head[1] = bytes == 8 ? 127 : bytes == 2 ? 126 : (unsigned char)len;
	for (size_t i = 0; i < bytes; i++)
		head[n++] = (unsigned char)((uint64_t)len >> (8 * (bytes - 1 - i)));
	buf_add(out, head, n);
}

void
websocket_frame(struct buf *out, enum websocket_opcode opcode, const void *data, size_t len)
{
	websocket_frame_head(out, opcode, len);
	buf_add(out, data, len);
}

void
websocket_close_frame(struct buf *out, int code, const char *why)
{
	size_t n = strlen(why) > CONTROL_MAX - 2 ? CONTROL_MAX - 2 : strlen(why);
	unsigned char two[2] = { (unsigned char)(code >> 8), (unsigned char)code };

	websocket_frame_head(out, WS_CLOSE, 2 + n);
	buf_add(out, two, 2);
	buf_add(out, why, n);
}

void
websocket_masked(struct buf *out, enum websocket_opcode opcode, const void *head, size_t nhead,
    const void *data, size_t len)
{
	size_t begun = out->len, at;
	unsigned char mask[4];

	if (getrandom(mask, sizeof mask, 0) != sizeof mask)
		abort();
	websocket_frame_head(out, opcode, nhead + len);
	out->data[begun + 1] = (char)(out->data[begun + 1] | MASKED);
	buf_add(out, mask, sizeof mask);
	at = out->len;
	buf_add(out, head, nhead);
	buf_add(out, data, len);
	for (size_t i = 0; i < nhead + len; i++)
		out->data[at + i] = (char)(out->data[at + i] ^ mask[i & 3]);
}

/* --- of the handshake ------------------------------------------------------------ */

char *
websocket_answer(const char *key)
{
	autofree char *joined = xasprintf("%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	unsigned char hash[20];

	if (gnutls_hash_fast(GNUTLS_DIG_SHA1, joined, strlen(joined), hash) < 0)
		abort();
	return bytes_encode(hash, sizeof hash);
}
