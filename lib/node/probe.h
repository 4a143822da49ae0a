#ifndef ORCH_NODE_PROBE_H
#define ORCH_NODE_PROBE_H

#include <jansson.h>
#include <stdbool.h>

#include "node/host.h"
#include "node/job.h"

/*
 * Startup, liveness and readiness probes: httpGet, tcpSocket, grpc and exec, each try in a forked
 * process. Until the startup probe has succeeded the other two wait.
 */
enum { STARTUP, LIVENESS, READINESS, PROBES };
extern const char *const probe_fields[PROBES]; /* "startupProbe", ... */

struct probe {
	struct job job;
	bool good;     /* its verdict now */
	bool decided;  /* it has reached a verdict at all */
	int streak;    /* tries in a row with the same outcome, negative for failures */
	double again;  /* when the next try is due; 0: now */
	char *message; /* of the last failure */
};

/* One try against a running container, for a forked process: 0 or what failed; *result may get
 * {"note": TEXT}, of a success that is odd, or {"unknown": TEXT}: there is no saying. */
struct probing {
	const struct host *host;
	const json_t *probe; /* or the handler of a hook */
	const json_t *container;
	const char *ip, *id, *bundle;
};
int probe_try(void *probing, json_t **result, struct err *err);
/* The same without its time limit, and for the hooks of a container's life: exec, httpGet,
 * tcpSocket, sleep. */
int handler_run(const struct probing *p, struct err *err);

/* A command in the container, with the container's own user and rights (probe_exec.c).  What it
 * leaves running is not waited for.  seconds 0: as long as it takes. */
int probe_exec(const struct probing *p, const json_t *command, double seconds, struct err *err);

/* Count an outcome: true when the verdict changed. */
bool probe_count(struct probe *p, const json_t *spec, bool success, double now);
void probe_reset(struct probe *p, const json_t *spec, double now); /* a new container */

#endif
