#ifndef ORCH_STORE_AUTHN_H
#define ORCH_STORE_AUTHN_H

#include "store/call.h"

/*
 * Who asks?  Whoever a proxy that may do so speaks for (front_proxy.h); else the owner of a bearer
 * token (of the Authorization header, or offered as a subprotocol of a WebSocket), which is
 * UNAUTHORIZED when it is no good; else the subject of a verified client certificate (CN is the
 * user, each O a group); else the peer of the unix socket: root and the store's own user are
 * administrators, others are FORBIDDEN.  Nothing of these is system:anonymous.
 */
int authenticate(struct call *c, struct err *err);

/*
 * Then as whom: Impersonate-User, with -Group, -Uid and -Extra-KEY (a group for every known user is
 * added), for those who may "impersonate" it all.
 */
int impersonate(struct call *c, struct err *err);

/* Whose a token is: as issuer_check() (issuer.h), of the tokens of --token-auth-file too. */
int token_owner(struct server *s, const char *token, const json_t *audiences, struct identity **ret,
    struct err *err);

/* May they?  Members of system:masters may do everything.  RBAC's place is here; until it is there,
 * whoever else is known may look at what no object is behind (discovery, versions), and who is not
 * known at whether the server is well. */
int authorize(struct call *c, struct err *err);

/* What authorize() goes by, for those who ask beforehand: a resource, a path, and all of it as the
 * status of a SelfSubjectRulesReview (new). */
bool user_may(const struct user *u, const char *verb, const char *group, const char *resource);
bool user_may_see(const struct user *u, const char *path);
json_t *user_rules(const struct user *u);

#endif
