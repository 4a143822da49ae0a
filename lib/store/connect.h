#ifndef ORCH_STORE_CONNECT_H
#define ORCH_STORE_CONNECT_H

#include "serve/forward.h"
#include "store/call.h"

/*
 * Subresources that are no part of an object but a way to somebody else: log, exec, attach and
 * portforward of a Pod lead to its node's own server (node_way.c), proxy of a Pod, Service or Node
 * to what listens there (proxy.c).  The request is passed on whole (serve/forward.h), the answer
 * comes back as it is.
 */
bool connects(const struct kind *k, const char *sub);
void connect_handle(struct call *c);

/* Pass the call on; ends it. */
void connect_forward(struct call *c, struct forward *f);

/* A node's server: its address (new), port, and what its key is known by (new, may be NULL).
 * Answers and returns -1 when there is no way to it. */
struct node_server {
	char *address, *pin;
	int port;
};
int node_server_find(struct call *c, const char *node, struct node_server *ret);
void node_server_release(struct node_server *s);
/* As whom the store speaks to it. */
struct duplex_tls node_tls(const struct call *c, const struct node_server *s);

void node_way(struct call *c);	/* log, exec, attach, portforward */
void proxy_way(struct call *c); /* proxy */

#endif
