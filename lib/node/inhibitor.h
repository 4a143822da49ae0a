#ifndef ORCH_NODE_INHIBITOR_H
#define ORCH_NODE_INHIBITOR_H

#include <stdbool.h>

#include "base/err.h"
#include "node/agent.h"

/*
 * orch-inhibit(1) beside the node: it holds logind's lock, and says when the machine goes down.
 * The library it needs is larger than a node should be.  Without logind the node goes on, and asks
 * for it again now and then.
 */
struct inhibitor {
	double seconds; /* how long a shutdown may take; 0: none is wanted */
	pid_t pid;	/* 0: it does not run */
	int in, out;	/* what it reads, what it says; -1 */
	int epoll;	/* where `out` is listened to; -1 */
	struct buf said;
	double again; /* when to start it anew */
	bool held;    /* it has the lock, or had it and we let it go */
	bool told;    /* that there is none */
	bool released;
};
#define INHIBITOR_INIT                                             \
	{                                                          \
		.in = -1, .out = -1, .epoll = -1, .said = BUF_INIT \
	}

/* Start it when it is time; true when `out` is another descriptor than before: listen to it, in
 * `epoll`. */
bool inhibitor_check(struct inhibitor *i);
/* What it says goes to the agent, and when that has done all it can, the lock is let go. */
void inhibitor_step(struct inhibitor *i, struct agent *a);
void inhibitor_stop(struct inhibitor *i);

#endif
