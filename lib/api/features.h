#ifndef ORCH_API_FEATURES_H
#define ORCH_API_FEATURES_H

#include <jansson.h>

#include "api/schema.h"

/*
 * Fields of features that Kubernetes has and leaves off unless told otherwise: a server drops them
 * from what is written.  What an object has already it keeps: old is what is stored, NULL on a
 * create.
 */
void features_drop(const struct kind *k, const json_t *old, json_t *obj);

/* The Pod spec inside an object of this kind, or NULL. */
json_t *pod_spec_of(const struct kind *k, const json_t *obj);

#endif
