#include "store/authn.h"

#include <string.h>

#include "base/mem.h"

/* The groups of a certificate and the one every known user has. */
static const char *const *
groups_of(const char *const *organizations)
{
	size_t n = 0;
	const char **g;

	while (organizations && organizations[n])
		n++;
	g = xcalloc(n + 2, sizeof *g);
	for (size_t i = 0; i < n; i++)
		g[i] = organizations[i];
	g[n] = "system:authenticated";
	return g;
}

static int
authenticate_local(struct call *c, struct err *err)
{
	static const char *const masters[] = { "system:masters", NULL };
	const struct http_peer *peer = &c->req->peer;

	if (peer->uid != 0 && peer->uid != c->server->uid)
		return err_set(err, ERR_FORBIDDEN,
		    "user id %u may not use this socket: it is for root and user id %u",
		    (unsigned)peer->uid, (unsigned)c->server->uid);
	c->user.name = "system:admin";
	c->user.groups = groups_of(masters);
	return 0;
}

int
authenticate(struct call *c, struct err *err)
{
	const struct http_peer *peer = &c->req->peer;

	if (peer->local)
		return authenticate_local(c, err);
	if (!peer->common_name || !*peer->common_name)
		return err_set(err, ERR_UNAUTHORIZED, "Unauthorized");
	c->user.name = peer->common_name;
	c->user.groups = groups_of(peer->organizations);
	return 0;
}

static bool
member(const struct user *u, const char *group)
{
	for (const char *const *g = u->groups; *g; g++)
		if (strcmp(*g, group) == 0)
			return true;
	return false;
}

static bool
is_admin(const struct user *u)
{
	return member(u, "system:masters");
}

/* Everybody may ask about himself, as with the role system:basic-user. */
bool
user_may(const struct user *u, const char *verb, const char *group, const char *resource)
{
	static const char *const about_oneself[][2] = {
		{ "authentication.k8s.io", "selfsubjectreviews" },
		{ "authorization.k8s.io", "selfsubjectaccessreviews" },
		{ "authorization.k8s.io", "selfsubjectrulesreviews" },
	};

	if (is_admin(u))
		return true;
	for (size_t i = 0; i < COUNT(about_oneself); i++)
		if (strcmp(verb, "create") == 0 && strcmp(group, about_oneself[i][0]) == 0 &&
		    strcmp(resource, about_oneself[i][1]) == 0)
			return member(u, "system:authenticated");
	return false;
}

bool
user_may_see(const struct user *u, const char *path)
{
	return is_admin(u) || (member(u, "system:authenticated") && strcmp(path, "/metrics") != 0);
}

json_t *
user_rules(const struct user *u)
{
	if (is_admin(u))
		return json_pack("{s:[{s:[s],s:[s],s:[s]}],s:[{s:[s],s:[s]}],s:b}", "resourceRules",
		    "verbs", "*", "apiGroups", "*", "resources", "*", "nonResourceRules", "verbs",
		    "*", "nonResourceURLs", "*", "incomplete", 0);
	return json_pack(
	    "{s:[{s:[s],s:[s],s:[s,s]},{s:[s],s:[s],s:[s]}],s:[{s:[s],s:[s,s,s,s,s,s,s,s,"
	    "s]}],s:b}",
	    "resourceRules", "verbs", "create", "apiGroups", "authorization.k8s.io", "resources",
	    "selfsubjectaccessreviews", "selfsubjectrulesreviews", "verbs", "create", "apiGroups",
	    "authentication.k8s.io", "resources", "selfsubjectreviews", "nonResourceRules", "verbs",
	    "get", "nonResourceURLs", "/", "/api", "/api/*", "/apis", "/apis/*", "/healthz",
	    "/openapi/*", "/readyz", "/version", "incomplete", 0);
}

int
authorize(struct call *c, struct err *err)
{
	const struct target *t = &c->target;
	char where[300] = " at the cluster scope";

	if (is_admin(&c->user) || (t->type == TARGET_RESOURCE && !*t->sub &&
				      user_may(&c->user, c->verb, t->group, t->resource)))
		return 0;
	if (t->type != TARGET_RESOURCE && t->type != TARGET_METRICS)
		return 0;
	if (t->type == TARGET_METRICS)
		return err_set(err, ERR_FORBIDDEN,
		    "forbidden: User \"%s\" cannot get path \"/metrics\"", c->user.name);
	if (*t->namespace)
		snprintf(where, sizeof where, " in the namespace \"%.253s\"", t->namespace);
	return err_set(err, ERR_FORBIDDEN,
	    "%s%s%s%s is forbidden: User \"%s\" cannot %s resource \"%s%s%s\" in API group "
	    "\"%s\"%s",
	    kind_resource(c->kind, (char[128]){ 0 }), *t->name ? " \"" : "", t->name,
	    *t->name ? "\"" : "", c->user.name, c->verb, t->resource, *t->sub ? "/" : "", t->sub,
	    t->group, where);
}
