/*
 * The scheduler kept current by small changes decides as one that is told the whole world anew; and
 * it never puts more on a node than fits.  Thousands of random changes, always the same ones.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "api/quantity.h"
#include "base/mem.h"
#include "schedule/schedule.h"

enum { NODES = 12, PODS = 60, STEPS = 20000 };

static uint64_t state = 42;

static unsigned
dice(unsigned sides)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(state >> 33) % sides;
}

static json_t *
parse(const char *fmt, ...)
{
	char *text;
	json_error_t e;
	json_t *v;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	v = json_loads(text, 0, &e);
	if (!v) {
		printf("schedule: %s in %s\n", e.text, text);
		abort();
	}
	free(text);
	return v;
}

static json_t *
random_node(unsigned i)
{
	static const char *const taints[] = { "", "", "",
		"{\"key\":\"a\",\"effect\":\"NoSchedule\"}",
		"{\"key\":\"b\",\"value\":\"c\",\"effect\":\"PreferNoSchedule\"}" };

	return parse(
	    "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n%u\",\"labels\":{"
	    "\"kubernetes.io/"
	    "hostname\":\"n%u\",\"zone\":\"z%u\"%s}},\"spec\":{\"taints\":[%s]%s},\"status\":{"
	    "\"allocatable\":"
	    "{\"cpu\":\"%u\",\"memory\":\"8Gi\",\"pods\":\"%u\"%s}%s}}",
	    i, i, dice(3), dice(3) ? ",\"disk\":\"ssd\"" : "", taints[dice(COUNT(taints))],
	    dice(8) ? "" : ",\"unschedulable\":true", 1 + dice(4), 2 + dice(9),
	    dice(3) ? "" : ",\"x.io/gpu\":\"2\"",
	    dice(3) ? "" : ",\"images\":[{\"names\":[\"i1:latest\"],\"sizeBytes\":900000000}]");
}

/* Fragments of a pod's spec; the first ones say nothing. */
static const char *const wishes[] = {
	"",
	"",
	"",
	"\"nodeSelector\":{\"disk\":\"ssd\"},",
	"\"tolerations\":[{\"operator\":\"Exists\"}],",
	"\"topologySpreadConstraints\":[{\"maxSkew\":1,\"topologyKey\":\"zone\","
	"\"whenUnsatisfiable\":"
	"\"DoNotSchedule\",\"labelSelector\":{\"matchLabels\":{\"app\":\"a1\"}}}],",
	"\"topologySpreadConstraints\":[{\"maxSkew\":2,\"topologyKey\":\"zone\","
	"\"whenUnsatisfiable\":"
	"\"ScheduleAnyway\",\"labelSelector\":{\"matchLabels\":{\"app\":\"a0\"}}}],",
	"\"affinity\":{\"podAntiAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":[{"
	"\"topologyKey\":"
	"\"kubernetes.io/hostname\",\"labelSelector\":{\"matchLabels\":{\"app\":\"a1\"}}}]}},",
	"\"affinity\":{\"podAffinity\":{\"preferredDuringSchedulingIgnoredDuringExecution\":[{"
	"\"weight\":10,"
	"\"podAffinityTerm\":{\"topologyKey\":\"zone\",\"labelSelector\":{\"matchLabels\":{\"app\":"
	"\"a2\"}}}}]}},",
	"\"affinity\":{\"podAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":[{"
	"\"topologyKey\":"
	"\"zone\",\"labelSelector\":{\"matchLabels\":{\"app\":\"a0\"}}}]}},",
	"\"affinity\":{\"nodeAffinity\":{\"preferredDuringSchedulingIgnoredDuringExecution\":[{"
	"\"weight\":5,"
	"\"preference\":{\"matchExpressions\":[{\"key\":\"zone\",\"operator\":\"In\",\"values\":["
	"\"z1\"]}]}}]}},",
};

static const char *const owners[] = { "",
	",\"ownerReferences\":[{\"controller\":true,\"uid\":\"o1\"}]",
	",\"ownerReferences\":[{\"controller\":true,\"uid\":\"o2\"}]" };

static json_t *
random_pod(unsigned i, unsigned generation)
{
	return parse(
	    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p%u\",\"namespace\":"
	    "\"d\","
	    "\"uid\":\"u%u-%u\",\"labels\":{\"app\":\"a%u\"}%s},\"spec\":{%s\"containers\":[{"
	    "\"name\":\"c\","
	    "\"image\":\"i%u\",\"ports\":[%s],\"resources\":{\"requests\":{\"cpu\":\"%um\"%s}}}]}}",
	    i, i, generation, dice(3), owners[dice(COUNT(owners))], wishes[dice(COUNT(wishes))],
	    dice(3), dice(6) ? "" : "{\"containerPort\":80,\"hostPort\":80}", 100 * dice(12),
	    dice(6) ? "" : ",\"x.io/gpu\":\"1\"");
}

struct cluster {
	struct world *world;
	struct scheduler *s;
	enum scoring scoring;
	int failed;
};

static void
tell_pod(struct cluster *c, json_t *pod)
{
	scheduler_pod(c->s, pod);
	world_put(c->world, pod);
}

/* What the incremental scheduler decides must be what a new one decides. */
static void
decide(struct cluster *c, const json_t *pod)
{
	struct scheduler *fresh = scheduler_new("default-scheduler", c->scoring);
	struct plan one, two;
	json_t *why, *why_fresh, *bound;
	const char *node;

	plan_init(&one, "schedule", "");
	plan_init(&two, "schedule", "");
	scheduler_read(fresh, c->world);
	schedule_pod(fresh, c->world, pod, &two, &why_fresh);
	node = schedule_pod(c->s, c->world, pod, &one, &why);
	if (!json_equal(why, why_fresh) || !json_equal(one.actions, two.actions)) {
		printf(
		    "schedule: %s: the incremental decision\n%s\ndiffers from the fresh one\n%s\n",
		    meta_name(pod), json_dumps(why, 0), json_dumps(why_fresh, 0));
		c->failed = 1;
	}
	if (node && dice(5)) {
		bound = json_deep_copy(pod);
		put(bound, json_string(node), "spec", "nodeName");
		tell_pod(c, bound);
	} else if (node) {
		scheduler_forget(c->s, meta_namespace(pod), meta_name(pod)); /* "refused" */
	}
	json_decref(why);
	json_decref(why_fresh);
	plan_release(&one);
	plan_release(&two);
	scheduler_free(fresh);
}

static void
step_node(struct cluster *c)
{
	char name[16];
	json_t *node;
	unsigned i = dice(NODES);

	snprintf(name, sizeof name, "n%u", i);
	if (dice(4) == 0) {
		scheduler_node_gone(c->s, name);
		world_remove(c->world, "Node", "", name);
		return;
	}
	node = random_node(i);
	scheduler_node(c->s, node);
	world_put(c->world, node);
}

static void
step_pod(struct cluster *c, unsigned generation)
{
	char name[16];
	const json_t *have;
	unsigned i = dice(PODS);

	snprintf(name, sizeof name, "p%u", i);
	have = world_get(c->world, "Pod", "d", name);
	if (have && dice(3) == 0) {
		scheduler_pod_gone(c->s, "d", name);
		world_remove(c->world, "Pod", "d", name);
	} else if (have && dice(6) == 0) {
		json_t *done = json_deep_copy(have);

		put(done, json_string("Succeeded"), "status", "phase");
		tell_pod(c, done);
	} else if (have && schedule_wants(c->s, have)) {
		decide(c, have);
	} else if (!have) {
		tell_pod(c, random_pod(i, generation));
	}
}

/* Fill a cluster and sum up what is where: no node has more than it can take. */
static int
overcommits(void)
{
	struct cluster c = { world_new(), scheduler_new("default-scheduler", SCORE_MOST),
		SCORE_MOST, 0 };
	struct walk it;

	for (unsigned i = 0; i < NODES; i++) {
		json_t *node = random_node(i);

		scheduler_node(c.s, node);
		world_put(c.world, node);
	}
	for (unsigned i = 0; i < 4 * PODS; i++) {
		json_t *pod = random_pod(i, 0);

		world_put(c.world, pod);
		decide(&c, pod);
	}
	it = world_each(c.world, "Node", NULL);
	for (const json_t *n; (n = walk_next(&it));) {
		struct walk pods = world_on_node(c.world, meta_name(n));
		int64_t cpu = 0, room = (int64_t)pods.n;

		for (const json_t *p; (p = walk_next(&pods));)
			cpu += pod_request(p, "cpu");
		if (cpu > quantity_milli(get(n, "status", "allocatable", "cpu")) ||
		    room > quantity_value(get(n, "status", "allocatable", "pods"))) {
			printf("schedule: %s has too much\n", meta_name(n));
			c.failed = 1;
		}
	}
	scheduler_free(c.s);
	world_free(c.world);
	return c.failed;
}

int
main(void)
{
	struct cluster c = { world_new(), scheduler_new("default-scheduler", SCORE_LEAST),
		SCORE_LEAST, 0 };

	for (unsigned i = 0; i < STEPS && !c.failed; i++) {
		if (dice(8) == 0)
			step_node(&c);
		else
			step_pod(&c, i);
	}
	scheduler_free(c.s);
	world_free(c.world);
	return c.failed || overcommits();
}
