/* What whom is allowed: until RBAC is there, administrators everything and others very little. */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/authn.h"

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

/* A path, or with a star at its end what starts so. */
static bool
covers(const char *const *rules, const char *path)
{
	for (; *rules; rules++) {
		size_t n = strlen(*rules);

		if (strcmp(*rules, path) == 0 ||
		    ((*rules)[n - 1] == '*' && strncmp(*rules, path, n - 1) == 0))
			return true;
	}
	return false;
}

/* Kubernetes' roles system:public-info-viewer, system:discovery and
 * system:service-account-issuer-discovery. */
bool
user_may_see(const struct user *u, const char *path)
{
	static const char *const all[] = { "/healthz", "/livez", "/readyz", "/version", "/version/",
		NULL };
	static const char *const known[] = { "/", "/api", "/api/*", "/apis", "/apis/*", "/openapi",
		"/openapi/*", "/healthz/*", "/livez/*", "/readyz/*", NULL };
	static const char *const accounts[] = { "/.well-known/openid-configuration",
		"/.well-known/openid-configuration/", "/openid/v1/jwks", "/openid/v1/jwks/", NULL };

	return is_admin(u) || covers(all, path) ||
	       (member(u, "system:authenticated") && covers(known, path)) ||
	       (member(u, "system:serviceaccounts") && covers(accounts, path));
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

static int
forbid_path(struct call *c, struct err *err)
{
	char verb[16] = "";

	for (size_t i = 0; i < sizeof verb - 1 && c->req->method[i]; i++)
		verb[i] = (char)(c->req->method[i] | 0x20);
	return err_set(err, ERR_FORBIDDEN, "forbidden: User \"%s\" cannot %s path \"%s\"",
	    c->user.name, verb, c->req->path);
}

/* Of a resource that may not even be there. */
static int
forbid_resource(struct call *c, struct err *err)
{
	const struct target *t = &c->target;
	char where[300] = " at the cluster scope";
	const char *ns = t->namespace;

	/* a Namespace counts as being in itself */
	if (!*ns && !*t->group && strcmp(t->resource, "namespaces") == 0)
		ns = t->name;
	if (*ns)
		snprintf(where, sizeof where, " in the namespace \"%.253s\"", ns);
	return err_set(err, ERR_FORBIDDEN,
	    "%s%s%s%s%s%s is forbidden: User \"%s\" cannot %s resource \"%s%s%s\" in API group "
	    "\"%s\"%s",
	    t->resource, *t->group ? "." : "", t->group, *t->name ? " \"" : "", t->name,
	    *t->name ? "\"" : "", c->user.name, c->verb, t->resource, *t->sub ? "/" : "", t->sub,
	    t->group, where);
}

int
authorize(struct call *c, struct err *err)
{
	const struct target *t = &c->target;

	if (is_admin(&c->user) || (t->type == TARGET_RESOURCE && !*t->sub &&
				      user_may(&c->user, c->verb, t->group, t->resource)))
		return 0;
	if (*t->resource)
		return forbid_resource(c, err);
	return user_may_see(&c->user, c->req->path) ? 0 : forbid_path(c, err);
}
