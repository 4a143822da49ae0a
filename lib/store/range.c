/* Ranges of addresses and ports, and the numbers in them. */
#include "store/range.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "api/check.h"

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

bool
number_is_v6(const struct number *n)
{
	return memcmp(n->byte, mapped, sizeof mapped) != 0;
}

static void
number_of_bytes(struct number *n, const uint8_t byte[static 16], unsigned bits)
{
	if (bits == 128) {
		memcpy(n->byte, byte, 16);
		return;
	}
	memcpy(n->byte, mapped, sizeof mapped);
	memcpy(n->byte + 12, byte, 4);
}

bool
number_of_ip(struct number *n, const char *text)
{
	uint8_t byte[16];
	unsigned bits = ip_bytes(text, byte);

	if (bits)
		number_of_bytes(n, byte, bits);
	return bits != 0;
}

const char *
number_ip(const struct number *n, char buf[static INET6_ADDRSTRLEN])
{
	bool v6 = number_is_v6(n);

	inet_ntop(v6 ? AF_INET6 : AF_INET, v6 ? n->byte : n->byte + 12, buf, INET6_ADDRSTRLEN);
	return buf;
}

void
number_of_port(struct number *n, unsigned port)
{
	*n = (struct number){ .byte = {
				  [14] = (unsigned char)(port >> 8), [15] = (unsigned char)port } };
}

unsigned
number_port(const struct number *n)
{
	return (unsigned)n->byte[14] << 8 | n->byte[15];
}

/* The last eight bytes, in which all hosts of a range differ. */
static uint64_t
low(const struct number *n)
{
	uint64_t v = 0;

	for (size_t i = 8; i < 16; i++)
		v = v << 8 | n->byte[i];
	return v;
}

void
range_at(const struct range *r, uint64_t offset, struct number *ret)
{
	uint64_t v = low(&r->base) + offset;

	*ret = r->base;
	for (size_t i = 16; i > 8; i--, v >>= 8)
		ret->byte[i - 1] = (unsigned char)v;
}

bool
range_has(const struct range *r, const struct number *n)
{
	uint64_t offset = low(n) - low(&r->base);

	return memcmp(n->byte, r->base.byte, 8) == 0 && offset >= r->first && offset <= r->last;
}

/* How many of size are left to those who ask: a part of it, within bounds; none of few. */
static uint64_t
kept_of(uint64_t size, uint64_t part, uint64_t most)
{
	enum { LEAST = 16 };

	if (size <= LEAST)
		return 0;
	size /= part;
	return size < LEAST ? LEAST : size > most ? most : size;
}

int
range_of_addresses(struct range *r, const char *text, struct err *err)
{
	enum { HOST_BITS = 64, PART = 16, MOST = 256 };
	uint8_t byte[16];
	unsigned prefix, bits = cidr_bytes(text, byte, &prefix), host;
	char ip[INET6_ADDRSTRLEN];
	uint64_t all;

	if (!bits)
		return err_set(
		    err, ERR_BAD_REQUEST, "'%s' is no range of addresses (10.96.0.0/16)", text);
	host = bits - prefix;
	if (host > HOST_BITS || host < 2)
		return err_set(err, ERR_BAD_REQUEST, "'%s' is too %s", text,
		    host < 2 ? "small: four addresses are the least"
			     : "large: the shortest prefix of IPv6 is 64");
	for (unsigned bit = prefix; bit < bits; bit++)
		byte[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	*r = (struct range){ .v6 = bits == 128, .prefix = prefix, .first = 1 };
	number_of_bytes(&r->base, byte, bits);
	number_ip(&r->base, ip);
	snprintf(r->text, sizeof r->text, "%s/%u", ip, prefix);
	all = host == HOST_BITS ? UINT64_MAX : (UINT64_C(1) << host) - 1;
	r->last = r->v6 ? all : all - 1;
	r->kept = kept_of(host == HOST_BITS ? all : all + 1, PART, MOST);
	return 0;
}

int
range_of_ports(struct range *r, const char *text, struct err *err)
{
	enum { PART = 32, MOST = 128, PORTS = 65535 };
	char *end;
	unsigned long from = strtoul(text, &end, 10), to = from;

	if (*end == '-')
		to = strtoul(end + 1, &end, 10);
	if (*text < '0' || *text > '9' || *end || from < 1 || to > PORTS || from > to)
		return err_set(
		    err, ERR_BAD_REQUEST, "'%s' is no range of ports (30000-32767)", text);
	*r = (struct range){ .last = to - from, .kept = kept_of(to - from + 1, PART, MOST) };
	snprintf(r->text, sizeof r->text, "%lu-%lu", from, to);
	number_of_port(&r->base, (unsigned)from);
	return 0;
}

static uint64_t
random_below(uint64_t n)
{
	uint64_t v;

	if (getrandom(&v, sizeof v, 0) != (ssize_t)sizeof v)
		abort();
	return n ? v % n : v;
}

/* Everything from offset first to last once, beginning somewhere. */
static bool
search(const struct range *r, uint64_t first, uint64_t last, struct pool *p,
    bool (*usable)(void *arg, const struct number *n), void *arg, struct number *ret)
{
	uint64_t n, start, at;

	if (first > last)
		return false;
	n = last - first + 1; /* 0 would be all 2^64: first is never 0 for so many */
	at = start = first + random_below(n);
	do {
		range_at(r, at, ret);
		if (pool_reserve(p, ret)) {
			if (!usable || usable(arg, ret))
				return true;
			pool_cancel(p, ret);
		}
		at = at == last ? first : at + 1;
	} while (at != start);
	return false;
}

bool
range_next(const struct range *r, struct pool *p, bool (*usable)(void *arg, const struct number *n),
    void *arg, struct number *ret)
{
	struct number n;

	if (!search(r, r->first + r->kept, r->last, p, usable, arg, &n) &&
	    !(r->kept && search(r, r->first, r->first + r->kept - 1, p, usable, arg, &n)))
		return false;
	*ret = n;
	return true;
}
