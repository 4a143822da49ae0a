#ifndef ORCH_STORE_WATCH_SOCKET_H
#define ORCH_STORE_WATCH_SOCKET_H

#include <stdbool.h>

#include "serve/http.h"

/*
 * A watch over WebSocket, as browsers ask for it: each event is one message, a text or, in
 * protobuf, binary without the length that frames it in a stream.  Pings are answered; all else
 * that the client sends is dropped.
 */
struct watch_socket;

/* Does the request ask for a WebSocket, for whatever?  -1: it does, but its handshake is wrong. */
int watch_socket_asked(const struct http_exchange *x);

/* As http_stream_begin(), send and end: with the same promises about threads and `closed`. */
struct watch_socket *watch_socket_begin(
    struct http_exchange *x, bool binary, void (*closed)(void *arg), void *arg);
size_t watch_socket_send(void *socket, struct bytes *chunk);
void watch_socket_end(void *socket);

#endif
