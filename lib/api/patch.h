#ifndef ORCH_API_PATCH_H
#define ORCH_API_PATCH_H

#include <jansson.h>

#include "api/schema.h"
#include "base/err.h"

/* Changes to an object, in the three forms that Kubernetes takes. */

/* JSON merge patch (RFC 7386).  Takes the target and returns the result. */
json_t *merge_patch(json_t *target, const json_t *patch);

/*
 * JSON patch (RFC 6902): a list of operations on *target, which is replaced.  Array indexes
 * may count from the end ("-1"), and a value that is missing is null, as Kubernetes has it.  What
 * is copied may have 3 MiB in all.  INVALID with the operation that failed; *target may then
 * be half changed.
 */
int json_patch(json_t **target, const json_t *operations, struct err *err);

/*
 * The result of a JSON or merge patch as Kubernetes' messages show it: keys are sorted in what the
 * patch has touched, the rest is as it was.  New; it shares what is not touched.
 */
json_t *patch_shown(const json_t *result, const json_t *patch);

/*
 * Strategic merge patch: lists of structs are merged by their key, as the schema says, with
 * $patch, $retainKeys, $setElementOrder and $deleteFromPrimitiveList.  type is the target's.
 */
int strategic_patch(json_t **target, const json_t *patch, const struct type *type, struct err *err);

#endif
