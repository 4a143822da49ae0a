/* POST of serviceaccounts/token: a TokenRequest, answered with a token and kept nowhere. */
#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/time.h"
#include "store/admission.h"

enum {
	LEAST_SECONDS = 600,
	DEFAULT_WARN = 3607, /* what projected volumes ask for: pods that do not read their token
				again are given a year, and told on */
	YEAR = 365 * 24 * 3600,
};
static const json_int_t most_seconds = (json_int_t)1 << 32;

/* What a token is made of. */
struct order {
	const json_t *account;
	json_t *pod, *secret, *node; /* what it is bound to, NULL: nothing */
	const json_t *audiences;
	json_int_t seconds, warn_after; /* warn_after 0: never */
};

/* --- refusals; each answers and returns -1 --- */

static int
bad_request(struct call *c, const char *msg)
{
	reply_status(c, 400, "BadRequest", msg, NULL);
	return -1;
}

static int
conflict(struct call *c, const char *group, const char *kind, const char *name, const char *why)
{
	json_t *d = json_pack("{s:s,s:s}", "name", name, "kind", kind);
	autofree char *msg = xasprintf("Operation cannot be fulfilled on %s%s%s \"%s\": %s", kind,
	    *group ? "." : "", group, name, why);

	if (*group)
		json_object_set_new(d, "group", json_string(group));
	reply_status(c, 409, "Conflict", msg, d);
	return -1;
}

static int
invalid(struct call *c, const struct kind *k, const struct causes *causes, const char *name)
{
	autofree char *msg = causes_message(causes, k, name);
	json_t *d = json_pack(
	    "{s:s,s:s,s:o}", "group", k->group, "kind", k->kind, "causes", causes_json(causes));

	if (*name)
		json_object_set_new(d, "name", json_string(name));
	reply_status(c, 422, "Invalid", msg, d);
	return -1;
}

/* --- checks --- */

/* metadata may be left out; what it says must be the account's. */
static int
check_place(struct call *c, const struct kind *k, const json_t *req)
{
	struct causes causes = CAUSES_INIT;
	const char *name = meta_name(req), *ns = meta_namespace(req);
	int r = 0;

	if (*name && strcmp(name, c->target.name) != 0)
		cause_add(&causes, "FieldValueInvalid", "metadata.name",
		    "Invalid value: \"%s\": must match the service account name if specified",
		    name);
	else if (*ns && strcmp(ns, c->target.namespace) != 0)
		cause_add(&causes, "FieldValueInvalid", "metadata.namespace",
		    "Invalid value: \"%s\": must match the service account namespace if specified",
		    ns);
	if (causes.n)
		r = invalid(c, k, &causes, c->target.name);
	causes_release(&causes);
	return r;
}

static int
check_account(struct call *c, const json_t *req, const json_t *account)
{
	autofree char *why = NULL;

	if (!*meta_uid(req) || strcmp(meta_uid(req), meta_uid(account)) == 0)
		return 0;
	why = xasprintf("the UID in the token request (%s) does not match the UID of the service "
			"account (%s)",
	    meta_uid(req), meta_uid(account));
	return conflict(c, "authentication.k8s.io", "TokenRequest", c->target.name, why);
}

static int
check_spec(struct call *c, const struct kind *k, const json_t *req)
{
	json_int_t seconds = num(get(req, "spec", "expirationSeconds"), 0);
	struct causes causes = CAUSES_INIT;
	int r = 0;

	if (seconds < LEAST_SECONDS)
		cause_add(&causes, "FieldValueInvalid", "spec.expirationSeconds",
		    "Invalid value: %lld: may not specify a duration less than 10 minutes",
		    (long long)seconds);
	if (seconds > most_seconds)
		cause_add(&causes, "FieldValueInvalid", "spec.expirationSeconds",
		    "Invalid value: %lld: may not specify a duration larger than 2^32 seconds",
		    (long long)seconds);
	if (causes.n)
		r = invalid(c, k, &causes, "");
	causes_release(&causes);
	return r;
}

/* --- what it is bound to --- */

static json_t *
find(struct call *c, const struct kind *k, const char *name)
{
	struct cache *cache = c->server->cache;
	struct object *o =
	    cache_get(cache, cache_table(cache, k), k->namespaced ? c->target.namespace : "", name);
	json_t *obj = o ? object_json(o, k) : NULL;

	object_unref(o);
	return obj;
}

/* A Pod tells where it runs, even when there is no such Node. */
static json_t *
node_of(struct call *c, const json_t *pod)
{
	const char *name = text(pod, "spec", "nodeName");
	json_t *node = *name ? find(c, kind_find("", "v1", "Node"), name) : NULL;

	return node || !*name ? node : json_pack("{s:{s:s}}", "metadata", "name", name);
}

static int
bind_pod(struct call *c, struct order *o)
{
	const char *account = text(o->pod, "spec", "serviceAccountName");

	if (strcmp(account, c->target.name) != 0) {
		autofree char *msg = xasprintf("cannot bind token for serviceaccount \"%s\" to pod "
					       "running with different serviceaccount name.",
		    c->target.name);

		return bad_request(c, msg);
	}
	o->node = node_of(c, o->pod);
	return 0;
}

static int
unbindable(struct call *c, const char *version, const char *kind)
{
	const char *slash = strchr(version, '/');
	bool odd = slash && strchr(slash + 1, '/');
	autofree char *msg = xasprintf("cannot bind token to object of type %s%s, Kind=%s",
	    slash && !odd ? "" : "/", odd ? "" : version, kind);

	return bad_request(c, msg);
}

static int
bind(struct call *c, const json_t *ref, struct order *o)
{
	const struct {
		const char *kind;
		json_t **slot;
	} kinds[] = { { "Pod", &o->pod }, { "Node", &o->node }, { "Secret", &o->secret } };
	const char *kind = text(ref, "kind"), *version = text(ref, "apiVersion");
	const char *name = text(ref, "name"), *uid = text(ref, "uid");
	json_t **slot = NULL;
	const struct kind *k;
	autofree char *why = NULL;
	char resource[128];
	struct err err;

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0 && !strchr(version, '/'))
			slot = kinds[i].slot;
	if (!slot)
		return unbindable(c, version, kind);
	k = kind_find("", "v1", kind);
	if (!(*slot = find(c, k, name))) {
		err_set(
		    &err, ERR_NOT_FOUND, "%s \"%s\" not found", kind_resource(k, resource), name);
		reply_status(c, 404, "NotFound", err.msg,
		    json_pack("{s:s,s:s}", "name", name, "kind", k->plural));
		return -1;
	}
	if (o->pod && bind_pod(c, o) < 0)
		return -1;
	if (!*uid || strcmp(uid, meta_uid(*slot)) == 0)
		return 0;
	why = xasprintf("the UID in the bound object reference (%s) does not match the UID in "
			"record. The object might have been deleted and then recreated",
	    uid);
	return conflict(c, "", kind, name, why);
}

/* --- the token --- */

static void
add_ref(json_t *about, const char *key, const json_t *obj)
{
	if (!obj)
		return;
	put(about, json_string(meta_name(obj)), key, "name");
	if (*meta_uid(obj))
		put(about, json_string(meta_uid(obj)), key, "uid");
}

static json_t *
claims_of(struct call *c, const struct order *o, int64_t now)
{
	const char *ns = c->target.namespace;
	autofree char *sub = xasprintf("system:serviceaccount:%s:%s", ns, c->target.name);
	json_t *about = json_pack("{s:s}", "namespace", ns);
	char id[37];

	new_uid(id);
	add_ref(about, "serviceaccount", o->account);
	add_ref(about, "pod", o->pod);
	add_ref(about, "secret", o->secret);
	add_ref(about, "node", o->node);
	if (o->warn_after)
		json_object_set_new(about, "warnafter", json_integer(now + o->warn_after));
	return json_pack("{s:s,s:s,s:O,s:I,s:I,s:I,s:s,s:o}", "iss", issuer_url(c->server->issuer),
	    "sub", sub, "aud", o->audiences, "exp", (json_int_t)(now + o->seconds), "iat",
	    (json_int_t)now, "nbf", (json_int_t)now, "jti", id, "kubernetes.io", about);
}

/* Pods of before tokens ended are let live: a year, for what a projected volume asks for. */
static void
extend(struct call *c, struct order *o)
{
	const char *ours = issuer_url(c->server->issuer);
	json_t *a;
	size_t i;

	if (!o->pod || o->seconds != DEFAULT_WARN)
		return;
	json_array_foreach (o->audiences, i, a)
		if (strcmp(str(a, ""), ours) != 0)
			return;
	o->warn_after = o->seconds;
	o->seconds = YEAR;
}

static int
issue(struct call *c, json_t *req, struct order *o)
{
	int64_t now = clock_now(), end = now + num(get(req, "spec", "expirationSeconds"), 0);
	json_auto_t *claims = NULL;
	autofree char *token = NULL;
	char text[TIME_TEXT];
	struct err err;

	o->audiences = get(req, "spec", "audiences");
	o->seconds = end - now;
	extend(c, o);
	claims = claims_of(c, o, now);
	if (jwt_sign(issuer_keys(c->server->issuer), claims, &token, &err) < 0) {
		reply_error(c, &err);
		return -1;
	}
	json_object_set_new(req, "status",
	    json_pack("{s:s,s:s}", "token", token, "expirationTimestamp", time_print(end, text)));
	return 0;
}

/* --- the request --- */

static void
complete(struct call *c, json_t *req, const json_t *account)
{
	char now[TIME_TEXT];

	if (json_array_size(get(req, "spec", "audiences")) == 0)
		put(req, json_pack("[s]", issuer_url(c->server->issuer)), "spec", "audiences");
	put(req, json_string(meta_name(account)), "metadata", "name");
	put(req, json_string(meta_namespace(account)), "metadata", "namespace");
	put(req, json_string(meta_uid(account)), "metadata", "uid");
	put(req, json_string(time_print(clock_now(), now)), "metadata", "creationTimestamp");
	json_object_del(req, "status");
}

/* Who wrote which field of the request, as if it were kept. */
static void
track(struct call *c, const struct kind *k, json_t *req)
{
	const struct kind *account = c->kind;

	c->kind = k;
	track_write(c, NULL, req);
	c->kind = account;
}

static int
ask_plugins(struct call *c, json_t *req)
{
	return admission_mutate(c, OP_CREATE, NULL, req) < 0 ||
		       admission_validate(c, OP_CREATE, NULL, req) < 0
		   ? -1
		   : 0;
}

static void
token_run(struct call *c)
{
	const struct kind *k = kind_find("authentication.k8s.io", "v1", "TokenRequest");
	struct order o = { 0 };
	json_auto_t *req = NULL, *account = NULL;
	json_t *ref;

	if (options_read(c, "CreateOptions") < 0 || body_object(c, k, &req) < 0)
		return;
	defaults_apply(k, req);
	track(c, k, req);
	if (check_place(c, k, req) < 0 || call_current(c) < 0)
		return;
	o.account = account = object_json(c->old, c->kind);
	if (check_account(c, req, account) < 0)
		return;
	complete(c, req, account);
	if (check_spec(c, k, req) < 0 || ask_plugins(c, req) < 0)
		return;
	ref = get(req, "spec", "boundObjectRef");
	if ((!json_is_object(ref) || bind(c, ref, &o) == 0) && issue(c, req, &o) == 0)
		reply_json(c, 201, req);
	json_decref(o.pod);
	json_decref(o.secret);
	json_decref(o.node);
}

void
token_handle(struct call *c)
{
	if (c->server->issuer)
		call_defer(c, token_run);
	else
		reply_status(c, 404, "NotFound", "the server could not find the requested resource",
		    json_object());
}
