#ifndef ORCH_API_CUSTOM_SCHEMA_H
#define ORCH_API_CUSTOM_SCHEMA_H

#include "api/custom.h"

/* For custom.c: frees the compiled schema, which nobody can be using. */
void custom_drop(struct custom *x);

#endif
