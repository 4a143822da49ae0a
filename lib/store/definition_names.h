#ifndef ORCH_STORE_DEFINITION_NAMES_H
#define ORCH_STORE_DEFINITION_NAMES_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Which names a CustomResourceDefinition gets: those that no other one of its group has already
 * (Kubernetes: the naming and establishing controllers).
 */
struct taken {
	json_t *resources,
	    *kinds; /* sets: plurals, singulars, short names; kinds and their lists */
};
void taken_init(struct taken *t);
void taken_add(struct taken *t, const json_t *names); /* acceptedNames of another definition */
void taken_release(struct taken *t);

/*
 * Put status.acceptedNames and the conditions NamesAccepted and Established into crd.  Returns
 * whether anything has changed.
 */
bool definition_settle(json_t *crd, const struct taken *taken, const char *now);
bool definition_established(const json_t *crd);
bool definition_condition(const json_t *crd, const char *type); /* is it True? */

/* --- strategies --- */
void definition_create(json_t *crd);			/* the status of a new one */
void definition_update(const json_t *old, json_t *crd); /* notes another stored version */
void definition_ends(json_t *crd, const char *now);	/* a deletion begins: instances go first */

#define DEFINITION_FINALIZER "customresourcecleanup.apiextensions.k8s.io"

#endif
