#ifndef ORCH_SERVE_DUPLEX_H
#define ORCH_SERVE_DUPLEX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * A connection that carries bytes both ways, plain or TLS: one taken from the HTTP server
 * (http_take in http.h), or one dialled.  Non-blocking; one thread at a time uses it.
 */
struct duplex;

/* How to speak TLS to a server. */
struct duplex_tls {
	const char *crt, *key; /* files: who we are */
	/* the server's key: hex of the SHA-256 of its SubjectPublicKeyInfo (RFC 7469, section 2.4);
	 * NULL takes any */
	const char *pin;
	/* Does the server's certificate have to be a good one, by the authorities in `ca` (PEM;
	 * NULL: the system's), for `name`? */
	bool verify;
	const char *ca;
	const char *name; /* also what the server is told (RFC 6066, section 3); NULL: nothing */
};

/*
 * Connect; host is a name or an address, tls NULL is plain.  Refused or out of reach is
 * UNAVAILABLE, in the words "dial tcp HOST:PORT: ..."; a key that is not the pinned one FORBIDDEN;
 * a certificate that is not to be trusted UNAUTHORIZED, "tls: failed to verify certificate: ...".
 */
int duplex_dial(struct duplex **ret, const char *host, int port, const struct duplex_tls *tls,
    double seconds, struct err *err);
/* A socket that is connected already becomes one (plain); the descriptor is taken over. */
struct duplex *duplex_from_fd(int fd);
void duplex_close(struct duplex *d); /* accepts NULL */

/* Bytes read; 0 at the end of the peer's sending; -EAGAIN when there is nothing now; another
 * negative number when the connection is broken. */
ssize_t duplex_read(struct duplex *d, void *data, size_t size);
/* Bytes taken, which may be fewer than len; -EAGAIN, or broken. */
ssize_t duplex_write(struct duplex *d, const void *data, size_t len);
/* All of it, waiting up to `seconds` for each step; 0 or negative. */
int duplex_write_all(struct duplex *d, const void *data, size_t len, double seconds);
/* We send nothing more. */
void duplex_shut(struct duplex *d);

int duplex_fd(const struct duplex *d);	   /* for poll() */
bool duplex_ready(const struct duplex *d); /* can be read without waiting, whatever poll() says */

/* Copy both ways until both have ended, one is broken, or nothing moved for `idle` seconds (0: no
 * limit).  Closes neither. */
void duplex_relay(struct duplex *a, struct duplex *b, double idle);

#endif
