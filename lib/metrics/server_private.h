#ifndef ORCH_METRICS_SERVER_PRIVATE_H
#define ORCH_METRICS_SERVER_PRIVATE_H

#include <pthread.h>

#include "metrics/server.h"
#include "serve/http.h"
#include "serve/tls.h"

/* What server.c, answer.c and discovery.c share. */
struct metrics_server {
	struct gather *gather;
	const struct metrics_front *front;
	struct tls *tls;
	struct http_server *http;

	pthread_mutex_t lock; /* of what follows */
	struct client *template;
	struct client *idle[2]; /* connections to the API server that nobody uses */
	size_t nidle;
};

/* A Status; details of what was meant where name is not NULL. */
void metrics_refuse(struct http_exchange *x, enum err_code code, const char *resource,
    const char *name, const char *message);
/* Of discovery, and 404 for the rest. */
void metrics_discovery(struct http_exchange *x);
json_t *metrics_openapi(const char *path); /* new; NULL: there is no such document */
/* Of nodes and pods, on a worker; false: the path is of neither. */
bool metrics_path(const char *path);
void metrics_answer(struct http_exchange *x, void *server);

struct client *server_borrow(struct metrics_server *s, struct err *err);
void server_give_back(struct metrics_server *s, struct client *c);

#endif
