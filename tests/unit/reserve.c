/* What a node keeps back, and whom it has room for. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "node/admit_room.h"
#include "node/pressure.h"
#include "node/reserve.h"

static int failed;

static void
same(const char *what, const char *got, const char *want)
{
	if (strcmp(got, want) == 0)
		return;
	printf("reserve: %s: got '%s', want '%s'\n", what, got, want);
	failed = 1;
}

static void
amounts(void)
{
	static const char *const bad[] = { "cpu", "cpu=", "cpu=x", "disk=1", "memory=-1", "=1" };
	struct reserve r = { 0 };
	struct err err;
	autofree char *got = NULL;

	if (reserve_add(&r, "cpu=100m,memory=1Mi,ephemeral-storage=1k,pid=10", &err) < 0 ||
	    reserve_add(&r, "cpu=1,pid=9E", &err) < 0 || reserve_add(&r, "pid=9E", &err) < 0)
		same("amounts", err.msg, "");
	got = xasprintf("%lld %lld %lld %s", (long long)r.cpu, (long long)r.memory,
	    (long long)r.storage, r.pids == INT64_MAX ? "all" : "some");
	same("amounts", got, "1100 1048576 1000 all");
	for (size_t i = 0; i < COUNT(bad); i++)
		if (reserve_add(&r, bad[i], &err) == 0)
			same(bad[i], "taken", "refused");
}

static void
thresholds(void)
{
	static const char *const bad[] = { "memory.available", "memory.available<", "x<1",
		"memory.available<0%", "memory.available<100%", "memory.available<1%%",
		"memory.available<-1", "pid.available<1,pid.available<1", "pid.available=1" };
	struct reserve r = { 0 };
	struct err err;
	autofree char *got = NULL;

	if (reserve_thresholds(r.at[HARD], RESERVE_THRESHOLDS, &err) < 0 ||
	    reserve_thresholds(r.at[HARD], "memory.available<1Ki,nodefs.available<12.5%", &err) < 0)
		same("thresholds", err.msg, "");
	got = xasprintf("%lld %lld %lld",
	    (long long)threshold_value(&r.at[HARD][MEMORY_AVAILABLE], 5),
	    (long long)threshold_value(&r.at[HARD][NODEFS_AVAILABLE], 1000),
	    (long long)threshold_value(&r.at[HARD][NODEFS_INODES], 1000)); /* no more in the list */
	same("thresholds", got, "1024 125 0");
	for (size_t i = 0; i < COUNT(bad); i++)
		if (reserve_thresholds(r.at[HARD], bad[i], &err) == 0)
			same(bad[i], "taken", "refused");
}

/* One look after the other: "at:available", and what is due then, hard or soft, or only too little.
 */
static void
strains(void)
{
	static const struct {
		double at;
		int64_t available;
		const char *want;
	} looks[] = { { 1, 90, "-" }, { 10, 79, "low" }, { 20, 79, "low" }, { 30, 80, "-" },
		{ 40, 70, "low" }, { 70, 70, "soft" }, { 71, 84, "soft" }, /* 5 are to be beyond */
		{ 72, 85, "-" }, { 73, 49, "hard" }, { 74, 54, "hard" }, { 75, 55, "low" },
		{ 104, 55, "soft" }, { 50, 55, "soft" }, { 120, 99, "-" } };
	struct strain s[URGENCIES][SIGNALS] = { 0 };
	struct reserve r = { 0 };
	struct err err;

	if (reserve_thresholds(r.at[HARD], "nodefs.available<50%", &err) < 0 ||
	    reserve_thresholds(r.at[SOFT], "nodefs.available<80", &err) < 0 ||
	    reserve_extra(r.extra, "nodefs.available=5%", &err) < 0 ||
	    reserve_grace(&r, "nodefs.available=30s", &err) < 0)
		same("strains", err.msg, "");
	for (size_t i = 0; i < COUNT(looks); i++) {
		struct pressure is = { .available[NODEFS_AVAILABLE] = looks[i].available,
			.capacity[NODEFS_AVAILABLE] = 100 };
		autofree char *what = xasprintf("at %g", looks[i].at);
		bool low = pressure_judge(&r, &is, NODEFS_AVAILABLE, s, looks[i].at);

		same(what,
		    s[HARD][NODEFS_AVAILABLE].due   ? "hard"
		    : s[SOFT][NODEFS_AVAILABLE].due ? "soft"
		    : low			    ? "low"
						    : "-",
		    looks[i].want);
	}
	if (reserve_grace(&r, "", &err) == 0 ||
	    reserve_grace(&r, "nodefs.available=-1s", &err) == 0)
		same("a soft threshold without a grace period", "taken", "refused");
}

static void
room(const char *asks, const char *other, const char *want)
{
	autofree char *a = xasprintf("{\"spec\":{\"containers\":[{\"resources\":{%s}}]}}", asks);
	autofree char *b = xasprintf("{\"spec\":{\"containers\":[{\"resources\":{%s}}]}}", other);
	json_auto_t *pod = json_loads(a, 0, NULL), *there = json_loads(b, 0, NULL);
	json_auto_t *can =
	    json_loads("{\"cpu\":\"1900m\",\"memory\":\"1Gi\",\"pods\":\"2\"}", 0, NULL);
	const json_t *others[] = { there, there };
	autofree char *message = NULL;
	autofree char *reason = room_refuses(pod, others, 1, can, &message);
	autofree char *got = xasprintf("%s: %s", reason ? reason : "", message ? message : "");

	same(asks, got, want);
}

#define WORDS "Node didn't have enough resource: "

static void
rooms(void)
{
	json_auto_t *pod = json_loads("{\"spec\":{\"nodeSelector\":{\"a\":\"b\"}}}", 0, NULL);
	json_auto_t *yes =
	    json_loads("{\"metadata\":{\"name\":\"n\",\"labels\":{\"a\":\"b\"}}}", 0, NULL);
	json_auto_t *no = json_loads("{\"metadata\":{\"name\":\"n\"}}", 0, NULL);
	autofree char *message = NULL, *other = NULL;
	autofree char *reason = node_refuses(pod, no, &message);

	room("\"requests\":{\"cpu\":\"900m\"}", "\"requests\":{\"cpu\":\"1\"}", ": ");
	room("\"requests\":{\"cpu\":\"901m\"}", "\"limits\":{\"cpu\":\"1\"}",
	    "OutOfcpu: " WORDS "cpu, requested: 901, used: 1000, capacity: 1900");
	room("\"requests\":{\"memory\":\"2Gi\"}", "",
	    "OutOfmemory: " WORDS "memory, requested: 2147483648, used: 0, capacity: 1073741824");
	room("\"requests\":{\"memory\":\"8E\"}", "\"requests\":{\"memory\":\"8E\"}",
	    "OutOfmemory: " WORDS "memory, requested: 8000000000000000000, used: "
	    "8000000000000000000, capacity: 1073741824");
	/* who asks for nothing is let in where there is too much already */
	room("", "\"requests\":{\"memory\":\"2Gi\"}", ": ");
	room("\"limits\":{\"example.com/gpu\":\"1\"}", "",
	    "OutOfexample.com/gpu: " WORDS "example.com/gpu, requested: 1, used: 0, capacity: 0");
	room("\"limits\":{\"hugepages-2Mi\":\"2Mi\"}", "",
	    "OutOfhugepages-2Mi: " WORDS "hugepages-2Mi, requested: 2097152, used: 0, capacity: 0");
	same("another node", reason ? reason : "", "NodeAffinity");
	same("this node", node_refuses(pod, yes, &other) ? "refused" : "", "");
}

int
main(void)
{
	amounts();
	thresholds();
	strains();
	rooms();
	return failed;
}
