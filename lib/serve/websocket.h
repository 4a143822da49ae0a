#ifndef ORCH_SERVE_WEBSOCKET_H
#define ORCH_SERVE_WEBSOCKET_H

#include <stdbool.h>

#include "base/websocket.h"
#include "serve/http.h"

/* The server's side of WebSocket's handshake (RFC 6455, section 4.2). */

/* A subprotocol that begins so is no protocol: behind it stands a token, as a browser, which cannot
 * set headers, sends it. */
#define WEBSOCKET_BEARER "base64url.bearer.authorization.k8s.io."

/* Does the request ask for a WebSocket, in version 13 and with a key (section 4.2.1)? */
bool websocket_asked(const struct http_exchange *x);
/* The first of the client's subprotocols that is among ours (ended by NULL); NULL when none is. */
const char *websocket_protocol(const struct http_exchange *x, const char *const *ours);
/* The whole head of the 101 that accepts it; protocol may be NULL.  New. */
char *websocket_accept(const struct http_exchange *x, const char *protocol);

#endif
