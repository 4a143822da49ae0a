#ifndef ORCH_CLIENT_APPLY_H
#define ORCH_CLIENT_APPLY_H

#include "client/client.h"
#include "client/write.h"

/*
 * Declarative writes, merged on this side: create an object or change it into what is wanted
 * (threeway.h).  Server-side apply is bundle.h.
 */
enum apply_result { APPLY_UNCHANGED, APPLY_CREATED, APPLY_CONFIGURED };

/*
 * Make a manifest fit to be applied, in place: no server fields, its namespace filled in.
 */
void apply_prepare(json_t *obj, const struct kind *k, const char *ns);

/* A Secret's stringData made data: it is write-only, so an object applied twice would look
 * different for it, and nobody would own what it became. */
void apply_encode_secret(const struct kind *k, json_t *obj);

/*
 * Apply a prepared object as kubectl apply does it without server-side apply.  *ret (may be NULL)
 * gets it as it then is.  Nothing is written when nothing would change; a conflict with another
 * writer is tried again a few times.
 */
int apply_object(struct client *c, const struct kind *k, const json_t *obj,
    const struct writer *how, enum apply_result *result, json_t **ret, struct err *err);

/* "Deployment.apps/default/web": an object among others, in any version; a new string. */
char *apply_key(const struct kind *k, const char *ns, const char *name);

#endif
