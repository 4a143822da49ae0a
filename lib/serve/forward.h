#ifndef ORCH_SERVE_FORWARD_H
#define ORCH_SERVE_FORWARD_H

#include "serve/duplex.h"
#include "serve/http.h"

/*
 * Pass a request on to another HTTP server, and its answer back: a reverse proxy for one request.
 * When both sides want it the connection becomes a tunnel (Upgrade, RFC 9110 section 7.8); in any
 * other case nothing but the one request reaches the other server, whatever the client sends behind
 * it.
 *
 * Not passed on: what is about the connection (RFC 9110 section 7.6.1), Authorization and
 * Impersonate-*, and a token in Sec-WebSocket-Protocol: the other server is not to act as the
 * client.
 */
struct forward {
	const char *host;
	int port;
	const struct duplex_tls *tls; /* NULL: plain */
	const char *target;	      /* path and query, as they are to be sent */
	const char *header;	      /* one more line without its end, or NULL */
	/* An answer of ours, when there is no other: new JSON for this status and cause. */
	char *(*words)(int status, const char *message);
	int status;	     /* of that answer, when the server cannot be reached */
	const char *context; /* put before the cause, or NULL */
};

/* Answers the request and ends it; everything in f is copied. */
void http_forward(struct http_exchange *x, const struct forward *f);

/* Does the request ask for an Upgrade to a protocol? */
bool http_upgrades(const struct http_exchange *x);

#endif
