#ifndef ORCH_STORE_BOOTSTRAP_H
#define ORCH_STORE_BOOTSTRAP_H

#include "store/call.h"

/* What the server writes by itself, in obj as it is to be kept in place of old (NULL: new): uid,
 * creation time, defaults, and that "kube-apiserver" owns it. */
void server_object(const struct kind *k, const json_t *old, json_t *obj);

#endif
