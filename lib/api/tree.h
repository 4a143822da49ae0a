#ifndef ORCH_API_TREE_H
#define ORCH_API_TREE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"

/*
 * Who owns whom: objects under those that their ownerReferences name by uid.  An object with
 * several owners stands under each; what it owns itself is shown once.
 *
 *	deployment.apps/web            1/1
 *	└─ replicaset.apps/web-6d      1/1
 *	   └─ pod/web-6d-x2x4p         1/1     Running
 */
struct tree;

struct tree *tree_new(void);
void tree_free(struct tree *t); /* accepts NULL */

/* Takes a reference.  The same one again (by uid, or by kind and name) is left out. */
void tree_add(struct tree *t, json_t *obj);

/*
 * Which objects begin a tree: what was marked, or when nothing was marked every object of whose
 * owners none is there, and one of every circle.  False when there is no such object.
 */
bool tree_mark(struct tree *t, const char *uid);

/* The objects of the trees from the top down, each once; borrowed. */
void tree_each(struct tree *t, void (*each)(void *arg, json_t *obj), void *arg);

struct tree_look {
	bool ascii;	 /* lines of - and | */
	bool no_headers; /* no line of titles */
	bool namespaces; /* a first column with them; on its own when there are several */
};
void tree_print(struct tree *t, const struct tree_look *look, struct buf *out);

/* In short, how an object is: "1/2" or "True", and "Running", "Terminating"; "" where its kind has
 * nothing of the sort. */
void tree_health(const json_t *obj, struct buf *ready, struct buf *status);

#endif
