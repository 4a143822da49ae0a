#ifndef ORCH_API_OPENAPI_H
#define ORCH_API_OPENAPI_H

#include <jansson.h>

#include "api/schema.h"

/*
 * The OpenAPI v3 document of one group and version, a new tree: every path with its methods and
 * parameters, every type they need.  What kubectl apply and explain read.
 */
json_t *openapi_v3(const char *group, const char *version);

/* Parts of it.  components.schemas of all kinds; paths. */
json_t *openapi_schemas(const char *group, const char *version);
json_t *openapi_paths(const char *group, const char *version);

#endif
