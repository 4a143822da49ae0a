/* Requests that another server answers. */
#include <string.h>

#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/aggregation.h"
#include "store/connect.h"
#include "store/front_proxy.h"
#include "store/service_way.h"

enum { HEAD_SECONDS = 60 }; /* as long as Kubernetes lets a request last that is no watch */

/* /apis/GROUP of a group that no kind of ours is of. */
static void
route_group(struct call *c)
{
	const char *group = c->req->path + strlen("/apis/");
	autofree char *bare = xstrndup(group, strcspn(group, "/"));
	struct api_service *api;

	if (!*bare || (group[strlen(bare)] && group[strlen(bare) + 1]) ||
	    !(api = aggregation_find(c->server->aggregation, bare, NULL, false)))
		return;
	api_service_unref(api);
	target_release(&c->target);
	c->target = (struct target){ .type = TARGET_GROUP,
		.version = "",
		.namespace = "",
		.resource = "",
		.name = "",
		.sub = "" };
	c->target.group = c->target.text = steal(bare);
}

void
aggregation_route(struct call *c)
{
	struct target t;

	if (!c->server->aggregation || !text_starts(c->req->path, "/apis/"))
		return;
	if (c->target.type == TARGET_UNKNOWN)
		route_group(c);
	if (!target_parse_remote(&t, c->req->path) ||
	    !(c->remote = aggregation_find(c->server->aggregation, t.group, t.version, true))) {
		target_release(&t);
		return;
	}
	target_release(&c->target);
	c->target = t;
	c->kind = NULL;
	c->table = c->view = NULL;
}

/* As Go's http.Error says it; what took too long as the filter of requests does. */
static char *
words(int status, const char *message)
{
	json_auto_t *v = NULL;
	autofree char *timeout = NULL;

	if (status != 504)
		return xasprintf("%s\n", message);
	timeout = xasprintf("Timeout: %s", message);
	v = status_json(status, "Timeout", timeout, json_object());
	return json_dumps(v, JSON_COMPACT);
}

static void
unavailable(struct call *c, const char *message)
{
	autofree char *text = xasprintf("%s\n", message);

	reply_text(c, 503, "text/plain; charset=utf-8", text);
}

/* "10.0.0.1:443" or "[fd00::1]:443" in two; cuts address. */
static char *
split(char *address, int *port)
{
	char *colon = strrchr(address, ':');
	long long n = 0;

	*colon = '\0';
	text_int(colon + 1, &n);
	*port = (int)n;
	if (*address == '[') {
		address[strlen(address) - 1] = '\0';
		return address + 1;
	}
	return address;
}

/* Subresources that may take their time: Kubernetes' list. */
static const char *const long_running[] = { "attach", "exec", "log", "portforward", "proxy", NULL };

static void
pass(struct call *c, char *address, const char *host, const char *identity)
{
	const struct api_service *api = c->remote;
	const struct front_proxy *front = c->server->front;
	autofree const char **drops = front_proxy_drops(front);
	bool lasts = strcmp(c->verb, "watch") == 0 || text_in(c->target.sub, long_running) ||
		     http_upgrades(c->x);
	struct duplex_tls tls = { .crt = front->crt,
		.key = front->key,
		.verify = !api->insecure,
		.ca = api->ca,
		.name = host };
	struct forward f = { .tls = &tls,
		.target = c->req->target,
		.header = identity,
		.drops = drops,
		.words = words,
		.status = 503,
		.context = "error trying to reach service",
		.head_seconds = lasts ? 0 : HEAD_SECONDS,
		.no_redirects = true };

	f.host = split(address, &f.port);
	http_forward(c->x, &f);
	call_free(c);
}

/* On a worker: where it is has to be looked up. */
static void
remote_run(struct call *c)
{
	const struct api_service *api = c->remote;
	autofree char *host = NULL, *address = NULL, *message = NULL;
	autobuf struct buf identity = BUF_INIT;
	struct err err;

	if (service_way(c->server, api->namespace, api->service, api->port, &host, &address, &err) <
	    0) {
		unavailable(c, "service unavailable");
	} else if (front_proxy_headers(&c->user, &identity, &err) < 0) {
		message = xasprintf("error trying to reach service: %s", err.msg);
		unavailable(c, message);
	} else {
		pass(c, address, host, identity.data);
	}
}

void
aggregation_handle(struct call *c)
{
	if (!c->remote->available)
		unavailable(c, "service unavailable");
	else
		call_defer(c, remote_run);
}

void
aggregation_pass(struct call *c, struct api_service *api)
{
	c->remote = api;
	if (!api->available)
		unavailable(c, "service unavailable");
	else
		remote_run(c);
}
