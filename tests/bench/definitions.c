/*
 * orch-store with 1,000 CustomResourceDefinitions (definitions.h says of what sizes): memory, how
 * long one takes to be served, what discovery and OpenAPI cost, and how others fare meanwhile.
 *
 *	definitions PATH-OF-orch-store
 */
#include <pthread.h>
#include <stdatomic.h>

#include "daemon.h"
#include "definitions.h"

enum { DEFINITIONS = 1000, WRITERS = 8, READS = 5, WAITS = 3 };

static const char crds[] = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
		  all_at_once[] =
		      "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/* --- memory --- */

/* A line of smaps_rollup, in MB. */
static double
share(const char *key)
{
	autofree char *path = xasprintf("/proc/%d/smaps_rollup", (int)store);
	autobuf struct buf b = BUF_INIT;
	struct err err;
	const char *p;

	if (buf_read_file(&b, path, 65536, &err) < 0 || !(p = strstr(b.data, key)))
		fail(path);
	return atof(p + strlen(key)) / 1024;
}

static void
weigh(const char *what, double aim)
{
	memory(what, aim);
	bench_say("   its PSS", share("\nPss:"), "MB", 0);
	bench_say("   its heap", share("\nAnonymous:"), "MB", 0);
}

/* --- times --- */

struct times {
	double ms[20 * DEFINITIONS];
	size_t n;
};

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
say_times(const char *what, struct times *t, double aim)
{
	autofree char *half = xasprintf("%s, median", what), *most = xasprintf("   its 99%%");

	if (t->n == 0)
		return;
	qsort(t->ms, t->n, sizeof *t->ms, by_size);
	bench_say(half, t->ms[t->n / 2], "ms", aim);
	bench_say(most, t->ms[t->n * 99 / 100], "ms", aim);
	bench_say("   its most", t->ms[t->n - 1], "ms", 0);
}

/* --- one after another --- */

static struct place {
	const char *what, *path, *accept;
} places[WAITS] = {
	{ "create to /apis/GROUP/VERSION", "/apis/%s/v1", NULL },
	{ "create to the discovery of all", "/apis", all_at_once },
	{ "create to its OpenAPI v3", "/openapi/v3/apis/%s/v1", NULL },
};

static bool
shows(struct client *c, const struct place *p, int i)
{
	autofree char *group = definition_group(i), *path = xasprintf(p->path, group),
		      *word = xasprintf("thing%ds", i);

	return request_as(c, "GET", path, NULL, p->accept, NULL) == 200 && strstr(c->in.data, word);
}

static void
put(struct client *c, int i)
{
	autofree char *text = definition_text(i);

	if (request(c, "POST", crds, text) != 201)
		fail(c->in.data);
}

static void
take(struct client *c, int i)
{
	autofree char *group = definition_group(i),
		      *path = xasprintf("%s/thing%ds.%s", crds, i, group);

	if (request(c, "DELETE", path, NULL) != 200)
		fail(c->in.data);
}

/* Waits for each to be shown, in one of the three places by turns (or in the first only). */
static void
one_by_one(struct client *c, const char *what, void (*change)(struct client *c, int i), bool there,
    int nplaces, struct times t[WAITS])
{
	double cpu = bench_cpu(store);
	struct client other = dial();

	for (int i = 0; i < DEFINITIONS; i++) {
		double start = clock_monotonic();
		struct times *at = &t[i % nplaces];

		change(c, i);
		while (shows(&other, &places[i % nplaces], i) != there)
			usleep(500);
		at->ms[at->n++] = (clock_monotonic() - start) * 1000;
	}
	bench_say(what, (bench_cpu(store) - cpu) / DEFINITIONS * 1000, "ms CPU each", 0);
	hang_up(&other);
}

static void
serially(struct client *c)
{
	static struct times t[WAITS], gone[WAITS];

	one_by_one(c, "definitions created one by one", put, true, 1, t);
	say_times(places[0].what, &t[0], 20);
	sleep(2); /* what is only needed while they come is given back then */
	weigh("store with 1,000 definitions", 60);
	land();
	launch("ready, with 1,000 definitions", 0);
	sleep(2);
	weigh("store with 1,000 definitions, started again", 60);
	hang_up(c);
	*c = dial();
	one_by_one(c, "definitions deleted one by one", take, false, 1, gone);
	say_times("delete to not served", &gone[0], 20);
	sleep(2);
	weigh("store when they are gone, which it remembers", 0);
	memset(t, 0, sizeof t);
	one_by_one(c, "created again, and everything asked for", put, true, WAITS, t);
	for (int i = 0; i < WAITS; i++)
		say_times(places[i].what, &t[i], 20);
	sleep(2);
	weigh("store with 1,000 definitions and OpenAPI", 0);
}

/* --- reading --- */

static void
read_page(struct client *c, const char *what, const char *path, const char *accept)
{
	double cpu = bench_cpu(store), start = clock_monotonic();

	for (int i = 0; i < READS; i++)
		if (request_as(c, "GET", path, NULL, accept, NULL) != 200)
			fail(path);
	bench_say(what, (bench_cpu(store) - cpu) / READS * 1000, "ms CPU", 0);
	bench_say("   its time", (clock_monotonic() - start) / READS * 1000, "ms", 0);
	bench_say("   its size", (double)c->in.len / 1e6, "MB", 0);
}

static void
reading(struct client *c)
{
	read_page(c, "discovery of all", "/apis", all_at_once);
	read_page(c, "list of groups", "/apis", NULL);
	read_page(c, "/apis/GROUP/VERSION", "/apis/g7.example.com/v1", NULL);
	read_page(c, "OpenAPI v3, what there is", "/openapi/v3", NULL);
	read_page(c, "OpenAPI v3 of a group", "/openapi/v3/apis/g7.example.com/v1", NULL);
	read_page(c, "list of definitions", crds, NULL);
	read_page(c, "OpenAPI v2", "/openapi/v2", NULL);
	weigh("store when all that was read", 0);
}

/* --- many at once, and somebody who wants something else --- */

static _Atomic int next;
static _Atomic bool done;

static void *
writer(void *change)
{
	struct client c = dial();
	int i;

	while ((i = atomic_fetch_add(&next, 1)) < DEFINITIONS)
		((void (*)(struct client *, int))change)(&c, i);
	hang_up(&c);
	return NULL;
}

static void *
bystander(void *arg)
{
	static const char map[] = "/api/v1/namespaces/kube-system/configmaps/bystander";
	struct times *t = arg;
	struct client c = dial();

	request(&c, "POST", "/api/v1/namespaces/kube-system/configmaps",
	    "{\"metadata\":{\"name\":\"bystander\"}}");
	while (!done && t->n < COUNT(t->ms)) {
		double start = clock_monotonic();

		if (request(&c, "GET", map, NULL) != 200)
			fail(map);
		t->ms[t->n++] = (clock_monotonic() - start) * 1000;
		usleep(500);
	}
	hang_up(&c);
	return NULL;
}

static void
together(struct client *c, void (*change)(struct client *c, int i), bool there, const char *what,
    struct times *others)
{
	double start = clock_monotonic(), cpu = bench_cpu(store);
	pthread_t t[WRITERS], b;

	next = 0;
	done = false;
	pthread_create(&b, NULL, bystander, others);
	for (int i = 0; i < WRITERS; i++)
		pthread_create(&t[i], NULL, writer, (void *)change);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < DEFINITIONS; i++)
		while (shows(c, &places[0], i) != there)
			usleep(500);
	done = true;
	pthread_join(b, NULL);
	bench_say(what, clock_monotonic() - start, "s", 0);
	bench_say("   its CPU", (bench_cpu(store) - cpu) / DEFINITIONS * 1000, "ms CPU each", 0);
}

static void
at_once(struct client *c)
{
	static struct times creating, deleting;

	together(c, take, false, "1,000 definitions deleted by 8 clients", &deleting);
	say_times("GET of a ConfigMap meanwhile", &deleting, 0);
	together(c, put, true, "1,000 definitions created by 8 clients", &creating);
	say_times("GET of a ConfigMap meanwhile", &creating, 0);
}

static void
say_sizes(void)
{
	size_t total = 0;

	for (int i = 0; i < DEFINITIONS; i++) {
		autofree char *text = definition_text(i);

		total += strlen(text);
	}
	bench_say("1,000 definitions, as JSON", (double)total / 1e6, "MB", 0);
}

int
main(int argc, char *argv[])
{
	struct client c;

	prepare(argc, argv);
	say_sizes();
	launch(NULL, 0);
	weigh("store, empty", 15);
	c = dial();
	serially(&c);
	reading(&c);
	at_once(&c);
	hang_up(&c);
	land();
	return tidy();
}
