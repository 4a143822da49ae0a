#ifndef ORCH_SERVE_WEBSOCKET_H
#define ORCH_SERVE_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "serve/http.h"

/*
 * The server's side of WebSocket (RFC 6455), pure: bytes in, messages out, and the frames to be
 * sent.  Extensions are never agreed on.
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

/* --- the handshake ------------------------------------------------------------ */

/* A subprotocol that begins so is no protocol: behind it stands a token, as a browser, which cannot
 * set headers, sends it. */
#define WEBSOCKET_BEARER "base64url.bearer.authorization.k8s.io."

/* Does the request ask for a WebSocket, in version 13 and with a key (section 4.2.1)? */
bool websocket_asked(const struct http_exchange *x);
/* The first of the client's subprotocols that is among ours (ended by NULL); NULL when none is. */
const char *websocket_protocol(const struct http_exchange *x, const char *const *ours);
/* The whole head of the 101 that accepts it; protocol may be NULL.  New. */
char *websocket_accept(const struct http_exchange *x, const char *protocol);

/* --- what comes ---------------------------------------------------------------- */

struct websocket {
	size_t limit; /* of a message; set by the owner */
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
 * close with: the client breaks the protocol (also by not masking, section 5.1). */
int websocket_next(struct websocket *w, struct websocket_message *ret);

/* --- what goes ------------------------------------------------------------------ */

/* One whole message as one frame; the head may be split from the data: `more` bytes follow. */
void websocket_frame(struct buf *out, enum websocket_opcode opcode, const void *data, size_t len);
void websocket_frame_head(struct buf *out, enum websocket_opcode opcode, size_t more);
void websocket_close_frame(struct buf *out, int code, const char *why);

#endif
