#ifndef ORCH_CLIENT_CACHE_H
#define ORCH_CLIENT_CACHE_H

#include "client/client.h"
#include "control/world.h"

/*
 * A world kept current by list and watch (an informer).  All watches run in one thread over one
 * curl multi handle; the owner drives it with cache_wait(), so callbacks come in the caller's
 * thread and no lock is needed.
 */
struct cache;

int cache_open(struct cache **ret, const struct client *c, struct err *err);
void cache_close(struct cache *cache);

/* Keep a kind, of all namespaces when ns is NULL.  o's selectors are copied. */
int cache_add(struct cache *cache, const struct kind *k, const char *ns,
    const struct list_options *o, struct err *err);

/*
 * Keep all objects of a kind:
 *	CACHE_META	of their metadata only who they are, who owns them and what holds them
 *	CACHE_OPTIONAL	a server that refuses to list them (forbidden, an extension server that
 *			is down) is asked again and not waited for
 * A kind that cannot be watched is listed every few seconds.
 */
enum { CACHE_META = 1, CACHE_OPTIONAL = 2 };
int cache_add_kind(struct cache *cache, const struct kind *k, unsigned how, struct err *err);
/* Of the objects of a kind that was added, keep only what `less` makes of each (new): who it is,
 * its version and uid must be in it.  Changes are told of with the whole; what they replace, and
 * what is found gone in a later listing, with what was kept. */
void cache_keep(struct cache *cache, const struct kind *k, json_t *(*less)(const json_t *obj));
/* Keep it no longer: its objects are told of as DELETED.  Not within a callback. */
void cache_drop(struct cache *cache, const struct kind *k);
/* Kinds that the server did not have may be there now. */
void cache_look_again(struct cache *cache);

/* Called for each change: type ADDED, MODIFIED or DELETED; obj is the newest state; old is what the
 * world had or NULL.  All borrowed.  After a re-list, what has vanished comes as DELETED. */
void cache_on_change(struct cache *cache,
    void (*changed)(void *arg, const char *type, const json_t *obj, const json_t *old), void *arg);

/* Wait for events for at most `seconds` (-1: no limit), or until fd (-1: none) is readable, and
 * apply them. Watches that end or fail are re-established with back-off, saying so once on the log.
 * Returns 1 when something changed, 0 on timeout or fd, negative only for what cannot be mended
 * (unauthorized, forbidden). */
int cache_wait(struct cache *cache, double seconds, int fd, struct err *err);

/* Within a callback: does this change come from the first listing of its kind? */
bool cache_listing(const struct cache *cache);

bool cache_synced(const struct cache *cache); /* every kind was listed at least once, or refused */
struct world *cache_world(struct cache *cache);

/* Does the cache show this object (as the server answered our write) in this version or a later
 * one, or has it gone by?  What loop.h holds a key for. */
bool cache_has_seen(const struct cache *cache, const json_t *written);

#endif
