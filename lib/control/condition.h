#ifndef ORCH_CONTROL_CONDITION_H
#define ORCH_CONTROL_CONDITION_H

#include <jansson.h>

/* What api/meta.h's conditions lack. */
void condition_remove(json_t *obj, const char *type);

#endif
