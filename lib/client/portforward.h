#ifndef ORCH_CLIENT_PORTFORWARD_H
#define ORCH_CLIENT_PORTFORWARD_H

#include <jansson.h>

#include "client/client.h"

/*
 * A connection into a pod: the subresource portforward, as SPDY/3.1 in a WebSocket
 * (SPDY/3.1+portforward.k8s.io: Kubernetes 1.31 and later).  Each connection has a WebSocket of its
 * own, so that a slow one is in nobody's way.
 */
struct portforward;

int portforward_open(struct client *c, const char *ns, const char *pod, int port,
    struct portforward **ret, struct err *err);
void portforward_close(struct portforward *p); /* accepts NULL */

/* Carry bytes between a connected socket, which becomes non-blocking, and the pod until both ends
 * have ended, or one is gone. */
int portforward_carry(struct portforward *p, int fd, struct err *err);

/*
 * The number of a port in a pod: a number or a container port's name; of a Service (else NULL) one
 * of its ports, by number or name, whose target it then is.
 */
int portforward_port(
    const json_t *pod, const json_t *service, const char *word, int *ret, struct err *err);

#endif
