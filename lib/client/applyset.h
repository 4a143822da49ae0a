#ifndef ORCH_CLIENT_APPLYSET_H
#define ORCH_CLIENT_APPLYSET_H

#include <jansson.h>

#include "client/client.h"

/*
 * ApplySets (KEP-3659): the record of what belongs together, so that what is no longer applied can
 * be found and pruned.  A parent object (a Secret or ConfigMap) carries the set's id and
 * says in which kinds and namespaces members are; each member carries the id as a label.
 * kubectl and others read the same record.
 */
#define APPLYSET_PART_OF "applyset.kubernetes.io/part-of"
#define APPLYSET_MANAGER "orch-apply-applyset" /* who owns the record */

struct applyset {
	const struct kind *kind; /* of the parent */
	char *ns, *name, *id;
	json_t *kinds, *namespaces; /* recorded so far: sets of "Deployment.apps" and names */
	bool there;		    /* the parent */
};

/* NAME, or KIND/NAME, in the current namespace.  A parent that belongs to another tool is an
 * error. */
int applyset_open(struct applyset *s, struct client *c, const char *word, struct err *err);
void applyset_release(struct applyset *s);

/* Make a manifest a member; one that says it is of another set is an error. */
int applyset_label(const struct applyset *s, json_t *obj, struct err *err);
/* May this object, as it is, become a member?  Not when it is another set's. */
int applyset_may_take(const struct applyset *s, const json_t *live, struct err *err);

/* The parent as it is to be applied, for a set of these kinds and namespaces; new. */
json_t *applyset_parent(const struct applyset *s, const json_t *kinds, const json_t *namespaces);

#endif
