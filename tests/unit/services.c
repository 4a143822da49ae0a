/* Numbers that are given out: ranges and their bands, one owner each, many threads, nothing lost.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/range.h"

static void
refused(const char *text, int (*parse)(struct range *, const char *, struct err *))
{
	struct range r;
	struct err err;

	if (parse(&r, text, &err) == -ERR_BAD_REQUEST)
		return;
	fprintf(stderr, "'%s' is taken for a range\n", text);
	assert(!"a range");
}

static bool
has(const struct range *r, const char *ip)
{
	struct number n;

	assert(number_of_ip(&n, ip));
	return range_has(r, &n);
}

static void
test_ranges(void)
{
	static const char *const addresses[] = { "", "10.0.0.0", "10.0.0.0/31", "10.0.0.0/33",
		"fd00::/63", "fd00::/127", "x/16", "10.0.0/16" };
	static const char *const ports[] = { "", "0-9", "5-", "9-5", "1-65536", "1-2x", "-1-3" };
	struct range r;
	struct err err;

	for (size_t i = 0; i < COUNT(addresses); i++)
		refused(addresses[i], range_of_addresses);
	for (size_t i = 0; i < COUNT(ports); i++)
		refused(ports[i], range_of_ports);
	assert(range_of_ports(&r, "9", &err) == 0 && r.last == 0);

	assert(range_of_addresses(&r, "10.96.7.7/16", &err) == 0);
	assert(strcmp(r.text, "10.96.0.0/16") == 0 && r.kept == 256 && !r.v6);
	assert(has(&r, "10.96.0.1") && has(&r, "10.96.255.254"));
	assert(!has(&r, "10.96.0.0") && !has(&r, "10.96.255.255"));
	assert(!has(&r, "10.95.255.254") && !has(&r, "10.97.0.1") && !has(&r, "fd00::1"));
	assert(range_of_addresses(&r, "10.0.0.0/24", &err) == 0 && r.kept == 16);
	assert(range_of_addresses(&r, "10.0.0.0/28", &err) == 0 && r.kept == 0);
	assert(range_of_addresses(&r, "fd00:10:96::/108", &err) == 0 && r.v6 && r.kept == 256);
	assert(has(&r, "fd00:10:96::f:ffff") && !has(&r, "fd00:10:96::") && !has(&r, "10.96.0.1"));
	assert(range_of_addresses(&r, "fd00::/64", &err) == 0);
	assert(has(&r, "fd00::ffff:ffff:ffff:ffff") && !has(&r, "fd00:0:0:1::1"));
	assert(range_of_ports(&r, "30000-32767", &err) == 0 && r.kept == 86);
	assert(range_of_ports(&r, "30000-30015", &err) == 0 && r.kept == 0 && r.last == 15);
}

static void
test_text(void)
{
	static const char *const pairs[][2] = { { "10.0.0.1", "10.0.0.1" },
		{ "010.000.0.1", "10.0.0.1" }, { "FD00:0::0:1", "fd00::1" } };
	char buf[INET6_ADDRSTRLEN];
	struct number n;

	for (size_t i = 0; i < COUNT(pairs); i++)
		assert(
		    number_of_ip(&n, pairs[i][0]) && strcmp(number_ip(&n, buf), pairs[i][1]) == 0);
	assert(!number_of_ip(&n, "None") && !number_of_ip(&n, "") && !number_of_ip(&n, "1.2.3"));
	number_of_port(&n, 65535);
	assert(number_port(&n) == 65535);
}

/* All of a range: what is behind the band first, each number once, then no more. */
static void
test_bands(const char *text, size_t all)
{
	struct pool *p = pool_new();
	struct number n, again;
	struct range r;
	struct err err;

	assert(range_of_addresses(&r, text, &err) == 0);
	for (size_t i = 0; i < all; i++) {
		assert(range_next(&r, p, NULL, NULL, &n) && range_has(&r, &n));
		assert(i < all - r.kept || n.byte[15] <= r.kept);
		assert(i >= all - r.kept || n.byte[15] > r.kept);
	}
	assert(pool_count(p) == all && !range_next(&r, p, NULL, NULL, &again));
	pool_cancel(p, &n);
	assert(range_next(&r, p, NULL, NULL, &again) && memcmp(&n, &again, sizeof n) == 0);
	pool_free(p);
}

static void
test_holding(void)
{
	struct pool *p = pool_new();
	struct number n;

	number_of_port(&n, 30000);
	assert(pool_reserve(p, &n) && !pool_reserve(p, &n));
	pool_hold(p, &n);   /* kept, */
	pool_cancel(p, &n); /* and the request is over */
	assert(!pool_reserve(p, &n));
	pool_hold(p, &n); /* a second object, of old data */
	pool_drop(p, &n);
	assert(!pool_reserve(p, &n));
	pool_drop(p, &n);
	assert(pool_count(p) == 0 && pool_reserve(p, &n));
	pool_hold(p, &n);
	pool_drop(p, &n); /* gone again before the request is over */
	assert(pool_count(p) == 1);
	pool_cancel(p, &n);
	pool_cancel(p, &n);
	pool_drop(p, &n);
	assert(pool_count(p) == 0);
	pool_free(p);
}

/* --- threads --- */

enum { THREADS = 8, ROUNDS = 20000, PORTS = 24 };

static struct pool *shared;
static struct range few;
static atomic_int owners[PORTS];
static atomic_size_t given;

/* Reserve and keep or give up, as requests do; nobody else may have it meanwhile. */
static void *
work(void *arg)
{
	struct number n;

	for (size_t i = 0; i < ROUNDS; i++) {
		if (!range_next(&few, shared, NULL, NULL, &n))
			continue;
		atomic_int *owner = &owners[number_port(&n) - 100];

		assert(atomic_fetch_add(owner, 1) == 0);
		given++;
		if ((i + (size_t)(uintptr_t)arg) % 3) {
			pool_hold(shared, &n);
			pool_cancel(shared, &n);
			assert(!pool_reserve(shared, &n));
			atomic_fetch_sub(owner, 1);
			pool_drop(shared, &n);
		} else {
			atomic_fetch_sub(owner, 1);
			pool_cancel(shared, &n);
		}
	}
	return NULL;
}

static void
test_threads(void)
{
	pthread_t thread[THREADS];
	struct err err;

	shared = pool_new();
	assert(range_of_ports(&few, "100-123", &err) == 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, work, (void *)(uintptr_t)i);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert(pool_count(shared) == 0 && given > THREADS * ROUNDS / 2);
	pool_free(shared);
}

int
main(void)
{
	test_ranges();
	test_text();
	test_bands("10.0.0.0/28", 14);
	test_bands("10.0.0.0/24", 254);
	test_bands("fd00::/120", 255);
	test_holding();
	test_threads();
	return 0;
}
