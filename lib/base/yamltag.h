#ifndef ORCH_BASE_YAMLTAG_H
#define ORCH_BASE_YAMLTAG_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"

/* The parts of yaml.h that only its own reader needs. */

/* A scalar with an explicit tag ("tag:yaml.org,2002:str"): a new value, or NULL with err set. */
json_t *yaml_tagged(const char *tag, const char *text, size_t len, struct err *err);

/* A key as a string, as sigs.k8s.io/yaml converts it; new, NULL when it cannot be one. */
char *yaml_key(const json_t *key);

#endif
