#ifndef ORCH_STORE_CONVERSION_PRIVATE_H
#define ORCH_STORE_CONVERSION_PRIVATE_H

#include "store/conversion.h"

/* Between conversion.c (threads), conversion_review.c (the question) and conversion_cache.c. */
struct task {
	struct task *next;
	struct call *call;
};

struct conversion {
	_Atomic unsigned refs;
	struct conversions *all;
	struct server *server;
	char *name;			  /* of the definition, for logs */
	char *url;			  /* NULL: */
	char *namespace, *service, *path; /* ... a Service */
	int port;
	char *ca;	    /* NULL: the system's */
	const char *review; /* "v1", the first of those that it names and we know; NULL: none */

	pthread_mutex_t lock;
	pthread_cond_t more;
	struct task *first, **last;
	size_t threads, idle, queued;
};

struct shown; /* an entry of the cache */
enum { SHOWN_SLOTS = 4096 };

struct conversions {
	_Atomic unsigned refs;
	_Atomic bool stop;
	pthread_mutex_t lock;
	pthread_cond_t gone;
	size_t threads;

	pthread_mutex_t cache_lock;
	struct shown *slot[SHOWN_SLOTS], *newest, *oldest;
	size_t bytes;
};

/* Where the webhook is: URL and address to dial (NULL: the URL's), new. */
int conversion_way(const struct conversion *v, char **url, char **address, struct err *err);

/* How k shows o, if that is known; a new reference. */
struct object *shown_get(struct conversions *all, const struct object *o, const struct kind *k);
void shown_put(struct conversion *v, struct object *o, const struct kind *k, struct object *shown);
void shown_drop(struct conversion *v); /* all of this definition; NULL in `v->all` is not allowed */
void shown_release(struct conversions *all);

#endif
