/*
 * Pods of the cluster that KUBECONFIG names, made and deleted, and how long that takes in ms.
 *
 *	pods one PREFIX COUNT < pod	one after the other: from the request that creates each to
 *					the event that says it runs, a line each
 *	pods all PREFIX COUNT < pod	all at once: until the last one runs
 *	pods delete PREFIX COUNT	all at once: until the last one has gone
 *	pods ready PREFIX COUNT		until so many are ready
 *	pods failed PREFIX COUNT	until so many have failed
 *
 * The pod is a manifest in JSON; it gets the name PREFIX-N.
 */
#include <signal.h>

#include "api/meta.h"
#include "api/pod.h"
#include "bench.h"
#include "client/cache.h"
#include "client/client.h"

enum { TIMEOUT = 120 };

static struct client *client;
static struct cache *cache;
static const char *prefix;
static int running, gone, ready, failed;

static void
complain(const struct err *err, const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, err->msg);
	exit(1);
}

static bool
in_phase(const json_t *pod, const char *phase)
{
	return pod && strcmp(text(pod, "status", "phase"), phase) == 0;
}

static bool
is_ready(const json_t *pod)
{
	return pod && strcmp(text(condition_find(pod, "Ready"), "status"), "True") == 0;
}

static void
changed(void *arg, const char *type, const json_t *pod, const json_t *old)
{
	size_t n = strlen(prefix);

	(void)arg;
	if (strncmp(meta_name(pod), prefix, n) != 0 || meta_name(pod)[n] != '-')
		return;
	if (strcmp(type, "DELETED") == 0) {
		gone++;
		return;
	}
	running += in_phase(pod, "Running") && !in_phase(old, "Running");
	failed += in_phase(pod, "Failed") && !in_phase(old, "Failed");
	ready += is_ready(pod) - is_ready(old);
}

static void
until(const int *count, int want)
{
	double end = clock_monotonic() + TIMEOUT;
	struct err err;

	while (*count < want) {
		if (cache_wait(cache, 1, -1, &err) < 0)
			complain(&err, "cannot watch pods");
		if (clock_monotonic() > end) {
			fprintf(stderr, "bench: only %d of %d after %d s\n", *count, want, TIMEOUT);
			exit(1);
		}
	}
}

static void
create(json_t *pod, int i)
{
	autofree char *name = xasprintf("%s-%d", prefix, i);
	struct err err;

	put(pod, json_string(name), "metadata", "name");
	put(pod, json_string("default"), "metadata", "namespace");
	if (client_create(client, pod, NULL, NULL, &err) < 0)
		complain(&err, "cannot create a pod");
}

static void delete (int i)
{
	autofree char *name = xasprintf("%s-%d", prefix, i);
	struct err err;

	if (client_delete(client, kind_find("", "v1", "Pod"), "default", name, NULL, NULL, &err) <
	    0)
		complain(&err, "cannot delete a pod");
}

static void
print(double since)
{
	printf("%.0f\n", (clock_monotonic() - since) * 1000);
	fflush(stdout);
}

/* Each is asked for; "one": and waited for. */
static void
ask(const char *what, int n, json_t *pod)
{
	for (int i = 0; i < n; i++) {
		double begun = clock_monotonic();

		if (*what == 'd') {
			delete (i);
			continue;
		}
		create(pod, i);
		if (*what == 'o') {
			until(&running, i + 1);
			print(begun);
		}
	}
}

static void
open_cluster(void)
{
	struct err err;

	if (client_open(&client, &err) < 0 || cache_open(&cache, client, &err) < 0 ||
	    cache_add(cache, kind_find("", "v1", "Pod"), "default", NULL, &err) < 0)
		complain(&err, "cannot reach the cluster");
	cache_on_change(cache, changed, NULL);
	while (!cache_synced(cache))
		if (cache_wait(cache, 1, -1, &err) < 0)
			complain(&err, "cannot list pods");
}

int
main(int argc, char *argv[])
{
	const char *what = argc == 4 ? argv[1] : "";
	int n = argc == 4 ? atoi(argv[3]) : 0;
	bool making = *what == 'o' || *what == 'a', asking = making || *what == 'd';
	json_auto_t *pod = making ? json_loadf(stdin, 0, NULL) : NULL;
	double begun = clock_monotonic();

	if (n <= 0 || (making && !pod)) {
		fprintf(stderr, "usage: pods one|all|delete|ready|failed PREFIX N [< pod]\n");
		return 2;
	}
	prefix = argv[2];
	signal(SIGPIPE, SIG_IGN);
	open_cluster();
	if (asking) {
		begun = clock_monotonic();
		ask(what, n, pod);
	}
	if (*what != 'o') {
		until(*what == 'd'   ? &gone
		      : *what == 'a' ? &running
		      : *what == 'r' ? &ready
				     : &failed,
		    n);
		print(begun);
	}
	cache_close(cache);
	client_close(client);
	return 0;
}
