/*
 * orch-store under load: time to ready, create, apply, get, list, memory.  Clients speak over the
 *unix socket (so that the figures are the store's and not TLS's) unless the line says TLS, which
 *uses the certificate of DIR/admin.kubeconfig.
 *
 *	store PATH-OF-orch-store
 */
#include <pthread.h>
#include <stdatomic.h>

#include "daemon.h"

enum { PODS = 10000, FIRST = 1000, CLIENTS = 32, GETS = 20000, LISTS = 5, APPLIED = 500 };

/* --- writing and reading --- */

enum task { CREATE, GET, APPLY };

struct job {
	_Atomic int *next;
	int end;
	enum task task;
};

static int
one(struct client *c, enum task task, int i)
{
	static const char pods[] = "/api/v1/namespaces/default/pods";
	int which = i % (task == APPLY ? APPLIED : PODS);
	autofree char *body = task == GET ? NULL : pod(task == APPLY ? "apply" : "default", which),
		      *path = NULL;

	if (task == CREATE)
		return request(c, "POST", pods, body);
	if (task == GET) {
		path = xasprintf("%s/web-7d4b9c6f5d-%05d", pods, which);
		return request(c, "GET", path, NULL);
	}
	strstr(body, "web:1.27.3")[4] = (char)('1' + i / APPLIED % 9); /* another image each time */
	path = xasprintf(
	    "/api/v1/namespaces/apply/pods/web-7d4b9c6f5d-%05d?fieldManager=bench", which);
	return request_as(c, "PATCH", path, "application/apply-patch+yaml", NULL, body);
}

static void *
work(void *arg)
{
	const struct job *j = arg;
	struct client c = dial();
	int i;

	while ((i = atomic_fetch_add(j->next, 1)) < j->end) {
		if (one(&c, j->task, i) / 100 == 2)
			continue;
		fprintf(stderr, "bench: %s\n", c.in.data);
		exit(1);
	}
	hang_up(&c);
	return NULL;
}

/* Objects first..end by so many clients. */
static void
many(enum task task, int first, int end, int clients, const char *what, double aim)
{
	_Atomic int next = first;
	struct job j = { &next, end, task };
	double start = clock_monotonic(), cpu = bench_cpu(store), n = end - first;
	autofree char *rate = xasprintf("%s, %d client%s", what, clients, clients > 1 ? "s" : "");
	pthread_t t[CLIENTS];

	for (int i = 0; i < clients; i++)
		pthread_create(&t[i], NULL, work, &j);
	for (int i = 0; i < clients; i++)
		pthread_join(t[i], NULL);
	bench_say(rate, n / (clock_monotonic() - start), "/s", 0);
	bench_say(rate, (bench_cpu(store) - cpu) / n * 1e6, "us CPU each", aim);
}

static void
lists(struct client *c, const char *path, const char *accept, const char *what, double aim)
{
	double cpu = bench_cpu(store), start = clock_monotonic();
	size_t len = 0;

	for (int i = 0; i < LISTS; i++) {
		if (request_as(c, "GET", path, NULL, accept, NULL) != 200)
			fail(path);
		len = c->in.len;
	}
	bench_say(what, (clock_monotonic() - start) / LISTS * 1000, "ms", aim);
	bench_say("   its CPU", (bench_cpu(store) - cpu) / LISTS * 1000, "ms CPU", 0);
	bench_say("   its size", (double)len / 1e6, "MB", 0);
}

/* --- TLS --- */

static void
over_tls(void)
{
	static const char path[] = "/api/v1/namespaces/default/pods/web-7d4b9c6f5d-00001";
	struct client c;
	double cpu;

	tls_prepare();
	cpu = bench_cpu(store);
	c = dial_tls();
	request(&c, "GET", path, NULL);
	bench_say("TLS handshake with a client certificate", (bench_cpu(store) - cpu) * 1000,
	    "ms CPU", 0);
	cpu = bench_cpu(store);
	for (int i = 0; i < GETS / 4; i++)
		if (request(&c, "GET", path, NULL) != 200)
			fail("get");
	bench_say(
	    "get, TLS, 1 client", (bench_cpu(store) - cpu) / (GETS / 4) * 1e6, "us CPU each", 50);
	lists(&c, "/api/v1/pods", NULL, "list of 10,000 pods, TLS", 100);
	hang_up(&c);
}

int
main(int argc, char *argv[])
{
	struct client c;

	prepare(argc, argv);
	launch("ready, first start", 100);
	memory("store, empty", 15);
	many(CREATE, 0, FIRST, 1, "create, fsync", 350);
	many(CREATE, FIRST, PODS, CLIENTS, "create, fsync", 350);
	memory("store with 10,000 pods", 150);
	many(GET, 0, GETS, 1, "get", 50);
	many(GET, 0, GETS, CLIENTS, "get", 50);
	c = dial();
	lists(&c, "/api/v1/pods", NULL, "list of 10,000 pods", 100);
	lists(&c, "/api/v1/pods", "application/json;as=Table;v=v1;g=meta.k8s.io",
	    "Table of 10,000 pods", 250);
	lists(
	    &c, "/api/v1/pods?labelSelector=shard%3Ds3", NULL, "list of 625 of them by a label", 0);
	hang_up(&c);
	over_tls();
	c = dial();
	request(&c, "POST", "/api/v1/namespaces", "{\"metadata\":{\"name\":\"apply\"}}");
	hang_up(&c);
	many(APPLY, 0, APPLIED, CLIENTS, "apply, new", 500);
	many(APPLY, APPLIED, 3 * APPLIED, 1, "apply, another image", 500);
	many(APPLY, 3 * APPLIED, 9 * APPLIED, CLIENTS, "apply, another image", 500);
	land();
	launch("ready, with 10,000 pods", 100);
	memory("store with 10,000 pods, started again", 150);
	land();
	return tidy();
}
