#ifndef ORCH_NODE_SERVER_PRIVATE_H
#define ORCH_NODE_SERVER_PRIVATE_H

#include "node/pod.h"
#include "serve/http.h"

/* What server.c and the files of its paths share. */
struct server {
	struct host *host;
	const char *client_ca;
};

/* A pod of this node by its name, as its record says; NULL when there is none (with a container of
 * that name, unless that is NULL). pod_free() it. */
struct pod *server_pod(const struct server *s, const char *ns, const char *name,
    const char *container, struct container **c);

/* A Status, as the API server passes it on to its client. */
void server_refuse(struct http_exchange *x, int status, const char *fmt, ...) PRINTF(3, 4);

/* Each answers the exchange. */
void server_log(struct server *s, struct http_exchange *x, const char *ns, const char *name,
    const char *container);
void server_exec(struct server *s, struct http_exchange *x, const char *ns, const char *name,
    const char *container);
void server_attach(struct server *s, struct http_exchange *x, const char *ns, const char *name,
    const char *container);
void server_summary(struct server *s, struct http_exchange *x);
void server_resource(struct server *s, struct http_exchange *x);
void server_cadvisor(struct server *s, struct http_exchange *x);
void server_forward(struct server *s, struct http_exchange *x, const char *ns, const char *name);

#endif
