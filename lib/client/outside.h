#ifndef ORCH_CLIENT_OUTSIDE_H
#define ORCH_CLIENT_OUTSIDE_H

#include <stdbool.h>

#include "client/client.h"

struct metrics_server;

/*
 * What reaches a loop besides the API: SIGTERM and SIGINT, which also end a request that the
 * server leaves without an answer, and who reads its metrics.
 */
struct outside {
	int fd; /* readable when there is something: for cache_wait() */
	int signals;
	struct metrics_server *metrics; /* NULL: nobody can read them */
};
#define OUTSIDE_INIT                    \
	{                               \
		.fd = -1, .signals = -1 \
	}

/* metrics is HOST:PORT or NULL.  outside_close() goes with it also after a failure. */
int outside_open(struct outside *o, struct client *c, const char *metrics, struct err *err);
void outside_close(struct outside *o, struct client *c);

/* Answer who asks for metrics.  Has a signal come? */
bool outside_ends(struct outside *o);

#endif
