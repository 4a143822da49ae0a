#ifndef ORCH_API_LEARN_H
#define ORCH_API_LEARN_H

#include <jansson.h>
#include <stdbool.h>

#include "api/schema.h"
#include "api/validate.h"
#include "base/err.h"

/*
 * Kinds that a program learns from CustomResourceDefinitions, which come in its input, from files
 * or from a server.  From then on they are kinds as the built-in ones are: the lookups of
 * api/schema.h find them, and tables, checks, defaults and patches work by their schemas.
 *
 *	struct learn *l = learn_new();
 *	if (learn_crd(l, crd, "web.yaml:3", LEARN_WRITTEN, NULL, &err) < 0) ...
 *	learn_serve(l);
 *	k = kind_of_object("example.com/v1", "Widget");
 *	learn_free(l);
 *
 * There is one in a program at a time: it has the registry (api/registry.h) for itself.  A kind
 * that was looked up lives until learn_free(), also when another definition has replaced its own.
 */
struct learn;

struct learn *learn_new(void);
void learn_free(struct learn *l); /* accepts NULL */

bool is_definition(const json_t *obj); /* is it a CustomResourceDefinition of v1? */

enum learn_how {
	LEARN_WRITTEN, /* as people write it: it is made complete and checked first */
	LEARN_CHECKED, /* the same, of one that is complete and was checked */
	LEARN_LIVE,    /* as a server has it: its status says which names it got */
};

/*
 * Learn its kinds.  A definition of the same name takes the place of the one before: 1 when that
 * was another, and *before (may be NULL) gets where it was from, a new string; else 0.
 *
 * INVALID or BAD_REQUEST when it is none that a server would take, CONFLICT when a name that it
 * wants belongs to another definition of its group.  Its kinds are unknown then, and learn_why()
 * says why.
 */
int learn_crd(struct learn *l, const json_t *crd, const char *where, enum learn_how how,
    char **before, struct err *err);

/* Note that a definition was found to be wrong, for learn_why(). */
void learn_refused(struct learn *l, const json_t *crd, const char *where, const char *why);

/* Have what was learned found from now on; before a lookup, and quick when nothing is new. */
void learn_serve(struct learn *l);

/* How many definitions are known. */
size_t learn_count(const struct learn *l);

/* Why this kind is unknown, where a definition would make one: "its definition at web.yaml:3 is
 * invalid".  A new string, or NULL when there is no definition of it. */
char *learn_why(const struct learn *l, const char *api_version, const char *kind);

#endif
