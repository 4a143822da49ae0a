#ifndef ORCH_CLIENT_STATES_H
#define ORCH_CLIENT_STATES_H

#include <jansson.h>

/*
 * Two states of an object as people compare them: YAML with sorted keys, without what a
 * server keeps for itself (managedFields, resourceVersion, status, ...).  What a Secret holds
 * is masked, so that one sees that it changes but not what it is.  NULL for a state without the
 * object; new strings.
 */
void states_shown(const json_t *before, const json_t *after, char **from, char **to);

/* The same of two versions that an object had: with its status and all that says which object it
 * is. */
void states_told(const json_t *before, const json_t *after, char **from, char **to);

#endif
