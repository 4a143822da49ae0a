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

enum {
	PODS = 10000,
	FIRST = 1000,
	CLIENTS = 32,
	GETS = 20000,
	LISTS = 5,
	APPLIED = 500,
	APPLIES = 3000
};

/* --- writing and reading --- */

struct job {
	_Atomic int *next;
	int end;
	bool create;
};

static void *
work(void *arg)
{
	const struct job *j = arg;
	struct client c = dial();
	int i, status;

	while ((i = atomic_fetch_add(j->next, 1)) < j->end) {
		autofree char *body = j->create ? pod("default", i) : NULL;
		autofree char *path = xasprintf("/api/v1/namespaces/default/pods%s%05d",
		    j->create ? "?_=" : "/web-7d4b9c6f5d-", j->create ? i : i % PODS);

		status = request(&c, j->create ? "POST" : "GET", path, body);
		if (status != (j->create ? 201 : 200)) {
			fprintf(stderr, "bench: %d: %s\n", status, c.in.data);
			exit(1);
		}
	}
	hang_up(&c);
	return NULL;
}

/* Objects first..end by so many clients. */
static void
many(bool create, int first, int end, int clients, const char *what, double aim)
{
	_Atomic int next = first;
	struct job j = { &next, end, create };
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

/* --- server-side apply --- */

static void
applies(void)
{
	struct client c = dial();
	double cpu = bench_cpu(store);

	for (int i = 0; i < APPLIES; i++) {
		autofree char *body = pod("apply", i % APPLIED),
			      *path = xasprintf("/api/v1/namespaces/apply/pods/web-7d4b9c6f5d-%05d?"
						"fieldManager=bench",
				  i % APPLIED);
		char *image = strstr(body, "web:1.27.3");

		if (i == 0)
			request(&c, "POST", "/api/v1/namespaces",
			    "{\"metadata\":{\"name\":\"apply\"}}");
		if (i == APPLIED) { /* all are there: from now on each is changed */
			bench_say("server-side apply that creates",
			    (bench_cpu(store) - cpu) / APPLIED * 1e6, "us CPU each", 500);
			cpu = bench_cpu(store);
		}
		image[4] = (char)('1' + i / APPLIED % 9);
		if (request_as(&c, "PATCH", path, "application/apply-patch+yaml", NULL, body) /
			100 !=
		    2) {
			fprintf(stderr, "bench: %s\n", c.in.data);
			exit(1);
		}
	}
	bench_say("server-side apply that changes an image",
	    (bench_cpu(store) - cpu) / (APPLIES - APPLIED) * 1e6, "us CPU each", 500);
	hang_up(&c);
}

int
main(int argc, char *argv[])
{
	struct client c;

	prepare(argc, argv);
	launch("ready, first start", 100);
	memory("store, empty", 15);
	many(true, 0, FIRST, 1, "create, fsync", 350);
	many(true, FIRST, PODS, CLIENTS, "create, fsync", 350);
	memory("store with 10,000 pods", 150);
	many(false, 0, GETS, 1, "get", 50);
	many(false, 0, GETS, CLIENTS, "get", 50);
	c = dial();
	lists(&c, "/api/v1/pods", NULL, "list of 10,000 pods", 100);
	lists(&c, "/api/v1/pods", "application/json;as=Table;v=v1;g=meta.k8s.io",
	    "Table of 10,000 pods", 250);
	lists(
	    &c, "/api/v1/pods?labelSelector=shard%3Ds3", NULL, "list of 625 of them by a label", 0);
	hang_up(&c);
	over_tls();
	applies();
	land();
	launch("ready, with 10,000 pods", 100);
	memory("store with 10,000 pods, started again", 150);
	land();
	return tidy();
}
