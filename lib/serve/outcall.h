#ifndef ORCH_SERVE_OUTCALL_H
#define ORCH_SERVE_OUTCALL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * A request that the server itself makes, of a webhook or of another API server: HTTP/1.1 with or
 * without TLS, by libcurl.  It blocks: never call it on an event loop or where others wait.
 *
 * Any number of threads may call at a time.  Connections are kept for the next call that has the
 * same server, address, authorities and certificate, and for no other.  Redirects are answers like
 * any other.
 */
struct outcall {
	const char *method; /* "POST" */
	const char *url;
	/* "10.0.0.1:443", "[fd00::1]:443": dialled in place of the URL's host and through no proxy;
	 * the name of the server, for TLS too, stays the URL's.  NULL: none. */
	const char *connect;
	const char *ca;		/* authorities in PEM, these alone; NULL: the system's */
	bool insecure;		/* whoever answers is believed */
	const char *cert, *key; /* in PEM: as whom it calls; NULL: as nobody */
	const char *content_type, *accept;
	const void *body; /* NULL: none */
	size_t len;
	const char *const *headers; /* "Name: value", NULL-terminated; NULL: none */
	int timeout_ms;		    /* for all of it; 0: 30 seconds */
	size_t most;		    /* the longest answer that is taken; 0: 16 MiB */
	const _Atomic bool *stop;   /* once it is true, the call is given up; NULL: never */
};

/*
 * 0 and the status with what was answered (appended to reply), whatever the status is.  Otherwise
 * the message is the method, the URL and the cause in the words of Go's client, which clients of
 * Kubernetes know: `Post "https://10.0.0.1:443/convert": dial tcp 10.0.0.1:443: connect: connection
 * refused`.  The code is TIMEOUT when time ran out, UNAUTHORIZED when the server's certificate is
 * not to be trusted, TOO_LARGE for an answer that is too long, BAD_REQUEST for an URL that is none,
 * UNAVAILABLE for the rest.
 */
int outcall(const struct outcall *o, int *status, struct buf *reply, struct err *err);

/* Close the connections that are kept; at the end. */
void outcall_forget(void);

#endif
