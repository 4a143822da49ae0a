#ifndef ORCH_SERVE_DUPLEX_PRIVATE_H
#define ORCH_SERVE_DUPLEX_PRIVATE_H

#include <stdatomic.h>

#include "base/buf.h"
#include "serve/duplex.h"

/* What duplex.c, duplex_dial.c and http_take.c share. */
struct duplex {
	int fd;
	struct gnutls_session_int *tls;			       /* NULL: plain */
	struct gnutls_certificate_credentials_st *credentials; /* of one we dialled */
	struct buf in; /* in.data[at..) was read by somebody before us */
	size_t at;
	size_t record; /* GnuTLS holds an encrypted record of this many bytes that must go first */
	void (*closed)(struct duplex *d, void *arg);
	void *arg;
};

#endif
