#ifndef ORCH_METRICS_LISTING_H
#define ORCH_METRICS_LISTING_H

#include "client/client.h"

/*
 * Which Nodes or Pods there are, and what their labels are: the metadata alone
 * (PartialObjectMetadata), page by page, so that it is asked for rather than kept.
 */
struct listing {
	const char *plural;	       /* "nodes", "pods" */
	const char *ns;		       /* NULL or "": all */
	const char *selector, *fields; /* NULL: all */
	const char *name;	       /* this one alone, else NULL */
};

/* `each` is lent the object; non-zero from it ends the listing and is returned. */
int listing_each(struct client *c, const struct listing *l,
    int (*each)(void *arg, json_t *obj, struct err *err), void *arg, struct err *err);

#endif
