#ifndef ORCH_METRICS_REGISTER_H
#define ORCH_METRICS_REGISTER_H

#include "client/client.h"
#include "metrics/server.h"

/*
 * How an API server comes to know of this one: a Service of type ExternalName (so that there need
 * be no pod network, and a loopback address will do) and an APIService that leads to it.  They are
 * applied (server-side apply), so what belongs to somebody else is left alone: CONFLICT.
 */
#define METRICS_NAMESPACE "kube-system"
#define METRICS_SERVICE "orch-metrics"
/* What the certificate must be for. */
#define METRICS_HOST METRICS_SERVICE "." METRICS_NAMESPACE ".svc"

int metrics_register(
    struct client *c, const char *host, int port, const char *ca /* PEM */, struct err *err);
/* Take both away, if they are these. */
void metrics_unregister(struct client *c);

/* Who speaks for others, as the API server says it in the ConfigMap
 * kube-system/extension-apiserver-authentication; `ca` is the file to write the authorities to. */
int metrics_front_read(
    struct client *c, const char *ca, struct metrics_front *ret, struct err *err);
void metrics_front_release(struct metrics_front *f);

#endif
