#ifndef ORCH_CLIENT_LOOP_H
#define ORCH_CLIENT_LOOP_H

#include "client/cache.h"
#include "control/control.h"

/*
 * The one generic runner: watch -> cache -> queue of keys -> reconcile -> act ->
 * hold the key until the cache has seen our own writes.
 *
 * A key that fails is retried with exponential back-off (0.05 s doubling to 60 s, at once after a
 * conflict the first time); plan_again() keys come back by time.  Ends cleanly on SIGTERM and
 * SIGINT (returns 0).
 */
struct loop_options {
	bool step; /* show each plan on stdout and wait for a line on the terminal before acting */
	bool once; /* end as soon as the queue is empty and nothing is held; TIMEOUT when the server
		      does not answer within --request-timeout (30 s) */
	const char *metrics;	     /* HOST:PORT for /metrics, or NULL */
	const struct list *settings; /* NAME=VALUE for world_set(), or NULL */
};

/* Runs these controllers (NULL-terminated) until told to end. */
int loop_run(struct client *c, const struct controller *const *which, const struct loop_options *o,
    struct err *err);

#endif
