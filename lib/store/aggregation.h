#ifndef ORCH_STORE_AGGREGATION_H
#define ORCH_STORE_AGGREGATION_H

#include "store/call.h"

/*
 * Groups and versions that other servers answer (Kubernetes: the aggregation layer).
 *
 * What APIServices say is followed write by write, so that a request goes to where the last
 * acknowledged one says.  Threads of its own
 *	- look whether the servers behind them answer, and say so in the condition Available
 *	  (aggregation_check.c), and fetch what they serve (aggregation_fetch.c): these may wait for
 *	  somebody else, and nobody waits for them;
 *	- keep an APIService for each group and version of custom kinds, and the condition of those
 *	  that this server answers by itself (aggregation_local.c).
 */
struct aggregation;

/* An APIService as it was when it was looked up: immutable. */
struct api_service {
	_Atomic unsigned refs;
	char *name, *group, *version, *uid;
	int group_priority, version_priority;
	bool local; /* this server answers */
	enum automanaged {
		MANAGED_NOT,
		MANAGED_AT_START,
		MANAGED_ALWAYS
	} managed;		    /* by this server */
	bool available, said_local; /* by its condition */
	char *namespace, *service;  /* of who answers; "" for a local one */
	int port;
	bool insecure;
	char *ca; /* PEM; NULL: the system's authorities */
};
struct api_service *api_service_ref(struct api_service *a);
void api_service_unref(struct api_service *a); /* accepts NULL */
/* Do its requests go to another server?  Those of the core group and of this very one never do. */
bool api_service_passes(const struct api_service *a);

/* Behind server_services() and before the first request: takes what there is, starts the threads
 * and sets s->aggregation. */
int aggregation_start(struct server *s, struct err *err);
void aggregation_stop(struct aggregation *a); /* before the commit thread; accepts NULL */
void aggregation_free(struct aggregation *a); /* behind it; accepts NULL */

/* The commit thread: w was kept. */
void aggregation_after(struct aggregation *a, const struct write *w);
/* Custom kinds have come or gone; from any thread; accepts NULL. */
void aggregation_kinds_changed(struct aggregation *a);

/* --- requests (aggregation_proxy.c) --- */

/* If the path is below a group and version that another server answers, c is a call for it from now
 * on: target.type is TARGET_REMOTE, c->remote set. */
void aggregation_route(struct call *c);
void aggregation_handle(struct call *c);
/* The same for a path of somebody's that stands elsewhere (OpenAPI documents); takes api. */
void aggregation_pass(struct call *c, struct api_service *api);

/* --- discovery --- */

/* Of one of them: the text of the array of resources that an APIVersionDiscovery has (NULL: never
 * seen), whether that is how they are now, and where its OpenAPI document is
 * ("/openapi/v3/apis/...", NULL: unknown).  All borrowed. */
struct api_seen {
	struct bytes *resources;
	bool current;
	const char *openapi;
};
/* All that are there: calls each with the lock held, so it must not call back. */
void aggregation_each(struct aggregation *a,
    void (*each)(void *arg, struct api_service *api, const struct api_seen *seen), void *arg);
/* Of this group (NULL: any) and version (NULL: any): a new reference, or NULL. */
struct api_service *aggregation_find(
    struct aggregation *a, const char *group, const char *version, bool remote_only);

#endif
