#ifndef ORCH_CLIENT_SCALE_H
#define ORCH_CLIENT_SCALE_H

#include "client/client.h"

/*
 * How many replicas an object has, through its scale subresource, so that it works for every kind
 * that has one.
 */
struct scaling {
	long long replicas;
	long long current;   /* only when it has this many; -1: any */
	const char *version; /* only when it has this resourceVersion; NULL: any */
	const char *uid;     /* only when it is this object; NULL or "": any */
	const char *query;   /* of the write */
	bool look;	     /* write nothing */
};

/*
 * 1 when the number was changed, 0 when it was so already.  A version that differs is
 * CONFLICT, a uid GONE, a number DIFFERS.  Conflicts with other writers are tried again, unless a
 * version was asked for.
 */
int scale_object(struct client *c, const struct kind *k, const char *ns, const char *name,
    const struct scaling *s, struct err *err);

/* Does the object have, and not only want, this many?  1, or 0 with the reason in why. */
int scale_reached(struct client *c, const struct kind *k, const char *ns, const char *name,
    long long replicas, struct buf *why, struct err *err);

#endif
