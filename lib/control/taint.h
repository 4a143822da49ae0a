#ifndef ORCH_CONTROL_TAINT_H
#define ORCH_CONTROL_TAINT_H

#include <jansson.h>
#include <stdbool.h>

/* The taints that follow from a Node's state (well-known labels, annotations and taints). */
#define TAINT_NOT_READY "node.kubernetes.io/not-ready"
#define TAINT_UNREACHABLE "node.kubernetes.io/unreachable"
#define TAINT_OUT_OF_SERVICE "node.kubernetes.io/out-of-service"

/* A Node's taints as they should be: what others put there stays; new ones bear `now`.  New. */
json_t *taints_of_state(const json_t *node, const char *now);
bool taint_present(const json_t *node, const char *key);

/* The first of a Pod's tolerations that tolerates this taint, or NULL. */
const json_t *taint_toleration(const json_t *taint, const json_t *pod);

#endif
