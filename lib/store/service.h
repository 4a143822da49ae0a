#ifndef ORCH_STORE_SERVICE_H
#define ORCH_STORE_SERVICE_H

#include "store/call.h"
#include "store/range.h"

/*
 * What Services are given: cluster addresses and node ports.
 *
 * A request reserves them while it prepares a Service (services_reserve, between the admission
 * plugins that change the object and validation, as Kubernetes does); the reservation ends with the
 * request (services_cancel), whatever became of it.  What is kept holds them: the commit thread
 * says so for every Service that is written or goes, whoever asked for it (services_before and
 * _after). So a refused write, a dry run, a lost race, a deletion of a collection all give back
 * what is not needed, and nothing has to remember to.
 *
 * Each address is an IPAddress object too, kept in the same commit as its Service: they cannot
 * part.
 */
struct services;

/*
 * ranges is "10.96.0.0/16" or two of them, one of each family, with a comma between: the first
 * one's family is what a Service gets that does not say; ports is "30000-32767".
 */
int services_new(struct services **ret, struct cache *cache, struct commit *commit,
    const char *ranges, const char *ports, struct err *err);
void services_free(struct services *sv); /* accepts NULL */
/* Once all that is stored is in the cache: who holds what. */
void services_load(struct services *sv);

/* Then, before the first request: IPAddress objects that are missing, or nobody's. */
void services_repair(struct services *sv);

/* The first address of ranges, which is the Service kubernetes's; for certificates too. */
int services_first(const char *ranges, char buf[static INET6_ADDRSTRLEN], struct err *err);
/* The ranges one by one, NULL behind the last. */
const char *services_range(const struct services *sv, size_t i);

/*
 * Fill in what obj, a Service to be written in place of old (NULL: new), gets from the cluster, and
 * take from it what its type has no more.  Answers and returns -1 when that cannot be.
 */
int services_reserve(struct call *c, const json_t *old, json_t *obj);
void services_cancel(struct call *c); /* at the end of the request, and before another attempt */

/*
 * The commit thread: w is about to be kept; more writes to be kept with it, linked by next, or
 * NULL. Then what became of it.
 */
struct write *services_before(struct services *sv, struct write *w);
void services_after(struct services *sv, struct write *w, bool kept);

/* An address for a Service of the server's own, until it is kept; false when it is not free. */
bool services_hold_back(struct services *sv, const struct number *ip);
void services_unreserve(struct services *sv, const struct number *ip);

/* How many addresses and ports are not free; for tests and metrics. */
void services_count(struct services *sv, size_t *addresses, size_t *ports);

#endif
