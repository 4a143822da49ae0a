#ifndef ORCH_CLIENT_TUNNEL_H
#define ORCH_CLIENT_TUNNEL_H

#include "base/websocket.h"
#include "client/client.h"

/*
 * A WebSocket to a path of the API, with the client's server and credentials: both ways at once.
 * Opening may wait; after that nothing does.
 */
struct tunnel;

/* protocols: the subprotocols to offer, the best first, ended by NULL.  A refusal is the error the
 * server's answer says. */
int tunnel_open(struct client *c, const char *path, const char *const *protocols,
    struct tunnel **ret, struct err *err);
void tunnel_close(struct tunnel *t); /* says good-bye, if it can at once; accepts NULL */
const char *tunnel_protocol(const struct tunnel *t); /* the one that the server chose */

/* For poll(): but first tunnel_next() until it returns 0, for TLS may hold bytes back. */
int tunnel_fd(const struct tunnel *t);
short tunnel_events(const struct tunnel *t);

/* 1: a message of data, borrowed until the next call; 0: none is there now; -1: the connection has
 * ended, err says how (GONE when the peer said good-bye in the normal way). */
int tunnel_next(struct tunnel *t, struct websocket_message *ret, struct err *err);

/* One binary message: `channel` (-1: none) and the data.  What cannot be sent now waits. */
void tunnel_send(struct tunnel *t, int channel, const void *data, size_t len);
size_t tunnel_waiting(const struct tunnel *t); /* bytes: slow down when they are many */
int tunnel_flush(struct tunnel *t, struct err *err);

#endif
