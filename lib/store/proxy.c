/*
 * pods/proxy, services/proxy, nodes/proxy: any request to what listens there.  The name in the path
 * may say more: [SCHEME:]NAME[:PORT].
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/connect.h"

/* [SCHEME:]NAME[:PORT] in pieces; `text` is what they point into. */
struct where {
	char *text;
	const char *scheme, *name, *port;
};

static void
unavailable(struct call *c, const char *fmt, const char *what)
{
	autofree char *msg = xasprintf("%s\"%s\"", fmt, what);

	reply_status(c, 503, "ServiceUnavailable", msg, NULL);
}

static int
where_parse(struct call *c, struct where *w)
{
	char *rest = w->text = xstrdup(c->target.name), *part[3];
	int n = 0;

	for (char *p; n < 3 && (p = strsep(&rest, ":"));)
		part[n++] = p;
	w->scheme = n == 3 ? part[0] : "";
	w->name = part[n == 3];
	w->port = n == 3 ? part[2] : n == 2 ? part[1] : "";
	if (!rest && *w->name &&
	    (!*w->scheme || strcmp(w->scheme, "http") == 0 || strcmp(w->scheme, "https") == 0))
		return 0;
	autofree char *msg =
	    xasprintf("invalid %s request \"%s\"", c->kind->singular, c->target.name);
	reply_status(c, 400, "BadRequest", msg, NULL);
	return -1;
}

/* Path and query behind ".../proxy", as they were sent. */
static const char *
behind_proxy(const struct call *c)
{
	const char *query = c->req->target + strcspn(c->req->target, "?"), *p = c->req->target;

	for (int i = 0; i < c->target.depth && p < query; i++)
		p += 1 + strcspn(p + 1, "/?");
	return p;
}

/* A page must know that it is a folder, or its links lead astray. */
static bool
lacks_slash(struct call *c)
{
	const char *behind = behind_proxy(c);

	return (strcmp(c->req->method, "GET") == 0 || strcmp(c->req->method, "HEAD") == 0) &&
	       (!*behind || *behind == '?') && !http_upgrades(c->x);
}

static void
add_slash(struct call *c)
{
	size_t n = strcspn(c->req->target, "?");
	autofree char *to = xasprintf("%.*s/%s", (int)n, c->req->target, c->req->target + n);
	struct http_header location[] = { { "Location", to }, { NULL, NULL } };

	http_reply(c->x, 301, NULL, location, NULL, 0);
	call_free(c);
}

/*
 * Nobody may be led to what only this machine should reach, its own loopback before all: the
 * address comes from a status that others write.  Kubernetes has the same rule.
 */
static bool
is_public(const char *host)
{
	struct in6_addr six;
	struct in_addr four;
	uint32_t a;

	if (inet_pton(AF_INET, host, &four) == 1) {
		a = ntohl(four.s_addr);
		return a >> 24 != 127 && a != 0 && a >> 16 != 0xa9fe && a >> 28 < 14;
	}
	if (inet_pton(AF_INET6, host, &six) != 1)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&six) || IN6_IS_ADDR_V4COMPAT(&six))
		return false;
	return !IN6_IS_ADDR_LOOPBACK(&six) && !IN6_IS_ADDR_UNSPECIFIED(&six) &&
	       !IN6_IS_ADDR_LINKLOCAL(&six) && !IN6_IS_ADDR_MULTICAST(&six);
}

static void
go(struct call *c, const struct where *w, const char *host, int port, const struct duplex_tls *tls)
{
	static const struct duplex_tls any = { 0 };
	const char *behind = behind_proxy(c);
	autofree char *target = xasprintf("%s%s", *behind == '/' ? "" : "/", behind);
	bool secure = strcmp(w->scheme, "https") == 0;
	struct forward f = { .host = host,
		.port = port	 ? port
			: secure ? 443
				 : 80,
		.tls = tls	? tls
		       : secure ? &any
				: NULL,
		.target = target,
		.status = 503,
		.context = "error trying to reach service" };

	/* a node's server may be anywhere: it is known by its key */
	if (!tls && !is_public(host)) {
		reply_status(c, 400, "BadRequest", "address not allowed", NULL);
		return;
	}
	connect_forward(c, &f);
}

/* --- pods ------------------------------------------------------------------------ */

/* By number, or by a container's name for it; the first there is when none is asked for. */
static int
pod_port(const json_t *pod, const char *asked)
{
	json_t *container, *port;
	long long n;
	size_t i, k;

	if (*asked && text_int(asked, &n))
		return n > 0 && n < 65536 ? (int)n : -1;
	json_array_foreach (get(pod, "spec", "containers"), i, container)
		json_array_foreach (get(container, "ports"), k, port)
			if (!*asked || strcmp(text(port, "name"), asked) == 0)
				return (int)num(get(port, "containerPort"), 0);
	return *asked ? -1 : 0;
}

static void
to_pod(struct call *c, const struct where *w)
{
	struct object *o = cache_get(c->server->cache, c->table, c->target.namespace, w->name);
	json_auto_t *pod = o ? object_json(o, c->kind) : NULL;
	int port = pod ? pod_port(pod, w->port) : 0;
	struct err err;

	object_unref(o);
	if (!pod) {
		fail_not_found(c, w->name, &err);
		reply_error(c, &err);
	} else if (port < 0) {
		unavailable(c, "no port of the pod is called ", w->port);
	} else {
		go(c, w, text(pod, "status", "podIP"), port, NULL);
	}
}

/* --- services -------------------------------------------------------------------- */

/* The ready addresses behind one port of a Service, and one of them by chance. */
struct endpoints {
	const char *service, *port; /* the port's name */
	const struct kind *kind;
	json_t *found; /* [{address, port}] */
};

static bool
is_ready(const json_t *endpoint)
{
	const json_t *ready = get(endpoint, "conditions", "ready");

	return !json_is_false(ready); /* not said is yes: EndpointConditions */
}

static bool
collect(void *arg, struct object *o)
{
	struct endpoints *e = arg;
	json_auto_t *slice = object_json(o, e->kind);
	const char *of = meta_label(slice, "kubernetes.io/service-name");
	json_t *port, *endpoint, *address;
	size_t i, k, m;

	if (!of || strcmp(of, e->service) != 0)
		return true;
	json_array_foreach (get(slice, "ports"), i, port) {
		if (strcmp(text(port, "name"), e->port) != 0)
			continue;
		json_array_foreach (get(slice, "endpoints"), k, endpoint)
			json_array_foreach (get(endpoint, "addresses"), m, address)
				if (is_ready(endpoint))
					json_array_append_new(
					    e->found, json_pack("{s:O,s:O}", "address", address,
							  "port", get(port, "port")));
	}
	return true;
}

/* The name of the Service's port that is asked for by number or name; NULL: it has none such. */
static const char *
service_port(const json_t *service, const char *asked)
{
	json_t *port;
	long long n;
	size_t i;

	if (!text_int(asked, &n))
		return asked; /* the slices say whether there is one */
	json_array_foreach (get(service, "spec", "ports"), i, port)
		if (num(get(port, "port"), 0) == n)
			return text(port, "name");
	return NULL;
}

static void
to_endpoint(struct call *c, const struct where *w, const char *port)
{
	const struct kind *k = kind_find("discovery.k8s.io", "v1", "EndpointSlice");
	json_auto_t *found = json_array();
	struct endpoints e = { w->name, port, k, found };
	struct walk walk = { .table = cache_table(c->server->cache, k),
		.namespace = c->target.namespace };
	uint64_t revision;
	unsigned pick = 0;
	json_t *one;
	struct err err;

	cache_walk(c->server->cache, &walk, collect, &e, &revision, &err);
	if (json_array_size(found) == 0) {
		unavailable(c, "no endpoints available for service ", w->name);
		return;
	}
	if (getrandom(&pick, sizeof pick, 0) < 0)
		pick = 0;
	one = json_array_get(found, pick % json_array_size(found));
	go(c, w, text(one, "address"), (int)num(get(one, "port"), 0), NULL);
}

static void
to_service(struct call *c, const struct where *w)
{
	struct object *o = cache_get(c->server->cache, c->table, c->target.namespace, w->name);
	json_auto_t *service = o ? object_json(o, c->kind) : NULL;
	const char *port = service ? service_port(service, w->port) : NULL;
	struct err err;

	object_unref(o);
	if (!service) {
		fail_not_found(c, w->name, &err);
		reply_error(c, &err);
	} else if (!port) {
		autofree char *msg =
		    xasprintf("no service port %s found for service \"%s\"", w->port, w->name);
		reply_status(c, 503, "ServiceUnavailable", msg, NULL);
	} else {
		to_endpoint(c, w, port);
	}
}

/* --- nodes ------------------------------------------------------------------------ */

static void
to_node(struct call *c, const struct where *w)
{
	struct node_server s = { 0 };
	long long port = 0;

	if (*w->port && (!text_int(w->port, &port) || port < 1 || port > 65535)) {
		reply_status(c, 400, "BadRequest", "the port of a node is a number", NULL);
		return;
	}
	if (node_server_find(c, w->name, &s) == 0) {
		struct duplex_tls tls = node_tls(c, &s);
		bool its_server = port == 0 || port == s.port;

		go(c, w, s.address, its_server ? s.port : (int)port, its_server ? &tls : NULL);
	}
	node_server_release(&s);
}

void
proxy_way(struct call *c)
{
	struct where w;

	if (lacks_slash(c)) {
		add_slash(c);
		return;
	}
	if (where_parse(c, &w) == 0) {
		if (kind_is(c->kind, "", "Pod"))
			to_pod(c, &w);
		else if (kind_is(c->kind, "", "Service"))
			to_service(c, &w);
		else
			to_node(c, &w);
	}
	free(w.text);
}
