#ifndef ORCH_STORE_TLS_H
#define ORCH_STORE_TLS_H

#include "base/buf.h"
#include "base/err.h"

/*
 * The certificates of a store's data folder (GnuTLS), made at first start and kept:
 *	DIR/pki/ca.crt ca.key			the authority, 10 years, ECDSA P-256
 *	DIR/pki/server.crt server.key		for localhost, the host's name, 127.0.0.1,
 *::1, 10.96.0.1, kubernetes.default.svc and the names asked for; renewed when a name is missing or
 *it is about to end DIR/pki/admin.crt admin.key		CN=admin O=system:masters Keys are
 *mode 0600.
 */
int pki_ensure(const char *dir, const char *const *names, struct err *err);

/* A client certificate signed by the CA of `dir`, PEM into *crt and *key; organizations end with
 * NULL. */
int pki_client(const char *dir, const char *common_name, const char *const *organizations,
    struct buf *crt, struct buf *key, struct err *err);

/* Write a kubeconfig (mode 0600) holding CA, client certificate and key. */
int pki_kubeconfig(
    const char *dir, const char *file, const char *server_url, const char *user, struct err *err);

struct tls;
/* Server credentials from DIR/pki: asks for a client certificate and verifies one that is given. */
int tls_new(struct tls **ret, const char *dir, struct err *err);
void tls_free(struct tls *t);

/* A session for a connection just accepted (non-blocking); the caller handshakes and ends it with
 * gnutls_deinit(). */
struct gnutls_session_int *tls_session(struct tls *t, int fd, struct err *err);
/* After the handshake: the names in the client's verified certificate, in one block to free(); NULL
 * when none was given. */
void *tls_peer(struct gnutls_session_int *session, const char **common_name,
    const char *const **organizations);

#endif
