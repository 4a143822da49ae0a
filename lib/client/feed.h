#ifndef ORCH_CLIENT_FEED_H
#define ORCH_CLIENT_FEED_H

#include "client/cache.h"
#include "client/http.h"
#include "client/watch.h"
#include "control/map.h"

/*
 * Inside the cache: each feed lists its kind page by page, then watches it, and starts again where
 * it was when the connection breaks, or from a list when the server has forgotten that version
 * (410).  A kind that cannot be watched is listed again and again.
 */
struct feed {
	struct cache *cache;
	const struct kind *kind;
	char group_kind[128];
	char *ns, *selector, *fields;
	struct feed *next;

	CURL *easy;
	struct curl_slist *headers;
	char said[CURL_ERROR_SIZE];
	unsigned how;			    /* CACHE_ flags */
	json_t *(*less)(const json_t *obj); /* what of it is kept; NULL: all */
	bool watching;			    /* the transfer is a watch, else a list */
	bool running;
	double due;	 /* when to start, unless running */
	struct buf body; /* a list's page, or the text of a refusal */
	struct events events;
	int result; /* of events_feed */
	struct err err;

	char *version, *more;
	bool listed;
	bool absent; /* the server does not have the kind (yet) */
	unsigned failures;
	unsigned refusals;		 /* answers, one after the other, that were none */
	double refused_since;		 /* the first of them */
	json_t *api_version, *kind_name; /* of all objects of a CACHE_META feed */
	struct map
	    seen; /* "ns/name" -> the listing that last showed it: what vanishes from a re-list */
	uintptr_t listing;
};

struct cache {
	struct client *client;
	CURLM *multi;
	struct world *world;
	struct feed *feeds;
	void (*changed)(void *arg, const char *type, const json_t *obj, const json_t *old);
	void *arg;
	bool news;    /* something changed during this wait */
	bool listing; /* in a callback: of a first listing */
	bool streams; /* the server speaks HTTP/2 */
	bool down;    /* said already that the server is away */
	struct err fatal;
};

int feed_new(
    struct feed **ret, struct cache *c, const struct kind *k, unsigned how, struct err *err);
void feed_free(struct feed *f);
void feed_start(struct feed *f);
/* Its transfer has ended. */
void feed_finished(struct feed *f, CURLcode code);
/* Has it been listed?  A CACHE_OPTIONAL one that the server keeps refusing is not waited for. */
bool feed_settled(const struct feed *f);
/* Its objects leave the world. */
void feed_empty(struct feed *f);

#endif
