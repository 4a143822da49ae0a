#ifndef ORCH_NODE_PROBE_NET_H
#define ORCH_NODE_PROBE_NET_H

#include <jansson.h>

#include "base/err.h"

/*
 * Health checks over the network, one try each, as the kubelet makes them.  `how` is the handler
 * of that name in a probe or hook.  They block for at most `seconds`; what failed is in err, in the
 * words of the kubelet.
 */
struct reach {
	const char *ip;		 /* where a check goes that names no host */
	const json_t *container; /* whose ports have names; NULL: none */
	double seconds;
};

/*
 * GET; a status of 200 to 399 is health.  Redirects on the same host are followed, ten at most; one
 * to another host is health, too, and *note (a new string, else NULL) tells of it.  Any certificate
 * will do.
 */
int reach_http(const struct reach *r, const json_t *how, char **note, struct err *err);
/* A connection can be made. */
int reach_tcp(const struct reach *r, const json_t *how, struct err *err);
/* grpc.health.v1.Health/Check says SERVING. */
int reach_grpc(const struct reach *r, const json_t *how, struct err *err);

/* The port as a number, or by the name of one of the container's; 0 when there is none such. */
int reach_port(const struct reach *r, const json_t *port);

#endif
