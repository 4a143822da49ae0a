#ifndef ORCH_STORE_RANGE_H
#define ORCH_STORE_RANGE_H

#include <netinet/in.h>
#include <stdint.h>

#include "base/err.h"
#include "store/pool.h"

/*
 * A stretch of addresses or of ports from which numbers are given out.  Its beginning is left to
 * those who ask for a certain number (KEP-3070, KEP-3668): what is given out comes from behind it
 * for as long as there is any.
 */
struct range {
	char text[INET6_ADDRSTRLEN + 4]; /* "10.96.0.0/16", "30000-32767" */
	bool v6;
	struct number base;
	uint64_t first, last; /* what may be given out, counted from base; first > last: nothing */
	uint64_t kept;	      /* how many at the beginning are left to those who ask */
	unsigned prefix;      /* of addresses */
};

/* "10.96.0.0/16"; the network's own address and IPv4's broadcast address are never given out. */
int range_of_addresses(struct range *r, const char *text, struct err *err);
int range_of_ports(struct range *r, const char *text, struct err *err); /* "30000-32767" */

bool range_has(const struct range *r, const struct number *n);
void range_at(const struct range *r, uint64_t offset, struct number *ret);

/*
 * Reserve a number that is free and of which usable(arg, n) is true (NULL: any), beginning at
 * random.  False: there is none.
 */
bool range_next(const struct range *r, struct pool *p,
    bool (*usable)(void *arg, const struct number *n), void *arg, struct number *ret);

/* Addresses as numbers, IPv4 in the mapped form of RFC 4291, 2.5.5.2.  False: no address. */
bool number_of_ip(struct number *n, const char *text);
bool number_is_v6(const struct number *n);
const char *number_ip(const struct number *n, char buf[static INET6_ADDRSTRLEN]);
void number_of_port(struct number *n, unsigned port);
unsigned number_port(const struct number *n);

#endif
