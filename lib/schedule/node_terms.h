#ifndef ORCH_SCHEDULE_NODE_TERMS_H
#define ORCH_SCHEDULE_NODE_TERMS_H

#include <jansson.h>
#include <stdbool.h>

/* Does one of these nodeSelectorTerms choose this Node?  For who has no scheduler. */
bool node_terms_match(const json_t *terms, const json_t *node);

#endif
