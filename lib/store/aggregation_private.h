#ifndef ORCH_STORE_AGGREGATION_PRIVATE_H
#define ORCH_STORE_AGGREGATION_PRIVATE_H

#include "store/aggregation.h"

enum { CHECKERS = 4 };

/* One APIService and what is known of who answers; guarded by the lock. */
struct member {
	struct api_service *api;
	double due;		 /* when to look again (clock_monotonic()) */
	unsigned failures;	 /* in a row */
	bool busy, again;	 /* somebody is looking; it has changed meanwhile */
	double fetched;		 /* when its discovery was last asked for; 0: never */
	bool current;		 /* and whether that went well */
	struct bytes *resources; /* what it said (struct api_seen); NULL: nothing yet */
	char *openapi;
};

struct aggregation {
	struct server *server;
	const struct kind *kind;
	struct table *table, *services, *slices, *endpoints;
	pthread_mutex_t lock;
	struct member **member; /* by name */
	size_t n, cap;
	_Atomic size_t remote; /* how many have a service */

	pthread_cond_t due; /* for the checkers */
	pthread_t checker[CHECKERS];
	size_t checkers; /* that run: the first starts with the first remote one */

	pthread_cond_t wake; /* for the thread of local ones */
	pthread_t keeper;
	bool changed, keeping;
	_Atomic bool stop;
};

/* The member of that name, or NULL; with the lock. */
struct member *member_find(struct aggregation *a, const char *name);

/*
 * Say in the condition Available of the APIService of that name and uid what is so, if it does not
 * say so already.  Blocks for the commit.
 */
void aggregation_say(struct aggregation *a, const struct api_service *api, const char *status,
    const char *reason, const char *message);
/* What the server writes by itself about old (NULL: new). */
void aggregation_draft(
    struct aggregation *a, const json_t *old, json_t *obj, const char *part, struct draft *draft);

/* aggregation_check.c */
void checkers_start(struct aggregation *a); /* with the lock; as many as are worth it */

/* aggregation_fetch.c: ask who answers what he serves.  0 and *resources (new), or why not; and
 * *openapi (new, NULL: it has none).  Blocks. */
int aggregation_fetch(struct aggregation *a, const struct api_service *api, json_t **resources,
    char **openapi, struct err *err);
/* A request of the server's own to who answers.  insecure: whoever it is; then *url (new) is what
 * messages call it. */
struct asking {
	const char *path, *accept;
	bool insecure;
	int timeout_ms;
	char **url;
};
int aggregation_ask(struct aggregation *a, const struct api_service *api, const struct asking *q,
    int *status, struct buf *reply, struct err *err);
/* Only what discovery is made of, and only in the right types; new. */
json_t *discovery_clean(const json_t *resources);
/* The same out of the resources of an APIResourceList. */
json_t *discovery_convert(const json_t *resources);

/* aggregation_local.c */
void *keeper_main(void *aggregation);

#endif
