/*
 * Questions that are posted and answered, and kept nowhere: who am I, whose token is this, may
 * somebody do something (authentication.k8s.io, authorization.k8s.io).
 */
#include <string.h>

#include "api/meta.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/authn.h"

/* --- who asks, or is asked about --- */

/* A user from a spec; groups points into it and is the caller's to free. */
static struct user
user_of(const json_t *spec)
{
	struct user u = { .name = text(spec, "user") };
	json_t *list = json_object_get(spec, "groups"), *g;
	const char **groups = xcalloc(json_array_size(list) + 1, sizeof *groups);
	size_t i;

	json_array_foreach (list, i, g)
		groups[i] = str(g, "");
	u.groups = groups;
	return u;
}

static json_t *
words_json(const char *const *words)
{
	json_t *list = json_array();

	for (; words && *words; words++)
		json_array_append_new(list, json_string(*words));
	return list;
}

static json_t *
user_json(const struct user *u)
{
	json_t *v = json_pack("{s:s,s:o}", "username", u->name, "groups", words_json(u->groups));

	if (u->uid)
		json_object_set_new(v, "uid", json_string(u->uid));
	for (const char *const *e = u->extra; e && *e; e += 2) {
		json_t *values = get(v, "extra", e[0]);

		if (values)
			json_array_append_new(values, json_string(e[1]));
		else
			put(v, json_pack("[s]", e[1]), "extra", e[0]);
	}
	return v;
}

/* --- may somebody do something --- */

static void
add_invalid(struct causes *causes, const char *field, const json_t *value, const char *why)
{
	autobuf struct buf b = BUF_INIT;

	if (value)
		json_add(&b, value);
	cause_add(causes, "FieldValueInvalid", field, "Invalid value: %s: %s",
	    value ? b.data : "null", why);
}

static int
check_access(struct call *c, const json_t *spec)
{
	json_t *resource = json_object_get(spec, "resourceAttributes");
	json_t *path = json_object_get(spec, "nonResourceAttributes");
	bool self = strncmp(c->kind->kind, "Self", 4) == 0;
	struct causes causes = CAUSES_INIT;

	if (resource && path)
		add_invalid(&causes, "spec.nonResourceAttributes", path,
		    "cannot be specified in combination with resourceAttributes");
	if (!resource && !path)
		add_invalid(&causes, "spec.resourceAttributes", NULL,
		    "exactly one of nonResourceAttributes or resourceAttributes must be specified");
	if (!self && !*text(spec, "user") && json_array_size(json_object_get(spec, "groups")) == 0)
		cause_add(&causes, "FieldValueInvalid", "spec.user",
		    "Invalid value: \"\": at least one of user or group must be specified");
	if (causes.n == 0)
		return 0;
	reply_invalid(c, &causes, "");
	causes_release(&causes);
	return -1;
}

static bool
allowed(const struct user *u, const json_t *spec)
{
	json_t *resource = json_object_get(spec, "resourceAttributes");

	if (resource)
		return user_may(
		    u, text(resource, "verb"), text(resource, "group"), text(resource, "resource"));
	return user_may_see(u, text(spec, "nonResourceAttributes", "path"));
}

static int
answer_access(struct call *c, json_t *obj)
{
	json_t *spec = json_object_get(obj, "spec");
	bool self = strncmp(c->kind->kind, "Self", 4) == 0;
	struct user u;

	if (check_access(c, spec) < 0)
		return -1;
	if (c->kind->namespaced &&
	    strcmp(text(spec, "resourceAttributes", "namespace"), c->target.namespace) != 0) {
		autofree char *msg =
		    xasprintf("spec.resourceAttributes.namespace must match namespace: %s",
			c->target.namespace);

		reply_status(c, 400, "BadRequest", msg, NULL);
		return -1;
	}
	u = self ? c->user : user_of(spec);
	json_object_set_new(obj, "status", json_pack("{s:b}", "allowed", allowed(&u, spec)));
	if (!self)
		free((void *)u.groups);
	return 0;
}

static int
answer_rules(struct call *c, json_t *obj)
{
	if (!*text(obj, "spec", "namespace")) {
		reply_status(c, 400, "BadRequest", "no namespace on request", NULL);
		return -1;
	}
	json_object_set_new(obj, "status", user_rules(&c->user));
	return 0;
}

/* --- who is it --- */

static int
answer_self(struct call *c, json_t *obj)
{
	json_object_set_new(obj, "status", json_pack("{s:o}", "userInfo", user_json(&c->user)));
	return 0;
}

static json_t *
token_status(const struct identity *i, const json_t *wanted, const char *ours)
{
	const struct user u = { i->name, i->uid, (const char *const *)i->groups, i->extra };
	json_t *list = json_array(), *a;
	size_t k;

	json_array_foreach (wanted, k, a)
		if (i->audiences ? text_in(str(a, ""), (const char *const *)i->audiences)
				 : strcmp(str(a, ""), ours) == 0)
			json_array_append(list, a);
	if (json_array_size(wanted) == 0)
		json_array_append_new(list, json_string(ours));
	return json_pack(
	    "{s:b,s:o,s:o}", "authenticated", 1, "user", user_json(&u), "audiences", list);
}

/* The token stands for an Authorization header: what is behind a space is no part of it. */
static int
answer_token(struct call *c, json_t *obj)
{
	json_t *audiences = get(obj, "spec", "audiences");
	const char *given = text(obj, "spec", "token");
	autofree char *token = xstrndup(given, strcspn(given, " ")), *why = NULL;
	const char *ours = c->server->issuer ? issuer_url(c->server->issuer) : "";
	struct identity *i;
	struct err err;

	if (!*given) {
		reply_status(c, 400, "BadRequest",
		    "token is required for TokenReview in authentication", NULL);
		return -1;
	}
	err.msg[0] = '\0';
	if (token_owner(c->server, token, audiences, &i, &err) == 0) {
		json_object_set_new(obj, "status", token_status(i, audiences, ours));
		identity_unref(i);
		return 0;
	}
	why = *err.msg ? xasprintf("[invalid bearer token, %s]", err.msg)
		       : xstrdup("invalid bearer token");
	json_object_set_new(obj, "status", json_pack("{s:{},s:s}", "user", "error", why));
	return 0;
}

static void
review_run(struct call *c)
{
	static const struct {
		const char *kind;
		int (*answer)(struct call *c, json_t *obj);
	} kinds[] = { { "SelfSubjectReview", answer_self }, { "TokenReview", answer_token },
		{ "SelfSubjectRulesReview", answer_rules },
		{ "SelfSubjectAccessReview", answer_access },
		{ "LocalSubjectAccessReview", answer_access },
		{ "SubjectAccessReview", answer_access } };
	char version[128];
	json_t *obj, *full;

	if (options_read(c, "CreateOptions") < 0 || body_object(c, c->kind, &obj) < 0)
		return;
	full = json_pack(
	    "{s:s,s:s}", "kind", c->kind->kind, "apiVersion", kind_api_version(c->kind, version));
	json_object_update(full, obj);
	json_decref(obj);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (strcmp(kinds[i].kind, c->kind->kind) != 0)
			continue;
		if (kinds[i].answer(c, full) == 0)
			reply_json(c, 201, full);
		break;
	}
	json_decref(full);
}

void
review_handle(struct call *c)
{
	call_defer(c, review_run);
}
