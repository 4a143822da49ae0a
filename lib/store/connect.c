/* Which subresources lead elsewhere, and how a node's server is found. */
#include "store/connect.h"

#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"

enum { NODE_PORT = 10250 };

bool
connects(const struct kind *k, const char *sub)
{
	static const char *const of_pods[] = { "attach", "exec", "log", "portforward", "proxy",
		NULL };

	if (kind_is(k, "", "Pod"))
		return text_in(sub, of_pods);
	return strcmp(sub, "proxy") == 0 && (kind_is(k, "", "Service") || kind_is(k, "", "Node"));
}

void
connect_handle(struct call *c)
{
	if (strcmp(c->target.sub, "proxy") == 0)
		call_defer(c, proxy_way);
	else
		call_defer(c, node_way);
}

static char *
words(int status, const char *message)
{
	json_auto_t *s =
	    status_json(status, status == 503 ? "ServiceUnavailable" : NULL, message, NULL);

	return json_dumps(s, JSON_COMPACT);
}

void
connect_forward(struct call *c, struct forward *f)
{
	f->words = words;
	if (!f->status)
		f->status = 500;
	http_forward(c->x, f);
	call_free(c);
}

/* Addresses before names: a node's name need not resolve here. */
static const char *
address_of(const json_t *node)
{
	static const char *const types[] = { "InternalIP", "ExternalIP", "InternalDNS",
		"ExternalDNS", "Hostname" };
	json_t *a;
	size_t i;

	for (size_t t = 0; t < COUNT(types); t++)
		json_array_foreach (get(node, "status", "addresses"), i, a)
			if (strcmp(text(a, "type"), types[t]) == 0 && *text(a, "address"))
				return text(a, "address");
	return NULL;
}

int
node_server_find(struct call *c, const char *name, struct node_server *ret)
{
	const struct kind *k = kind_find("", "v1", "Node");
	struct object *o = cache_get(c->server->cache, cache_table(c->server->cache, k), "", name);
	json_auto_t *node = o ? object_json(o, k) : NULL;
	const char *address = address_of(node), *pin = meta_annotation(node, "orch.io/server-pin");

	object_unref(o);
	if (!node) {
		autofree char *msg = xasprintf("nodes \"%s\" not found", name);
		reply_status(
		    c, 404, "NotFound", msg, json_pack("{s:s,s:s}", "name", name, "kind", "nodes"));
		return -1;
	}
	if (!address) {
		reply_status(
		    c, 500, NULL, "no preferred addresses found; known addresses: []", NULL);
		return -1;
	}
	ret->address = xstrdup(address);
	ret->pin = pin ? xstrdup(pin) : NULL;
	ret->port = (int)num(get(node, "status", "daemonEndpoints", "kubeletEndpoint", "Port"), 0);
	if (ret->port <= 0 || ret->port > 65535)
		ret->port = NODE_PORT;
	return 0;
}

void
node_server_release(struct node_server *s)
{
	free(s->address);
	free(s->pin);
}

struct duplex_tls
node_tls(const struct call *c, const struct node_server *s)
{
	return (struct duplex_tls){
		.crt = c->server->node_crt, .key = c->server->node_key, .pin = s->pin
	};
}
