#ifndef ORCH_STORE_DEFINITION_NAMES_H
#define ORCH_STORE_DEFINITION_NAMES_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Which names a CustomResourceDefinition gets: those that no other one of its group has already
 * (Kubernetes: the naming and establishing controllers).
 */
struct taken {
	json_t *resources, *kinds; /* plurals, singulars, short names; kinds and their lists: by
				    * how many each is had; NULL: none */
};

/* The names of all groups: acceptedNames of their definitions. */
struct groups;
struct groups *groups_new(void);
void groups_free(struct groups *g);
void groups_add(struct groups *g, const char *group, const json_t *names);
void groups_remove(struct groups *g, const char *group, const json_t *names);
struct taken groups_taken(const struct groups *g, const char *group); /* borrowed */

/*
 * Put status.acceptedNames and the conditions NamesAccepted and Established into crd.  taken:
 * what others have.  Returns whether anything has changed.
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
