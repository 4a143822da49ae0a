/* Asking as somebody else: the Impersonate- headers. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "store/authn.h"
#include "store/user_words.h"

#define AUTHENTICATION "authentication.k8s.io"

static const char extra_prefix[] = "Impersonate-Extra-";

/* What somebody wants to pass for, one of these a header. */
struct claim {
	const char *kind, *resource, *group; /* of the thing that is impersonated */
	const char *name;
	const char *key; /* of an extra, as the header has it; else "" */
};

/* The one that a header makes; false: it makes none. */
static bool
read_claim(const struct http_header *h, struct claim *ret)
{
	static const struct claim claims[] = {
		{ "Group", "groups", "", "Impersonate-Group", "" },
		{ "UID", "uids", AUTHENTICATION, "Impersonate-Uid", "" },
	};

	for (size_t i = 0; i < COUNT(claims); i++) {
		if (strcasecmp(h->name, claims[i].name) != 0)
			continue;
		*ret = claims[i];
		ret->name = h->value;
		return *h->value;
	}
	if (strncasecmp(h->name, extra_prefix, sizeof extra_prefix - 1) != 0)
		return false;
	*ret = (struct claim){ "UserExtra", "userextras", AUTHENTICATION, h->value,
		h->name + sizeof extra_prefix - 1 };
	return true;
}

/* In the words of Go, which prints the list of what is asked for. */
static int
nobody_named(struct call *c, struct err *err)
{
	autobuf struct buf list = BUF_INIT;
	struct claim claim;

	for (size_t i = 0; i < c->req->nheaders; i++)
		if (read_claim(&c->req->headers[i], &claim))
			buf_printf(&list, "%s{%s  %s  %s/v1  %s}", list.len ? " " : "", claim.kind,
			    claim.name, AUTHENTICATION, claim.key);
	if (!list.len)
		return 0;
	return err_set(err, ERR_INTERNAL,
	    "Internal Server Error: \"%s\": requested [%s] without impersonating a user",
	    c->req->target, list.data);
}

static int
forbid(struct call *c, const struct claim *claim, const char *namespace, struct err *err)
{
	autofree char *where = *namespace ? xasprintf(" in the namespace \"%s\"", namespace)
					  : xstrdup(" at the cluster scope");

	return err_set(err, ERR_FORBIDDEN,
	    "%s%s%s \"%s\" is forbidden: User \"%s\" cannot impersonate resource \"%s%s%s\" in API "
	    "group \"%s\"%s",
	    claim->resource, *claim->group ? "." : "", claim->group, claim->name, c->user.name,
	    claim->resource, *claim->key ? "/" : "", claim->key, claim->group, where);
}

/* "system:serviceaccount:NAMESPACE:NAME": the two, new; false for another user. */
static bool
read_account(const char *user, char **namespace, char **name)
{
	static const char prefix[] = "system:serviceaccount:";
	const char *ns = user + sizeof prefix - 1, *colon;

	if (strncmp(user, prefix, sizeof prefix - 1) != 0 || !(colon = strchr(ns, ':')) ||
	    colon == ns || !colon[1] || strchr(colon + 1, ':'))
		return false;
	*namespace = xstrndup(ns, (size_t)(colon - ns));
	*name = xstrdup(colon + 1);
	return true;
}

/* May who asks pass for each of these? */
static int
check(struct call *c, const char *user, struct err *err)
{
	struct claim claim = { "User", "users", "", user, "" };
	autofree char *namespace = NULL, *name = NULL;

	if (read_account(user, &namespace, &name))
		claim = (struct claim){ "ServiceAccount", "serviceaccounts", "", name, "" };
	if (!user_may(&c->user, "impersonate", "", claim.resource))
		return forbid(c, &claim, namespace ? namespace : "", err);
	for (size_t i = 0; i < c->req->nheaders; i++)
		if (read_claim(&c->req->headers[i], &claim) &&
		    !user_may(&c->user, "impersonate", claim.group, claim.resource))
			return forbid(c, &claim, "", err);
	return 0;
}

static void
add_groups(struct words *w, const struct call *c, const char *user)
{
	bool anonymous = strcmp(user, "system:anonymous") == 0;
	autofree char *namespace = NULL, *name = NULL, *mates = NULL;
	const struct http_header *h = c->req->headers;

	for (size_t i = 0; i < c->req->nheaders; i++)
		if (strcasecmp(h[i].name, "Impersonate-Group") == 0 && *h[i].value)
			words_add(w, h[i].value);
	if (w->n == 0 && read_account(user, &namespace, &name)) {
		mates = xasprintf("system:serviceaccounts:%s", namespace);
		words_add(w, "system:serviceaccounts");
		words_add(w, mates);
	}
	if (words_has(w, "system:unauthenticated"))
		return;
	if (anonymous)
		words_add(w, "system:unauthenticated");
	else if (!words_has(w, "system:authenticated"))
		words_add(w, "system:authenticated");
}

/* Who asks from now on. */
static void
become(struct call *c, const char *user)
{
	struct words w = WORDS_INIT;
	const struct http_header *h = c->req->headers;
	size_t groups;

	add_groups(&w, c, user);
	groups = w.n;
	for (size_t i = 0; i < c->req->nheaders; i++) {
		if (strncasecmp(h[i].name, extra_prefix, sizeof extra_prefix - 1) != 0)
			continue;
		words_add_key(&w, h[i].name + sizeof extra_prefix - 1);
		words_add(&w, h[i].value);
	}
	free((void *)c->user.groups);
	c->user = (struct user){ .name = user, .uid = http_header(c->x, "Impersonate-Uid") };
	words_user(&w, groups, &c->user);
}

int
impersonate(struct call *c, struct err *err)
{
	const char *user = http_header(c->x, "Impersonate-User");
	int r;

	if (!user || !*user)
		return nobody_named(c, err);
	if ((r = check(c, user, err)) == 0)
		become(c, user);
	return r;
}
