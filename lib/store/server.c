/* The chain every request goes through, and the table of what comes after it. */
#include <string.h>
#include <strings.h>

#include "api/custom.h"
#include "api/registry.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/aggregation.h"
#include "store/authn.h"
#include "store/bootstrap.h"
#include "store/connect.h"
#include "store/conversion.h"
#include "store/front_proxy.h"
#include "store/service.h"
#include "store/tokenfile.h"

struct server *
server_new(struct cache *cache, struct commit *commit, struct watches *watches, uid_t uid)
{
	struct server *s = xcalloc(1, sizeof *s);

	s->cache = cache;
	s->commit = commit;
	s->watches = watches;
	s->uid = uid;
	s->namespaces = cache_table(cache, kind_find("", "v1", "Namespace"));
	s->started = clock_monotonic();
	s->metrics = metrics_new();
	s->conversions = conversions_new();
	s->openapi = openapi_new();
	return s;
}

void
server_free(struct server *s)
{
	if (!s)
		return;
	metrics_free(s->metrics);
	conversions_unref(s->conversions);
	bootstrap_free(s->bootstrap);
	aggregation_free(s->aggregation);
	services_free(s->services);
	openapi_free(s->openapi);
	free(s->node_crt);
	free(s->node_key);
	front_proxy_free(s->front);
	issuer_free(s->issuer);
	tokens_free(s->tokens);
	free(s->url);
	free(s);
}

void
server_node_client(struct server *s, const char *crt, const char *key)
{
	s->node_crt = xstrdup(crt);
	s->node_key = xstrdup(key);
}

bool
call_flag(struct call *c, const char *name)
{
	autofree char *v = http_query(c->x, name);

	/* as Go's conversion of query parameters: present and neither "0" nor "false" */
	return v && strcmp(v, "0") != 0 && strcasecmp(v, "false") != 0;
}

static void
run_on_worker(struct http_exchange *x, void *arg)
{
	struct call *c = arg;

	(void)x;
	c->run(c);
}

void
call_defer(struct call *c, void (*run)(struct call *c))
{
	if (conversion_near(c)) {
		conversion_defer(c, run);
		return;
	}
	c->run = run;
	http_defer(c->x, run_on_worker, c);
}

/* --- routing --- */

static void
not_found_page(struct call *c)
{
	reply_text(c, 404, "text/plain; charset=utf-8", "404 page not found\n");
}

static void
refuse_method(struct call *c)
{
	struct err err;

	fail_method(&err);
	reply_status(c, 405, err_reason(err.code), err.msg, json_object());
}

static void
resource_missing(struct call *c)
{
	reply_status(
	    c, 404, "NotFound", "the server could not find the requested resource", json_object());
}

/* Custom resources have words of their own for these. */
static void
custom_missing(struct call *c)
{
	struct err err;

	fail_not_found(c, c->target.name, &err);
	reply_error(c, &err);
}

static void
custom_refuse(struct call *c)
{
	static const char *const verbs[][2] = { { "GET", "get" }, { "HEAD", "get" },
		{ "POST", "create" }, { "PUT", "update" }, { "PATCH", "patch" },
		{ "DELETE", "delete" } };
	autofree char *msg = NULL;
	const char *verb = "";
	char resource[128];

	for (size_t i = 0; i < COUNT(verbs); i++)
		if (strcmp(c->req->method, verbs[i][0]) == 0)
			verb = verbs[i][1];
	msg = xasprintf(
	    "%s is not supported on resources of kind \"%s\"", verb, call_resource(c, resource));
	reply_status(c, 405, "MethodNotAllowed", msg,
	    json_pack("{s:s,s:s}", "group", c->kind->group, "kind", c->kind->plural));
}

struct route {
	const char *method;
	unsigned verb;
	const char *name;
	void (*handle)(struct call *c);
};

static const struct route collection[] = {
	{ "GET", VERB_LIST, "list", list_handle },
	{ "POST", VERB_CREATE, "create", create_handle },
	{ "DELETE", VERB_DELETECOLLECTION, "deletecollection", deletecollection_handle },
	{ NULL, 0, NULL, NULL },
};

static const struct route object[] = {
	{ "GET", VERB_GET, "get", get_handle },
	{ "PUT", VERB_UPDATE, "update", update_handle },
	{ "PATCH", VERB_PATCH, "patch", patch_handle },
	{ "DELETE", VERB_DELETE, "delete", delete_handle },
	{ NULL, 0, NULL, NULL },
};

/* The verb of a request is known before it is authorized. */
static const struct route *
find_route(struct call *c)
{
	const struct route *r = *c->target.name && !c->target.watch ? object : collection;

	while (r->method && strcmp(r->method, c->req->method) != 0)
		r++;
	return r->method ? r : NULL;
}

static bool
wants_watch(struct call *c)
{
	return strcmp(c->req->method, "GET") == 0 && !*c->target.sub &&
	       (c->target.watch || call_flag(c, "watch"));
}

static void
warn_deprecated(struct call *c)
{
	static const char *const deprecated[][2] = {
		{ "endpoints",
		    "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice" },
		{ "componentstatuses", "v1 ComponentStatus is deprecated in v1.19+" },
	};

	if (c->kind->custom && c->kind->custom->warning)
		call_warn(c, c->kind->custom->warning);
	for (size_t i = 0; i < COUNT(deprecated); i++) {
		if (!*c->kind->group && strcmp(c->kind->plural, deprecated[i][0]) == 0)
			call_warn(c, deprecated[i][1]);
	}
}

static void
resource_handle(struct call *c, const struct route *r)
{
	const struct subresource *sub =
	    *c->target.sub ? kind_subresource(c->kind, c->target.sub) : NULL;
	unsigned verbs = sub ? sub->verbs : c->kind->verbs;

	/* nothing but lists is of all namespaces */
	if (c->kind->custom && c->kind->namespaced && !*c->target.namespace &&
	    (!r || r->verb != VERB_LIST)) {
		not_found_page(c);
		return;
	}
	if (*c->target.sub && !sub) {
		(c->kind->custom ? custom_missing : resource_missing)(c);
		return;
	}
	if (sub && connects(c->kind, sub->name)) {
		connect_handle(c);
		return;
	}
	if (!r && sub && strcmp(c->req->method, "POST") == 0 && (sub->verbs & VERB_CREATE)) {
		subresource_handle(c);
		return;
	}
	/* without a list there is nothing of all namespaces */
	if (c->kind->namespaced && !*c->target.namespace && !*c->target.name &&
	    !(c->kind->verbs & VERB_LIST)) {
		resource_missing(c);
		return;
	}
	if (c->target.watch && r && r->verb != VERB_LIST)
		r = NULL;
	/* what is written belongs into a namespace */
	if (r && c->kind->namespaced && !*c->target.namespace &&
	    (*c->target.name || r->verb != VERB_LIST))
		r = NULL;
	if (!r || !(verbs & r->verb)) {
		(c->kind->custom ? custom_refuse : refuse_method)(c);
		return;
	}
	warn_deprecated(c);
	if (r->verb == VERB_CREATE && c->kind->custom && c->kind->custom->terminating) {
		reply_status(c, 405, "MethodNotAllowed",
		    "create not allowed while custom resource definition is terminating",
		    json_pack("{s:s,s:s}", "group", c->kind->group, "kind", c->kind->plural));
		return;
	}
	if (sub && strcmp(sub->name, "status") != 0)
		subresource_handle(c);
	else if (wants_watch(c) && (c->target.watch || !*c->target.name))
		watch_handle(c);
	else if (!*c->target.name && !c->kind->custom && text_ends(c->kind->kind, "Review"))
		review_handle(c);
	else if (!*c->target.name && r->verb == VERB_CREATE && !(c->kind->verbs & VERB_GET))
		subresource_handle(c); /* bindings: posted, never kept */
	else
		r->handle(c);
}

static void
route(struct call *c, const struct route *r)
{
	bool api = c->target.type != TARGET_RESOURCE && c->target.type != TARGET_MISSING &&
		   c->target.type != TARGET_UNKNOWN && c->target.type != TARGET_REMOTE;

	bool asks = strcmp(c->req->method, "GET") == 0 ||
		    (c->target.type == TARGET_HEALTH && strcmp(c->req->method, "HEAD") == 0);

	if (api && !asks) {
		refuse_method(c);
		return;
	}
	switch (c->target.type) {
	case TARGET_RESOURCE:
		resource_handle(c, r);
		break;
	case TARGET_MISSING:
		resource_missing(c);
		break;
	case TARGET_REMOTE:
		aggregation_handle(c);
		break;
	case TARGET_ROOT:
	case TARGET_API:
	case TARGET_APIS:
	case TARGET_GROUP:
	case TARGET_VERSION:
		discovery_handle(c);
		break;
	case TARGET_HEALTH:
		health_handle(c);
		break;
	case TARGET_SERVER_VERSION:
		version_handle(c);
		break;
	case TARGET_METRICS:
		metrics_handle(c);
		break;
	case TARGET_OPENAPI:
		openapi_handle(c);
		break;
	case TARGET_OPENID:
		openid_handle(c);
		break;
	case TARGET_UNKNOWN:
		not_found_page(c);
		break;
	}
}

static struct call *
call_new(struct server *s, struct http_exchange *x)
{
	struct call *c = xcalloc(1, sizeof *c);

	c->epoch = registry_enter();
	c->server = s;
	c->x = x;
	c->req = http_request(x);
	c->began = clock_monotonic();
	c->write.draft = (struct draft)DRAFT_INIT;
	target_parse(&c->target, c->req->path);
	c->kind = c->target.kind;
	if (c->kind) {
		c->table = cache_table(s->cache, c->kind);
		c->view = cache_own_table(s->cache, c->kind);
	}
	aggregation_route(c);
	return c;
}

static bool
open_to_all(const struct target *t)
{
	return t->type == TARGET_HEALTH || t->type == TARGET_SERVER_VERSION;
}

/* What has one form only is given to whoever asks. */
static bool
negotiable(const struct target *t)
{
	if (t->type == TARGET_RESOURCE && connects(t->kind, t->sub))
		return false;
	return t->type != TARGET_HEALTH && t->type != TARGET_METRICS && t->type != TARGET_OPENAPI &&
	       t->type != TARGET_OPENID && t->type != TARGET_UNKNOWN && t->type != TARGET_REMOTE;
}

/* A refusal is about what the path names, be it there or not. */
static void
turn_away(struct call *c, const struct err *err)
{
	const struct target *t = &c->target;
	json_t *d = err->code == ERR_FORBIDDEN ? json_object() : NULL;

	if (d && *t->name)
		json_object_set_new(d, "name", json_string(t->name));
	if (d && *t->group && *t->resource)
		json_object_set_new(d, "group", json_string(t->group));
	if (d && *t->resource)
		json_object_set_new(d, "kind", json_string(t->resource));
	reply_status(c, err_http(err->code), err_reason(err->code), err->msg, d);
}

/* authenticate -> impersonate -> (flow control: its place is here) -> authorize -> negotiate ->
 * route */
void
server_handle(struct http_exchange *x, void *server)
{
	struct call *c = call_new(server, x);
	const struct route *r = *c->target.resource ? find_route(c) : NULL;
	struct err err;

	c->verb = r ? r->name : *c->target.resource ? "create" : "get";
	if (r && r->verb == VERB_LIST && wants_watch(c))
		c->verb = "watch";
	if (c->remote && strcmp(c->req->method, "HEAD") == 0)
		c->verb = *c->target.name ? "get" : "list";
	if (!open_to_all(&c->target) &&
	    (authenticate(c, &err) < 0 || impersonate(c, &err) < 0 || authorize(c, &err) < 0)) {
		turn_away(c, &err);
		return;
	}
	if (negotiable(&c->target) && call_negotiate(c) < 0)
		return;
	route(c, r);
}

/* Everything but figures and health is on the other door. */
void
server_metrics_only(struct http_exchange *x, void *server)
{
	struct call *c = call_new(server, x);

	c->verb = "get";
	if (c->target.type == TARGET_METRICS)
		metrics_handle(c);
	else if (c->target.type == TARGET_HEALTH)
		health_handle(c);
	else
		not_found_page(c);
}
