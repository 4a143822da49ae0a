#ifndef ORCH_STORE_CACHE_H
#define ORCH_STORE_CACHE_H

#include <pthread.h>

#include "store/object.h"

/*
 * Every object in memory, by kind, in the order of namespace and name, and the
 * recent history: one event per revision.  Reads come from any thread; only the
 * commit thread changes it.
 */
struct cache;

/* All objects of one kind. */
struct table {
	const struct kind *_Atomic kind; /* of a custom one: as it is now */
	char *prefix;			 /* of the engine's keys: "apps/v1/deployments/" */
	size_t prefix_len;
	struct node *head[16]; /* a skip list: next pointers of each level */
	size_t count;
	size_t bytes;
	_Atomic uint64_t changed; /* the revision of the last change here */
	struct bytes *open;	  /* "{\"kind\":\"Pod\",\"apiVersion\":\"v1\"," */
	struct bytes *verb[3];	  /* the start of a watch event, by enum event_type */
	struct table *next;	  /* of custom kinds: the one made before it */
	struct table *same;	  /* the next one whose prefix has the same hash */
};

enum event_type { EVENT_ADDED, EVENT_MODIFIED, EVENT_DELETED };
const char *event_name(enum event_type type);

/* What one revision changed. */
struct event {
	uint64_t revision;
	int64_t time;
	enum event_type type;
	struct table *table;
	struct object *object; /* the new state; for DELETED the last one */
	struct object *old;    /* what it replaced, NULL for ADDED */
};

struct cache *cache_new(void); /* with a table for every kind of the schema */
void cache_free(struct cache *c);

/* Where its objects are: never NULL for a kind of the schema.  Views (api/convert.h) share the
 * table of what they are views of ... */
struct table *cache_table(struct cache *c, const struct kind *k);
/* ... and have one of their own only for its words, and for what older data folders hold. */
struct table *cache_own_table(struct cache *c, const struct kind *k);
struct table *cache_tables(struct cache *c, size_t *n); /* the own ones of all kinds */
/*
 * The tables of custom kinds (api/custom.h) are made when they are first needed, by the thread that
 * changes or the one that registers kinds, and stay, be there a kind or not: events of the history
 * point to them.  One holds the objects, whatever version they are seen in; of each version there
 * is another for its words.  table->kind is cache_no_kind() while there is none.
 */
struct table *cache_custom_table(struct cache *c, const char *group, const char *plural);
struct table *cache_custom_view(struct cache *c, const struct kind *k);
struct table *cache_custom_tables(struct cache *c); /* those of objects; linked by next */
const struct kind *cache_no_kind(void);
/* The table an engine's key belongs to, NULL when its kind is unknown; *rest gets "namespace/name".
 */
struct table *cache_table_of_key(struct cache *c, const char *key, const char **rest);
char *cache_key(const struct table *t, const struct object *o); /* new */

/* --- reading --- */
struct object *cache_get(
    struct cache *c, struct table *t, const char *ns, const char *name); /* new ref or NULL */
bool cache_exists(struct cache *c, struct table *t, const char *ns, const char *name);
size_t cache_count(struct cache *c, struct table *t);
uint64_t cache_revision(struct cache *c);  /* of the newest change */
uint64_t cache_compacted(struct cache *c); /* events up to and including this one are gone */

/* What a walk looks for; see list.c. */
struct walk {
	struct table *table;
	const char *namespace;			  /* NULL: all */
	const char *after_namespace, *after_name; /* start behind this key; NULL: from the start */
	uint64_t revision;			  /* as it was then; 0: now */
};
/*
 * Call each(arg, object) for the objects in order, while it returns true, at one consistent
 * revision, which *revision gets.  The object is borrowed; each must not call cache functions.
 * EXPIRED when the revision is compacted.
 */
int cache_walk(struct cache *c, const struct walk *w, bool (*each)(void *arg, struct object *o),
    void *arg, uint64_t *revision, struct err *err);

/*
 * Events after `revision`, at most n, into out (with references taken: event_release()).  Returns
 * their number, or -ERR_EXPIRED when some of them are gone.
 */
int cache_events(struct cache *c, uint64_t revision, struct event *out, size_t n);
void event_release(struct event *e);

/* --- changing; the commit thread (and the loader) only --- */

/* Put object in (type says how), or take it out for DELETED.  Takes a reference of its own. */
void cache_apply(
    struct cache *c, struct table *t, struct object *o, enum event_type type, int64_t now);
/* While loading: state only, no event, for what is older than the history. */
void cache_load(struct cache *c, struct table *t, struct object *o);
void cache_loaded(struct cache *c, uint64_t compacted,
    uint64_t revision); /* sets where history begins and ends */
/* Hold the write lock over several cache_apply: readers see all of a commit or nothing. */
void cache_begin(struct cache *c);
void cache_end(struct cache *c);
/* The current object, borrowed: for the thread that changes. */
struct object *cache_peek(struct table *t, const char *ns, const char *name);

struct history_limits {
	int64_t seconds;       /* events younger than this are kept */
	size_t events;	       /* but no more than this many */
	size_t bytes;	       /* of replaced objects */
	size_t least;	       /* and never fewer than this */
	int64_t event_seconds; /* how long objects of kind Event live after the last write; 0: for
				  ever */
};
/* Drop events that the limits do not keep, at most `most`; returns the compacted revision. */
uint64_t cache_trim(struct cache *c, const struct history_limits *l, int64_t now, size_t most);

#endif
