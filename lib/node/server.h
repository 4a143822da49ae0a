#ifndef ORCH_NODE_SERVER_H
#define ORCH_NODE_SERVER_H

#include <sys/types.h>

#include "node/host.h"
#include "serve/tls.h"

/*
 * The node's own server, by which an API server reaches what runs here, in the paths of a kubelet:
 *
 *	GET /healthz
 *	GET /containerLogs/NAMESPACE/POD/CONTAINER	follow previous timestamps tailLines
 *							sinceSeconds sinceTime limitBytes
 *	    /exec/NAMESPACE/POD/CONTAINER		command input output error tty
 *	    /attach/NAMESPACE/POD/CONTAINER		input output error tty
 *	    /portForward/NAMESPACE/POD
 *	GET /stats/summary		what is used, as JSON	only_cpu_and_memory
 *	GET /metrics/resource, /metrics/cadvisor	the same for Prometheus
 *
 * It is a process of its own, which only reads the node's data folder: it can end at any time, and
 * the node with its pods goes on.  TLS with a certificate of its own, known by its pin; a client
 * must have a certificate of `client_ca` whose group is system:masters or whose name is the one API
 * servers have.
 */
struct node_server {
	pid_t pid; /* 0: none */
	int port;
	char *listen, *client_ca;
	double again; /* when to try once more what did not work */
};

/*
 * Start it; it ends when the calling process does.  listen is HOST:PORT (port 0: any), or NULL for
 * the node's address and port 10250, or any port when somebody has that one.  Tells the host
 * (host_set_server), so that the Node says where it is.
 */
int server_start(struct node_server *s, struct host *h, const char *listen, const char *client_ca,
    struct err *err);
/* Start it again, at the same port, when it has ended by itself. */
int server_check(struct node_server *s, struct host *h, struct err *err);
void server_stop(struct node_server *s);

#endif
