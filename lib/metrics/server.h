#ifndef ORCH_METRICS_SERVER_H
#define ORCH_METRICS_SERVER_H

#include "metrics/gather.h"

/*
 * metrics.k8s.io/v1beta1, as an extension API server: get and list of nodes and pods, as objects
 * and as Tables, and discovery.  Who asks must be the front proxy (the API server, which has
 * authenticated and authorized the user): others get 401.
 *
 * Selectors are the API server's business: it is asked for the metadata of the Nodes or Pods that
 * are meant, and what is known of these is the answer.
 */
struct metrics_front {
	char *ca;      /* a file: whose certificates such proxies have */
	json_t *names; /* an array: the common names they have; empty: any */
	json_t *users; /* an array: the headers by which they say for whom they speak */
};

struct metrics_server;

/* Serves from now on.  front is borrowed.  c's clones ask the API server. */
int metrics_server_open(struct metrics_server **ret, struct gather *g, struct client *c,
    const struct metrics_front *front, const char *listen, const char *crt, const char *key,
    int *port, struct err *err);
void metrics_server_close(struct metrics_server *s); /* accepts NULL */

/* The objects as lines: NodeMetrics, then PodMetrics; of which kinds, and of what there, l says
 * (plural NULL: both). */
struct listing;
int metrics_print(struct gather *g, struct client *c, const struct listing *l,
    void (*each)(void *arg, const json_t *obj), void *arg, struct err *err);

#endif
