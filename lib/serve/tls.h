#ifndef ORCH_SERVE_TLS_H
#define ORCH_SERVE_TLS_H

#include <stddef.h>

#include "base/err.h"

/* TLS for the HTTP server (GnuTLS). */
struct tls;
/* Server credentials out of PEM files: asks for a client certificate and verifies one that is given
 * by the authorities in `ca`. */
int tls_new(struct tls **ret, const char *ca, const char *crt, const char *key, struct err *err);
void tls_free(struct tls *t);
/* Certificates of the authorities in this PEM file are welcome as well, from those who speak for
 * others. */
int tls_front(struct tls *t, const char *ca, struct err *err);

/* A session for a connection just accepted (non-blocking); the caller handshakes and ends it with
 * gnutls_deinit(). */
struct gnutls_session_int *tls_session(struct tls *t, int fd, struct err *err);
/*
 * After the handshake: the names in the client's verified certificate, in one block to free(); NULL
 * when none was given.  common_name and organizations stay as they are when it is of tls_front()'s
 * authorities only; *front gets the common name when it is of theirs.
 */
void *tls_peer(struct gnutls_session_int *session, const char **common_name,
    const char *const **organizations, const char **front);

/*
 * What a certificate's key is known by: the SHA-256 of its SubjectPublicKeyInfo in lower-case hex
 * (RFC 7469, section 2.4); of one in DER.  Negative when it is none.
 */
enum { TLS_PIN = 65 };
int tls_pin_of(const void *der, size_t len, char hex[static TLS_PIN]);
int tls_pin_file(
    const char *pem, char hex[static TLS_PIN], struct err *err); /* of the first in a file */

/*
 * A key and a certificate of its own for a server of this DNS name that is known by its pin, or by
 * the certificate itself: made when one of the files is missing or the certificate is about to end.
 * The key's mode is 0600.
 */
int tls_self_signed(const char *crt, const char *key, const char *name, struct err *err);

#endif
