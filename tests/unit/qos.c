/* What the cgroup of a pod is given. */
#include <stdio.h>
#include <string.h>

#include "api/pod.h"
#include "base/mem.h"
#include "node/qos.h"
#include "node/spec.h"

static int failed;

static void
expect(const char *spec, const char *want)
{
	autofree char *whole = xasprintf("{\"spec\":%s}", spec);
	json_auto_t *pod = json_loads(whole, 0, NULL);
	struct cgroup_limits l = qos_limits(pod);
	autofree char *got = xasprintf("%s %lld %lld %lld", pod_qos(pod), (long long)l.shares,
	    (long long)l.quota, (long long)l.memory);

	if (!pod || strcmp(got, want) != 0) {
		printf("qos: %s: got '%s', want '%s'\n", spec, got, want);
		failed = 1;
	}
}

static void
weight(int64_t shares, int64_t want)
{
	if (cgroup_weight(shares) != want) {
		printf("qos: weight of %lld shares: %lld\n", (long long)shares,
		    (long long)cgroup_weight(shares));
		failed = 1;
	}
}

#define C(requests, limits) "{\"resources\":{\"requests\":{" requests "},\"limits\":{" limits "}}}"
#define SIDECAR(limits) "{\"restartPolicy\":\"Always\",\"resources\":{\"limits\":{" limits "}}}"
#define CPU(q) "\"cpu\":\"" q "\""
#define MEM(q) "\"memory\":\"" q "\""
#define BOTH(c, m) CPU(c) "," MEM(m)
#define PODS(list) "{\"containers\":[" list "]}"

static void
scores(void)
{
	/* Asked for by the pod alone, it counts for each of its containers. */
	json_auto_t *pod = json_loads(
	    "{\"spec\":{\"resources\":{\"requests\":{\"memory\":\"8P\"}},\"containers\":[{}]}}", 0,
	    NULL);
	json_auto_t *plain = json_loads("{\"spec\":" PODS(C(CPU("1"), "")) "}", 0, NULL);
	json_t *c = json_array_get(json_object_get(json_object_get(pod, "spec"), "containers"), 0);
	json_t *d =
	    json_array_get(json_object_get(json_object_get(plain, "spec"), "containers"), 0);

	if (oom_score(pod, c) >= oom_score(plain, d)) {
		printf("qos: scores %d and %d\n", oom_score(pod, c), oom_score(plain, d));
		failed = 1;
	}
}

int
main(void)
{
	expect(PODS("{}"), "BestEffort 2 0 0");
	expect(PODS(C("", BOTH("1", "1Gi"))), "Guaranteed 1024 100000 1073741824");
	expect(PODS(C("", BOTH("1m", "1Ki"))), "Guaranteed 2 1000 1024");
	expect(PODS(C(CPU("500m"), MEM("1Mi"))), "Burstable 512 0 1048576");
	expect(PODS(C(CPU("1000"), "")), "Burstable 262144 0 0");
	/* one without a limit: no bound for all of them */
	expect(PODS(C("", BOTH("1", "1Mi")) "," C("", CPU("1"))), "Burstable 2048 200000 0");
	/* the init container runs beside the sidecar that comes before it, not after */
	expect("{\"initContainers\":[" SIDECAR(BOTH("100m", "1Ki")) "," C("",
		   BOTH("2", "8Ki")) "," SIDECAR(BOTH("100m", "1Ki")) "],"
								      "\"containers\":[" C("",
									  BOTH("1", "2Ki")) "]}",
	    "Guaranteed 2150 210000 9216");
	/* the pod's own word counts */
	expect("{\"resources\":{\"requests\":{" CPU("200m") "},\"limits\":{" BOTH(
		   "300m", "1Mi") "}},"
				  "\"containers\":[{}," C("", CPU("100m")) "]}",
	    "Burstable 204 30000 1048576");
	/* overhead raises a limit, and makes none */
	expect("{\"overhead\":{" BOTH("100m", "1Ki") "},\"containers\":[" C("", MEM("1Ki")) "]}",
	    "Burstable 102 0 2048");
	weight(0, 1);
	weight(2, 1);
	weight(1024, 39);
	weight(262144, 10000);
	weight(INT64_MAX, 10000);
	scores();
	return failed;
}
