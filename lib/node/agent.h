#ifndef ORCH_NODE_AGENT_H
#define ORCH_NODE_AGENT_H

#include "node/host.h"

/*
 * What keeps the pods of a node as they are wanted.  It knows no API server: pods come in as
 *objects, statuses go out.  Nothing here waits: slow work is done by forked processes (job.h).
 *
 *	agent_open(&a, host, &hooks, &err);	adopts what a node before us left running
 *	agent_set(a, pod) ...			what is wanted, as often as it changes
 *	agent_settle(a)				all that is wanted has been said: end the rest
 *	poll(agent_fd(a), ..., agent_wait(a))	then agent_step(a), for ever
 */
struct agent;

struct agent_hooks {
	void *arg;
	/* A pod's status changed; both borrowed.  false: it could not be passed on, say it again
	 * later. */
	bool (*status)(void *arg, const json_t *pod, const json_t *status);
	/* Nothing is left of a pod that was to end.  false: ask again later. */
	bool (*gone)(void *arg, const json_t *pod);
	/* An object of the core group (ns "": of none), a new reference; NULL when there is none,
	 * JSON true when that cannot be said now.  May be NULL itself. */
	json_t *(*lookup)(void *arg, const char *kind, const char *ns, const char *name);
	/* The Services of a pod's namespace, and "kubernetes": a new array, NULL when they are to
	 * be known first.  May be NULL itself: there are none. */
	json_t *(*services)(void *arg, const json_t *pod);
	/* Something worth telling: type is Normal or Warning; of the whole pod, or what is at
	 * `field` ("spec.containers{c}").  May be NULL. */
	void (*event)(void *arg, const json_t *pod, const char *field, const char *type,
	    const char *reason, const char *message);
	/* The same of the node itself.  May be NULL. */
	void (*node_event)(void *arg, const char *type, const char *reason, const char *message);
	/* A token of the pod's account for an audience ("": the server's own) and so many seconds;
	 * new, or NULL when none is given.  May be NULL itself. */
	char *(*token)(void *arg, const json_t *pod, const char *audience, json_int_t seconds);
};

int agent_open(
    struct agent **ret, struct host *host, const struct agent_hooks *hooks, struct err *err);
void agent_close(struct agent *a); /* containers run on; accepts NULL */

/* A pod that is to run here, new or changed.  One with a deletionTimestamp is ended. */
int agent_set(struct agent *a, const json_t *pod, struct err *err);
void agent_drop(struct agent *a, const char *uid); /* nobody wants it any more */
void agent_settle(struct agent *a);
/* End every pod, as if deleted; within `grace` seconds, or what each asks for (negative). */
void agent_stop_all(struct agent *a, double grace);

int agent_fd(const struct agent *a);	  /* readable when agent_step has something to do */
double agent_wait(const struct agent *a); /* seconds until it has anyway; -1: nothing is due */
void agent_step(struct agent *a);

size_t agent_pods(const struct agent *a);    /* how many there are, also ending ones */
size_t agent_running(const struct agent *a); /* containers */
bool agent_idle(const struct agent *a);	     /* every pod is over and taken down */

/*
 * The machine goes down, or does not after all, says `cause`: pods end as the host's rules say, new
 * ones are refused, the Node is not ready.  Kept over a restart of the node, not of the machine.
 * False when there are no rules: nothing is done.
 */
bool agent_shutdown(struct agent *a, enum shutdown_cause cause, bool on);
bool agent_shut_down(const struct agent *a); /* all that can be done is done */

/*
 * Remove everything that the node of a data folder has made on this machine: containers, mounts,
 * namespaces, interfaces, cgroups, records.  Images and logs stay.  Needs no agent, and there must
 * be none.
 */
int agent_clean(struct host *host, struct err *err);

#endif
