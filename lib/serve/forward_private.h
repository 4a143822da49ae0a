#ifndef ORCH_SERVE_FORWARD_PRIVATE_H
#define ORCH_SERVE_FORWARD_PRIVATE_H

#include "base/buf.h"
#include "serve/forward.h"

/* What forward.c and forward_answer.c share: the request as it is to be sent, and where to. */
struct job {
	char *host, *context;
	struct duplex_tls tls; /* its strings are the job's */
	int port, status, head_seconds;
	bool secure, upgrade, bodiless, no_redirects;
	struct buf request;
	char *(*words)(int status, const char *message);
};

enum { DIAL_SECONDS = 10, WRITE_SECONDS = 30 };

/* An answer of ours. */
void forward_refuse(struct duplex *client, const struct job *j, int status, const char *cause);
/* The request was sent: give the client what comes back. */
void forward_answer(struct duplex *client, struct duplex *server, const struct job *j);

#endif
