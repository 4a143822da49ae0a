#ifndef ORCH_SERVE_LINK_H
#define ORCH_SERVE_LINK_H

#include "serve/duplex.h"
#include "serve/websocket.h"

/*
 * A way for messages over a connection that was taken: the bytes as they are, or each message in a
 * WebSocket frame.  One thread uses it; nothing but link_write() waits.
 */
struct link {
	struct duplex *d; /* borrowed */
	bool framed;	  /* WebSocket */
	struct websocket ws;
	bool said_goodbye;
};
void link_init(struct link *l, struct duplex *d, bool framed);
void link_release(struct link *l);

/* 1: *data and *len are the next message, or some bytes, borrowed until the next call; 0: nothing
 * is there now; -1: the peer has gone. */
int link_read(struct link *l, const char **data, size_t *len);
/* May another link_read() find something without poll() saying so? */
bool link_ready(const struct link *l);
/* One message; 0 or -1. */
int link_write(struct link *l, const void *data, size_t len);
void link_goodbye(struct link *l); /* nothing more: a close frame, and the end of our sending */

#endif
