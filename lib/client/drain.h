#ifndef ORCH_CLIENT_DRAIN_H
#define ORCH_CLIENT_DRAIN_H

#include "api/drain.h"
#include "base/opt.h"
#include "client/client.h"

/*
 * What orch-drain does once its nodes are cordoned: look which pods are there, decide, evict, and
 * wait until they are gone.  Nothing is printed: `tell` hears of what happens.
 */
enum drain_state {
	DRAIN_STAYS,  /* it is skipped, or its node has a pod that is refused */
	DRAIN_DUE,    /* to be evicted */
	DRAIN_BUDGET, /* the same, and its budget said no the last time */
	DRAIN_ENDING, /* evicted, still there */
	DRAIN_GONE,
	DRAIN_LEFT,   /* too long on its end to be waited for */
	DRAIN_FAILED, /* the server does not let us */
};

struct drain_pod {
	const char *node;
	json_t *pod; /* as it was at the start; borrowed */
	const struct drain_verdict *verdict;
	enum drain_state state;
	struct err said; /* the server's last refusal; code ERR_OK: none */
	double due, delay;
};

struct drain {
	struct client *client;
	struct drain_options how; /* without orphans */
	const char *pod_selector; /* NULL: all */
	long long grace;	  /* seconds; -1: the pod's own */
	double timeout;		  /* 0: none */
	int fd;			  /* readable when it is to end; -1: none */
	bool (*ends)(void *arg);  /* is it? */
	void (*tell)(void *arg, const struct drain_pod *p, const char *why);
	void *arg;

	json_t *pods, *budgets, *orphans, *explained;
	json_t *first; /* the budgets as the verdicts know them */
	struct drain_verdict *verdicts;
	struct drain_pod *item;
	size_t n;
	double lost; /* since when the server has not answered; 0: it does */
};

/* Read the pods of these nodes and the budgets, and decide. drain_close() goes with it also
 * after a failure. */
int drain_gather(struct drain *d, const struct list *nodes, struct err *err);
void drain_close(struct drain *d);

bool drain_refused(const struct drain *d, const char *node); /* has it a pod that is refused? */

/* Ask the server of each pod that is to go if it would let it, now and on its own: `said`. */
void drain_try(struct drain *d);

/*
 * Evict and wait.  DIFFERS when the time is over and budgets are why; TIMEOUT when it is over for
 * another reason or `ends` says so; UNAVAILABLE when the server is away for half a minute.
 */
int drain_run(struct drain *d, struct err *err);

#endif
