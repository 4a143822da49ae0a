#ifndef ORCH_METRICS_GATHER_PRIVATE_H
#define ORCH_METRICS_GATHER_PRIVATE_H

#include <pthread.h>

#include "metrics/gather.h"

/* What gather.c and snapshot.c share. */
struct node {
	char *name;
	struct figures *figures;  /* what it said last; NULL: nothing yet */
	bool current;		  /* it answered when it was asked last */
	bool failed;		  /* it did not */
	bool busy;		  /* somebody is asking it */
	bool gone;		  /* it is no node any more: to be freed by who is asking */
	bool seen;		  /* by the listing that is going on */
	unsigned asked, failures; /* failures: in a row */
	double due;		  /* clock_monotonic() */
};

struct gather {
	struct gather_options o;
	struct client *template; /* what the threads' clients are clones of; nobody's own */
	char *selector;
	int stop; /* an eventfd: readable, all requests are given up */

	pthread_mutex_t lock;
	pthread_cond_t work; /* for the threads: somebody may be due */
	pthread_cond_t done; /* for gather_wait() */
	struct node **node;  /* sorted by name */
	size_t n, cap;
	pthread_t thread[GATHER_WORKERS];
	size_t threads, suspects; /* suspects: being asked after they did not answer */
	bool stopping;
};

#endif
