/* Who asks. */
#include "store/authn.h"

#include <string.h>
#include <strings.h>

#include "api/meta.h"
#include "base/mem.h"
#include "serve/websocket.h"
#include "store/base64url.h"
#include "store/front_proxy.h"
#include "store/pki.h"
#include "store/tokenfile.h"
#include "store/watch_socket.h"

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

/*
 * The token of "Authorization: Bearer TOKEN" (RFC 6750, 2.1), new; NULL when there is none.  Split
 * as Kubernetes does: an empty token is none, and what stands behind a second space is ignored.
 */
static char *
bearer(struct call *c)
{
	const char *header = http_header(c->x, "Authorization");

	if (!header)
		return NULL;
	header += strspn(header, " \t");
	if (strncasecmp(header, "Bearer ", 7) != 0)
		return NULL;
	header += 7;
	return *header && *header != ' ' ? xstrndup(header, strcspn(header, " \t")) : NULL;
}

/*
 * Browsers cannot set headers of a WebSocket, but they can offer protocols: one of them is the
 * token in base64url, and at least one more must be there to be answered with.  1: there is one,
 * new; 0: none; -1: it is wrong.
 */
static int
offered(struct call *c, char **token)
{
	static const char prefix[] = WEBSOCKET_BEARER;
	const char *p = http_header(c->x, "Sec-WebSocket-Protocol"), *found = NULL;
	autobuf struct buf text = BUF_INIT;
	size_t len = 0, others = 0, n;

	if (!p || watch_socket_asked(c->x) == 0)
		return 0;
	for (; *p; p += n) {
		p += strspn(p, " \t,");
		n = strcspn(p, " \t,");
		if (n < strlen(prefix) || strncmp(p, prefix, strlen(prefix)) != 0) {
			others += n > 0;
			continue;
		}
		if (found)
			return -1;
		found = p + strlen(prefix);
		len = n - strlen(prefix);
	}
	if (!found)
		return 0;
	if (!others || len == 0 || !base64url_decode(&text, found, len) || text.len == 0 ||
	    memchr(text.data, '\0', text.len))
		return -1;
	*token = xstrndup(text.data, text.len);
	return 1;
}

static void
authenticate_identity(struct call *c, struct identity *i)
{
	size_t n = 0;
	const char **groups;

	while (i->groups[n])
		n++;
	groups = xcalloc(n + 1, sizeof *groups);
	memcpy(groups, i->groups, n * sizeof *groups);
	c->identity = i;
	c->user = (struct user){ i->name, i->uid, groups, i->extra };
}

static int
authenticate_nobody(struct call *c, struct err *err)
{
	const char **groups;

	if (c->server->no_anonymous)
		return err_set(err, ERR_UNAUTHORIZED, "Unauthorized");
	groups = xcalloc(2, sizeof *groups);
	groups[0] = "system:unauthenticated";
	c->user.name = "system:anonymous";
	c->user.groups = groups;
	return 0;
}

int
token_owner(struct server *s, const char *token, const json_t *audiences, struct identity **ret,
    struct err *err)
{
	const char *ours = s->issuer ? issuer_url(s->issuer) : "";
	struct identity *i = tokens_find(s->tokens, token);
	bool wanted = json_array_size(audiences) == 0;
	json_t *a;
	size_t k;

	if (!i)
		return s->issuer ? issuer_check(s->issuer, token, audiences, ret, err)
				 : err_set(err, ERR_UNAUTHORIZED, "%s", "");
	/* one that a person made up is for us alone */
	json_array_foreach (audiences, k, a)
		wanted |= strcmp(str(a, ""), ours) == 0;
	if (!wanted) {
		identity_unref(i);
		return err_set(err, ERR_UNAUTHORIZED, "%s", "");
	}
	*ret = i;
	return 0;
}

/* A token that is sent is meant: nothing else counts then. */
static int
authenticate_token(struct call *c, const char *token, struct err *err)
{
	struct identity *i;

	if (token_owner(c->server, token, NULL, &i, err) < 0)
		return err_set(err, ERR_UNAUTHORIZED, "Unauthorized");
	authenticate_identity(c, i);
	return 0;
}

int
authenticate(struct call *c, struct err *err)
{
	const struct http_peer *peer = &c->req->peer;
	autofree char *token = bearer(c);
	int r = front_proxy_authenticate(c, err);

	if (r > 0)
		return 0;
	if (!token && offered(c, &token) < 0)
		return err_set(err, ERR_UNAUTHORIZED, "Unauthorized");
	if (token)
		return authenticate_token(c, token, err);
	if (r < 0)
		return r;
	if (peer->local)
		return authenticate_local(c, err);
	if (!peer->common_name || !*peer->common_name)
		return authenticate_nobody(c, err);
	c->user.name = peer->common_name;
	/* Where a node's server is, the node says: one that names the store itself must not make
	 * an administrator of who only may speak to nodes. */
	c->user.groups =
	    groups_of(strcmp(peer->common_name, PKI_NODE_CLIENT) == 0 ? NULL : peer->organizations);
	return 0;
}
