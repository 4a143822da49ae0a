/* The server's life, and who may come in. */
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "metrics/server_private.h"

void
metrics_refuse(struct http_exchange *x, enum err_code code, const char *resource, const char *name,
    const char *message)
{
	autobuf struct buf b = BUF_INIT;
	json_auto_t *answer = json_pack("{s:s, s:s, s:{}, s:s, s:s, s:s, s:i}", "kind", "Status",
	    "apiVersion", "v1", "metadata", "status", "Failure", "message", message, "reason",
	    err_reason(code), "code", err_http(code));

	if (name)
		json_object_set_new(answer, "details",
		    json_pack("{s:s, s:s, s:s}", "name", name, "group", "metrics.k8s.io", "kind",
			resource));
	jsonl_add(&b, answer);
	http_reply_text(x, err_http(code), "application/json", b.data);
}

/* --- clients ------------------------------------------------------------------------------ */

struct client *
server_borrow(struct metrics_server *s, struct err *err)
{
	struct client *c = NULL;

	pthread_mutex_lock(&s->lock);
	if (s->nidle > 0)
		c = s->idle[--s->nidle];
	else
		client_clone(&c, s->template, err);
	pthread_mutex_unlock(&s->lock);
	return c;
}

void
server_give_back(struct metrics_server *s, struct client *c)
{
	pthread_mutex_lock(&s->lock);
	if (s->nidle < COUNT(s->idle)) {
		s->idle[s->nidle++] = c;
		c = NULL;
	}
	pthread_mutex_unlock(&s->lock);
	client_close(c);
}

/* --- who may come in -------------------------------------------------------------------------- */

static bool
among(const json_t *names, const char *name)
{
	const json_t *v;
	size_t i;

	json_array_foreach (names, i, v)
		if (strcmp(str(v, ""), name) == 0)
			return true;
	return json_array_size(names) == 0;
}

/* It is the proxy, and it says for whom it asks: that this one may, it has found out. */
static bool
may_come_in(const struct metrics_server *s, const struct http_exchange *x)
{
	const char *front = http_request(x)->peer.front;
	const json_t *v;
	size_t i;

	if (!front || !among(s->front->names, front))
		return false;
	json_array_foreach (s->front->users, i, v) {
		const char *user = http_header(x, str(v, ""));

		if (user && *user)
			return true;
	}
	return false;
}

static void
health(struct metrics_server *s, struct http_exchange *x)
{
	bool ready = strcmp(http_request(x)->path, "/readyz") != 0 || gather_settled(s->gather);

	http_reply_text(x, ready ? 200 : 503, "text/plain; charset=utf-8",
	    ready ? "ok" : "the nodes were not asked twice yet");
}

static void
handle(struct http_exchange *x, void *arg)
{
	const struct http_request *rq = http_request(x);
	struct metrics_server *s = arg;

	if (strcmp(rq->path, "/healthz") == 0 || strcmp(rq->path, "/livez") == 0 ||
	    strcmp(rq->path, "/readyz") == 0)
		health(s, x);
	else if (!may_come_in(s, x))
		metrics_refuse(x, ERR_UNAUTHORIZED, NULL, NULL, "Unauthorized");
	else if (strcmp(rq->method, "GET") != 0 && strcmp(rq->method, "HEAD") != 0)
		metrics_refuse(x, ERR_METHOD, NULL, NULL,
		    "the server does not allow this method on the requested resource");
	else if (metrics_path(rq->path))
		http_defer(x, metrics_answer, s);
	else
		metrics_discovery(x);
}

/* --- its life --------------------------------------------------------------------------------- */

int
metrics_server_open(struct metrics_server **ret, struct gather *g, struct client *c,
    const struct metrics_front *front, const char *listen, const char *crt, const char *key,
    int *port, struct err *err)
{
	struct metrics_server *s = xcalloc(1, sizeof *s);
	int r;

	s->gather = g;
	s->front = front;
	pthread_mutex_init(&s->lock, NULL);
	if ((r = client_clone(&s->template, c, err)) < 0 ||
	    (r = tls_new(&s->tls, front->ca, crt, key, err)) < 0 ||
	    (r = tls_front(s->tls, front->ca, err)) < 0 ||
	    (r = http_server_new(&s->http, NULL, 1, 2, handle, s, err)) < 0 ||
	    (r = http_listen(s->http, listen, s->tls, port, err)) < 0 ||
	    (r = http_server_start(s->http, err)) < 0) {
		metrics_server_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

void
metrics_server_close(struct metrics_server *s)
{
	if (!s)
		return;
	if (s->http) {
		http_server_stop(s->http, 2);
		http_server_free(s->http);
	}
	tls_free(s->tls);
	while (s->nidle > 0)
		client_close(s->idle[--s->nidle]);
	client_close(s->template);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
