#ifndef ORCH_BASE_WEBSOCKET_H
#define ORCH_BASE_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * The frames of WebSocket (RFC 6455), for either side: bytes in, messages out, and the frames to be
 * sent.  Extensions are never agreed on.  The handshake is serve/websocket.h's and
 * client/tunnel.h's.
 */
enum websocket_opcode {
	WS_CONTINUATION = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10
};

/* Status codes of a close frame (section 7.4.1). */
enum { WS_NORMAL = 1000, WS_GOING_AWAY = 1001, WS_PROTOCOL = 1002, WS_TOO_BIG = 1009 };

/* --- what comes ---------------------------------------------------------------- */

struct websocket {
	size_t limit; /* of a message; set by the owner */
	bool client;  /* we are one: what comes is not masked (section 5.1); set by the owner */
	struct buf in, message;
	size_t at;  /* bytes of `in` that are done with */
	int opcode; /* of the message whose parts are coming, 0: none */
};
struct websocket_message {
	enum websocket_opcode opcode; /* never CONTINUATION: messages are put together */
	const char *data;
	size_t len; /* of a CLOSE: what stands behind the code */
	int code;   /* of a CLOSE; 1005 when it had none */
};
void websocket_release(struct websocket *w);
void websocket_feed(struct websocket *w, const void *data, size_t len);
/* 1: a message is there, borrowed until the next call; 0: more is needed; else the negative code to
 * close with: the peer breaks the protocol (also by masking, or not, section 5.1). */
int websocket_next(struct websocket *w, struct websocket_message *ret);

/* --- what goes ------------------------------------------------------------------ */

/* One whole message as one frame; the head may be split from the data: `more` bytes follow. */
void websocket_frame(struct buf *out, enum websocket_opcode opcode, const void *data, size_t len);
void websocket_frame_head(struct buf *out, enum websocket_opcode opcode, size_t more);
void websocket_close_frame(struct buf *out, int code, const char *why);
/* As a client must send them: masked (section 5.3); the message is `head` and then `data`. */
void websocket_masked(struct buf *out, enum websocket_opcode opcode, const void *head, size_t nhead,
    const void *data, size_t len);

/* --- of the handshake ------------------------------------------------------------ */

/* What a server answers to a Sec-WebSocket-Key (section 4.2.2); new. */
char *websocket_answer(const char *key);

#endif
