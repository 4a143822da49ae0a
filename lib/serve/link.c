/* Messages over a connection, bare or in WebSocket frames. */
#include "serve/link.h"

#include <errno.h>

#include "base/mem.h"

enum { MESSAGE = 1 << 20, PART = 32768, WRITE_SECONDS = 60 };

void
link_init(struct link *l, struct duplex *d, bool framed)
{
	*l = (struct link){ .d = d, .framed = framed, .ws = { .limit = MESSAGE } };
}

void
link_release(struct link *l)
{
	websocket_release(&l->ws);
}

static int
send_close(struct link *l, int code)
{
	autobuf struct buf b = BUF_INIT;

	if (l->said_goodbye)
		return -1;
	l->said_goodbye = true;
	websocket_close_frame(&b, code, "");
	return duplex_write_all(l->d, b.data, b.len, WRITE_SECONDS);
}

/* What the frames that are there say: 1 a message, 0 nothing yet, -1 the end. */
static int
next_message(struct link *l, const char **data, size_t *len)
{
	struct websocket_message m;
	int r;

	while ((r = websocket_next(&l->ws, &m)) > 0) {
		autobuf struct buf b = BUF_INIT;

		if (m.opcode == WS_TEXT || m.opcode == WS_BINARY) {
			*data = m.data;
			*len = m.len;
			return 1;
		}
		if (m.opcode == WS_CLOSE) {
			send_close(l, WS_NORMAL);
			return -1;
		}
		if (m.opcode == WS_PING) {
			websocket_frame(&b, WS_PONG, m.data, m.len);
			if (duplex_write_all(l->d, b.data, b.len, WRITE_SECONDS) < 0)
				return -1;
		}
	}
	if (r < 0)
		send_close(l, -r);
	return r < 0 ? -1 : 0;
}

int
link_read(struct link *l, const char **data, size_t *len)
{
	static _Thread_local char part[PART];
	ssize_t n;
	int r;

	for (;;) {
		if (l->framed && (r = next_message(l, data, len)) != 0)
			return r;
		n = duplex_read(l->d, part, sizeof part);
		if (n <= 0)
			return n == -EAGAIN ? 0 : -1;
		if (!l->framed) {
			*data = part;
			*len = (size_t)n;
			return 1;
		}
		websocket_feed(&l->ws, part, (size_t)n);
	}
}

bool
link_ready(const struct link *l)
{
	return duplex_ready(l->d);
}

int
link_write(struct link *l, const void *data, size_t len)
{
	autobuf struct buf b = BUF_INIT;

	if (!l->framed)
		return duplex_write_all(l->d, data, len, WRITE_SECONDS);
	websocket_frame(&b, WS_BINARY, data, len);
	return duplex_write_all(l->d, b.data, b.len, WRITE_SECONDS);
}

void
link_goodbye(struct link *l)
{
	if (l->framed)
		send_close(l, WS_NORMAL);
	duplex_shut(l->d);
}
