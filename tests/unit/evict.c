/* Who is to go when something is short. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "node/admit_room.h"
#include "node/evict.h"
#include "node/stored.h"

static int failed;

static void
same(const char *what, const char *got, const char *want)
{
	if (strcmp(got, want) == 0)
		return;
	printf("evict: %s: got '%s', want '%s'\n", what, got, want);
	failed = 1;
}

static json_t *
pod_of(const char *memory, int priority)
{
	return json_pack("{s:{s:i, s:[{s:s, s:{s:{s:s}}}]}}", "spec", "priority", priority,
	    "containers", "name", "c", "resources", "requests", "memory", memory);
}

/* The order of a list of candidates: letters, the first to go first. */
static void
order(enum signal_of s, struct candidate *c, size_t n, const char *want)
{
	char got[16] = "";
	bool taken[16] = { false };

	for (size_t k = 0; k < n; k++) {
		size_t best = n;

		for (size_t i = 0; i < n; i++)
			if (!taken[i] && (best == n || evict_order(s, &c[i], &c[best]) < 0))
				best = i;
		taken[best] = true;
		got[k] = (char)('a' + best);
	}
	same(signal_names[s], got, want);
}

static void
orders(void)
{
	json_auto_t *little = pod_of("10", 0), *much = pod_of("1000", 0), *dear = pod_of("0", 5);
	struct candidate c[] = {
		{ much, 900, true },  /* a: within what it asked for */
		{ dear, 5000, true }, /* b: beyond, but more important */
		{ little, 20, true }, /* c: 10 beyond */
		{ much, 1100, true }, /* d: 100 beyond */
		{ little, 0, false }, /* e: nobody knows */
		{ little, 10, true }, /* f: just what it asked for */
	};

	order(MEMORY_AVAILABLE, c, COUNT(c), "edcbfa");
	order(PID_AVAILABLE, c, COUNT(c), "edacfb");
}

static void
words(void)
{
	json_auto_t *pod = pod_of("1Mi", 0), *used = json_pack("{s:i}", "c", 3 << 20);
	json_auto_t *less = json_pack("{s:i}", "c", 1 << 20);
	autofree char *a = evict_message(MEMORY_AVAILABLE, pod, 100 << 20, 51200, used);
	autofree char *b = evict_message(MEMORY_AVAILABLE, pod, 1, 0, less);
	autofree char *c = evict_message(PID_AVAILABLE, pod, 2000, 10, NULL);

	same("more than asked for", a,
	    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Ki. "
	    "Container c was using 3Mi, request is 1Mi, has larger consumption of memory. ");
	same("as asked for", b,
	    "The node was low on resource: memory. Threshold quantity: 1, available: 0. ");
	same("process ids", c,
	    "The node was low on resource: pids. Threshold quantity: 2k, available: 10. ");
}

static void
let_in(const char *pod_text, const char *first, const char *second, const char *want)
{
	const char *const conditions[] = { first, second, NULL };
	json_auto_t *pod = json_loads(pod_text, 0, NULL);
	autofree char *message = NULL;
	autofree char *reason = pressure_refuses(pod, conditions, &message);

	same(pod_text, message ? message : "", want);
	same(pod_text, reason ? reason : "", *want ? "Evicted" : "");
}

static void
admission(void)
{
	static const char none[] = "{\"spec\":{\"containers\":[{}]}}",
			  some[] = "{\"spec\":{\"containers\":[{\"resources\":{\"requests\":"
				   "{\"cpu\":1}}}]}}",
			  critical[] = "{\"spec\":{\"priority\":2000000000,\"containers\":[{}]}}",
			  bears[] = "{\"spec\":{\"tolerations\":[{\"operator\":\"Exists\"}],"
				    "\"containers\":[{}]}}";

	let_in(none, NULL, NULL, "");
	let_in(none, "MemoryPressure", NULL, "The node had condition: [MemoryPressure]. ");
	let_in(some, "MemoryPressure", NULL, "");
	let_in(bears, "MemoryPressure", NULL, "");
	let_in(some, "MemoryPressure", "PIDPressure",
	    "The node had condition: [MemoryPressure PIDPressure]. ");
	let_in(bears, "DiskPressure", NULL, "The node had condition: [DiskPressure]. ");
	let_in(critical, "DiskPressure", NULL, "");
}

/* What a pod stores, in three figures: the layer of container c, its log, volume e. */
static void
stores(const char *spec, int layer, int log, int volume, const char *want)
{
	json_auto_t *pod = json_loads(spec, 0, NULL);
	json_auto_t *has = json_pack("{s:{s:{s:[i,i], s:[i,i]}}, s:{s:[i,i]}, s:[i,i]}",
	    "containers", "c", "rootfs", layer, 1, "logs", log, 1, "volumes", "e", volume, 1,
	    "total", layer + log + volume, 3);
	autofree char *got = stored_exceeds(pod, has);

	same(spec, got ? got : "", want);
	if (*want && !stored_limited(pod))
		same(spec, "not limited", "limited");
}

static void
storage(void)
{
#define C(limit) "{\"name\":\"c\",\"resources\":{\"limits\":{" limit "}}"
#define E(of) "{\"spec\":{\"volumes\":[{\"name\":\"e\",\"emptyDir\":{" of "}}],\"containers\":["
#define M ",\"volumeMounts\":[{\"name\":\"e\"}]}"
	static const char none[] = E("") C("\"cpu\":1") M "]}}",
			  one[] = E("") C("\"ephemeral-storage\":\"1024\"") M "]}}",
			  two[] = E("") C("\"ephemeral-storage\":\"1Ki\"") M
			  ",{\"name\":\"d\",\"resources\":{\"limits\":"
			  "{\"ephemeral-storage\":\"9Ki\"}}}]}}",
			  size[] =
			      E("\"sizeLimit\":\"0.5Ki\"") C("\"ephemeral-storage\":\"1\"") M "]}}",
			  memory[] =
			      E("\"sizeLimit\":\"1\",\"medium\":\"Memory\"") C("\"cpu\":1") M "]}}";

	stores(none, 9999, 9999, 9999, "");
	stores(memory, 0, 0, 9999, "");
	stores(one, 1000, 20, 4, "");
	stores(one, 1000, 20, 5,
	    "Pod ephemeral local storage usage exceeds the total limit of containers 1024. ");
	stores(two, 1000, 24, 5, "");
	stores(
	    two, 1000, 25, 0, "Container c exceeded its local ephemeral storage limit \"1Ki\". ");
	stores(two, 1000, 25, 9999,
	    "Pod ephemeral local storage usage exceeds the total limit of containers 10Ki. ");
	stores(size, 9, 9, 513, "Usage of EmptyDir volume \"e\" exceeds the limit \"512\". ");
}

int
main(void)
{
	storage();
	orders();
	words();
	admission();
	return failed;
}
