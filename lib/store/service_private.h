#ifndef ORCH_STORE_SERVICE_PRIVATE_H
#define ORCH_STORE_SERVICE_PRIVATE_H

#include "store/service.h"

/* What the service_*.c files share; nobody else looks inside. */
struct services {
	struct cache *cache;
	struct commit *commit;
	struct table *table, *addresses, *cidrs, *endpoints;
	struct range own[2]; /* of the options: the families there are, the default first */
	size_t nown;
	struct range ports;

	pthread_mutex_t lock; /* of range */
	struct range *range;  /* all that are given out from: the ServiceCIDRs that are ready */
	size_t nrange;

	struct pool *ip, *port;
};

/* What one request has reserved. */
struct service_claim {
	struct number ip[2], *port;
	size_t nip, nport, cap;
};

/* What one Service has. */
struct holding {
	struct number ip[2], *port;
	size_t nip, nport, cap;
};
void holding_read(struct holding *h, const json_t *obj);
void holding_release(struct holding *h);
void holding_load(const struct services *sv, const struct object *o, struct holding *h);
/* In the pools: what a Service that is kept has, and has no more. */
void holding_begin(struct services *sv, const struct holding *h);
void holding_end(struct services *sv, const struct holding *h);

/* service_range.c: the ServiceCIDRs as they are now. */
void service_ranges(struct services *sv);
bool service_family_known(const struct services *sv, bool v6);
/* Reserve this address, or any of a family; why not, or NULL. */
const char *service_take_ip(struct services *sv, struct service_claim *c, const struct number *n);
const char *service_next_ip(
    struct services *sv, struct service_claim *c, bool v6, struct number *ret);
const char *service_take_port(struct services *sv, struct service_claim *c, unsigned port);
const char *service_next_port(struct services *sv, struct service_claim *c, unsigned *ret);
/* IPAddress objects. */
enum { IP_MISSING, IP_OURS, IP_OTHER };
int service_ip_object(struct services *sv, const struct number *n);
bool service_ip_ours(const json_t *address);

/* service_commit.c: a write of ours, before `next`; the one that makes an IPAddress the Service's,
 * or `next` alone when it is so, or when somebody else's object stands there.  For the commit
 * thread, and at the start. */
struct write *service_write(struct table *t, uint64_t expect, struct write *next);
struct write *service_claim_write(struct services *sv, const struct number *n,
    const char *namespace, const char *service, struct write *next);

/* service_family.c: spec.ipFamilyPolicy and spec.ipFamilies, from what is asked and what there is.
 */
void service_families(
    const struct services *sv, const json_t *old, json_t *obj, struct causes *out);
/* Both are PreferDualStack and nothing of it changes: it stays as it is on any cluster. */
bool service_families_stay(const json_t *old, const json_t *obj);

/* service_update.c: what an update leaves out and means to keep; what the type has no more. */
/* A Service that was kept before it had clusterIPs, with them, new; NULL: it has all it should. */
json_t *service_completed(const json_t *old);
void service_keep_given(const json_t *old, json_t *obj);
void service_join_ips(const json_t *old, json_t *obj);
void service_drop_fields(const json_t *old, json_t *obj);
bool service_has_ports(const json_t *obj); /* node ports: NodePort, LoadBalancer */
bool service_has_check(const json_t *obj); /* a port for health checks */

#endif
