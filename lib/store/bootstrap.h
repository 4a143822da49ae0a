#ifndef ORCH_STORE_BOOTSTRAP_H
#define ORCH_STORE_BOOTSTRAP_H

#include "store/call.h"

/*
 * The objects that an API server makes by itself (bootstrap.yaml, and those of its own address):
 * made when they are missing, put right where it is the server that knows, both at the start and
 * for as long as it runs.  What is right is not written again.
 */
struct bootstrap;

struct bootstrap_facts {
	const char *address; /* where this server is reached, an IP address */
	int port;
	const char *ca; /* PEM of who signs clients' certificates */
};

/*
 * At the start, before the first request and behind server_services(): make all of it, and wait.
 * Follows every write from then on.
 */
int bootstrap_start(struct server *s, const struct bootstrap_facts *f, struct err *err);
void bootstrap_free(struct bootstrap *b); /* accepts NULL */
/* The commit thread: w was kept. */
void bootstrap_after(struct bootstrap *b, const struct write *w);

/*
 * The address by which others reach a server that listens on host: itself, or, where that is no
 * address, all of them or only this machine, the one that leads out of this machine (as Kubernetes
 * chooses); 127.0.0.1 when there is none.  New.
 */
char *bootstrap_address(const char *host);

/* Which place a group and version of this server's kinds have among all: that of their APIService,
 * as long as nobody changes it. */
void api_priorities(const char *group, const char *version, int *group_priority, int *priority);

/* What the server writes by itself, in obj as it is to be kept in place of old (NULL: new): uid,
 * times, generation, defaults, and that `by` owns it. */
void server_object(const struct kind *k, const char *by, const json_t *old, json_t *obj);

#endif
