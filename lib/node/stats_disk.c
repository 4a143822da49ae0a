/*
 * What pods store, for who asks: counting takes a while, so it is done again only when a figure is
 * older than ten seconds, or than twenty times what counting took.
 */
#include <pthread.h>
#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "node/stats.h"
#include "node/stored.h"

enum { FRESH = 10, SHARE = 20, LONGEST = 5 }; /* seconds; the last for one answer */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static json_t *known; /* by uid: {"stored", "at", "took"} */

static bool
fresh(const json_t *one, double now)
{
	double at = json_real_value(get(one, "at")), took = json_real_value(get(one, "took"));

	return one && now - at < (took * SHARE > FRESH ? took * SHARE : FRESH);
}

static json_t *
measure(const struct host *h, const struct pod *p, double until)
{
	double from = clock_monotonic();
	json_t *stored = stored_of(h, p, until);

	return json_pack(
	    "{s:o, s:f, s:f}", "stored", stored, "at", from, "took", clock_monotonic() - from);
}

/* References of jansson are no atomic counts: what leaves the lock is a copy. */
json_t *
stats_stored(const struct host *h, const struct pod *p, double until)
{
	json_t *one, *ret;
	double now;

	pthread_mutex_lock(&lock);
	if (!known)
		known = json_object();
	now = clock_monotonic();
	one = json_object_get(known, p->uid);
	if (!fresh(one, now) && (!one || now < until)) {
		one = measure(h, p, until);
		json_object_set_new(known, p->uid, one);
	}
	ret = json_deep_copy(get(one, "stored"));
	pthread_mutex_unlock(&lock);
	return ret;
}

void
stats_forget(const struct stats *s)
{
	const char *uid;
	json_t *one;
	void *tmp;

	pthread_mutex_lock(&lock);
	json_object_foreach_safe(known, tmp, uid, one)
	{
		bool there = false;

		for (size_t i = 0; i < s->n && !there; i++)
			there = strcmp(s->pod[i].uid, uid) == 0;
		if (!there)
			json_object_del(known, uid);
	}
	pthread_mutex_unlock(&lock);
}

double
stats_patience(void)
{
	return clock_monotonic() + LONGEST;
}
