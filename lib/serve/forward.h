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
 * Not passed on: what is about the connection (RFC 9110 section 7.6.1), Authorization,
 * Impersonate-*, X-Remote-*, what `drops` names, and a token in Sec-WebSocket-Protocol: the other
 * server is not to act as the client, nor to believe what only we may say.
 */
struct forward {
	const char *host;
	int port;
	const struct duplex_tls *tls; /* NULL: plain */
	const char *target;	      /* path and query, as they are to be sent */
	const char *header;	  /* more lines, "\r\n" between them but not at the end, or NULL */
	const char *const *drops; /* the beginnings of names of headers, NULL-terminated; or NULL */
	/* An answer of ours, when there is no other: what it says of this status and cause, new;
	 * JSON when it begins with a brace, else text. */
	char *(*words)(int status, const char *message);
	int status;	     /* of that answer, when the server cannot be reached */
	const char *context; /* put before the cause, or NULL */
	int head_seconds;  /* the server's answer must have begun by then, or it is 504; 0: no limit
			    */
	bool no_redirects; /* the server may not send the client elsewhere: 502 */
};

/* Answers the request and ends it; everything in f is copied. */
void http_forward(struct http_exchange *x, const struct forward *f);

/* Does the request ask for an Upgrade to a protocol? */
bool http_upgrades(const struct http_exchange *x);

#endif
