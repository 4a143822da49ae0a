#ifndef ORCH_CLIENT_APPLY_H
#define ORCH_CLIENT_APPLY_H

#include "client/client.h"
#include "client/write.h"

/*
 * Declarative writes: create an object or change it into what is wanted (threeway.h).
 */
enum apply_result { APPLY_UNCHANGED, APPLY_CREATED, APPLY_CONFIGURED };

/*
 * Make a manifest fit to be applied, in place: no server fields, its namespace filled in.
 */
void apply_prepare(json_t *obj, const struct kind *k, const char *ns);

/*
 * Apply a prepared object.  *ret (may be NULL) gets it as it then is.  Nothing is written when
 * nothing would change; a conflict with another writer is tried again a few times.
 */
int apply_object(struct client *c, const struct kind *k, const json_t *obj,
    const struct writer *how, enum apply_result *result, json_t **ret, struct err *err);

/*
 * Delete what was applied before and is no longer among `kept` (an object with "group-kind/ns/name"
 * keys): the objects that match the selector, carry the annotation, and have no controller, of the
 * kinds in `kept` and the usual workload kinds, in the namespaces of `kept` and `ns`.  `each` is
 * told of every object that was deleted (r 0) or could not be (r < 0, with err).
 */
int apply_prune(struct client *c, const json_t *kept, const char *ns, const char *selector,
    bool dry,
    void (*each)(void *arg, const struct kind *k, const json_t *obj, int r, const struct err *err),
    void *arg, struct err *err);

/* The key of an object in `kept`; a new string. */
char *apply_key(const struct kind *k, const char *ns, const char *name);

#endif
