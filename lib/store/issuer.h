#ifndef ORCH_STORE_ISSUER_H
#define ORCH_STORE_ISSUER_H

#include <jansson.h>
#include <stdatomic.h>

#include "store/cache.h"
#include "store/jwt.h"

/*
 * The tokens of ServiceAccounts: made for pods and people (TokenRequest), and taken as a proof of
 * who asks for as long as they have not ended and what they are bound to is still there.
 *
 * Which tokens were found good is remembered, so that a request costs no check of a signature.
 */
struct issuer;

/* What a token lives and dies with: its ServiceAccount, and a Pod, Secret or Node. */
struct bound {
	struct table *table; /* NULL: nothing */
	const char *namespace, *name, *uid;
	_Atomic uint64_t good; /* the revision that was looked at last, and was right */
};
enum { BOUND_ACCOUNT, BOUND_SECRET, BOUND_POD, BOUND_NODE, BOUND_COUNT };

/* Whose a token is; shared by all threads and immutable but for `refs` and `good`. */
struct identity {
	atomic_uint refs;
	char *name; /* "system:serviceaccount:default:web" */
	const char *uid;
	const char **groups;   /* ended by NULL, with the one that every known user is in */
	const char *extra[11]; /* key, value, ..., NULL */
	char *words;	       /* what these point into */
	char **audiences;      /* ended by NULL */
	double expires, not_before, issued;
	struct bound bound[BOUND_COUNT];
};
struct identity *identity_ref(struct identity *i);
void identity_unref(struct identity *i); /* accepts NULL */

/* url is the "iss" of tokens, and their audience when nobody says another. */
int issuer_open(
    struct issuer **ret, struct cache *cache, const char *dir, const char *url, struct err *err);
void issuer_free(struct issuer *i); /* accepts NULL */
const char *issuer_url(const struct issuer *i);
struct jwt_keys *issuer_keys(struct issuer *i);

/*
 * Whose token is it?  audiences is a list of words, of which it must be for one (NULL or empty:
 * our own).  UNAUTHORIZED otherwise; the message is "" when it is no token of ours at all.
 */
int issuer_check(struct issuer *i, const char *token, const json_t *audiences,
    struct identity **ret, struct err *err);

/* --- identity.c --- */

/* Somebody with a name, and groups with commas between; new. */
struct identity *identity_named(const char *name, const char *uid, const char *groups);
/* What verified claims say; new. */
struct identity *identity_new(struct cache *cache, const json_t *claims);
/* Has it ended, or what it is bound to? */
int identity_check(struct identity *i, struct cache *cache, struct err *err);

#endif
