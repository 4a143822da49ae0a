#ifndef ORCH_NODE_SHUTDOWN_H
#define ORCH_NODE_SHUTDOWN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Before the machine goes down pods end one group after the other, the less important first, and
 * say why (the kubelet's graceful node shutdown).  Each group has a time of its own; one that is
 * done earlier makes room for the next.
 */
enum { SHUTDOWN_GROUPS = 32 };

struct shutdown_rules {
	struct shutdown_group {
		int64_t priority; /* of the pods from this one up to the next group's */
		double seconds;
	} group[SHUTDOWN_GROUPS]; /* lowest first */
	size_t n;		  /* 0: pods are not ended */
};

/* "PRIORITY=DURATION,...": at least one, each priority once. */
int shutdown_parse(struct shutdown_rules *ret, const char *text, struct err *err);
/* All of it in `grace` seconds, of which the last `critical` are for critical pods. */
int shutdown_simple(struct shutdown_rules *ret, double grace, double critical, struct err *err);
double shutdown_seconds(const struct shutdown_rules *r); /* of all groups together */

/* Which group a pod is in: a priority below all is in the first. */
size_t shutdown_group_of(const struct shutdown_rules *r, const json_t *pod);

/* Who says that the machine goes down; each must take it back for itself. */
enum shutdown_cause { SHUTDOWN_LOGIND = 1, SHUTDOWN_SIGNAL = 2 };

#define SHUTDOWN_REASON "Terminated"
#define SHUTDOWN_MESSAGE "Pod was terminated in response to imminent node shutdown."
#define SHUTDOWN_REFUSAL "NodeShutdown"
#define SHUTDOWN_REFUSED "Pod was rejected as the node is shutting down."

/* For the loop alone (agent.h has what others call). */
struct agent;
struct shutdown {
	unsigned causes;
	size_t group;	 /* whose turn it is; rules.n: none is left */
	bool begun;	 /* its pods were told */
	double group_by; /* then the next one's turn comes */
	bool ended;
};
void shutdown_resume(struct agent *a);		/* what was going on when the node ended */
void shutdown_due(struct agent *a, double now); /* lowers a->wake */

#endif
