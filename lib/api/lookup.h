#ifndef ORCH_API_LOOKUP_H
#define ORCH_API_LOOKUP_H

#include "api/schema.h"
#include "base/err.h"

/*
 * Finding one's way in the schema by what people write.
 */

/* Through lists and maps to what they hold: []Container is Container. */
const struct type *type_inside(const struct type *t);

/*
 * Follow "spec.containers[0].image" or "spec.containers.image" from t.  The field is in *ret
 * (NULL for ""), 0; or NOT_FOUND with a suggestion in the message.
 */
int field_at(const struct field **ret, const struct type *t, const char *path, struct err *err);

/* The field of t whose name is most like `name`, or NULL when none is alike. */
const struct field *field_like(const struct type *t, const char *name);

/*
 * "deployment.spec.strategy", "ingress.networking.k8s.io.spec": the longest beginning that is a
 * kind's word; *path gets what follows ("spec.strategy").  NULL when there is none.
 */
const struct kind *kind_of_path(const char *text, const char **path);

#endif
