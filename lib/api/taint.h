#ifndef ORCH_API_TAINT_H
#define ORCH_API_TAINT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/*
 * Changes to a Node's taints as people write them: "KEY=VALUE:EFFECT" and "KEY:EFFECT" set,
 * "KEY:EFFECT-" and "KEY-" (of every effect) remove.  A taint is what it is by key and effect.
 */
struct taint_edits {
	json_t *set;	/* array of taints */
	json_t *remove; /* array of {key} and {key, effect} */
};

/* Is this word such a change?  No node's name has a '=' or ':' or ends with '-'. */
bool taint_word(const char *word);

/* BAD_REQUEST for what cannot be a taint, for one that is set twice, or set and
 * removed. */
int taint_parse(struct taint_edits *ret, char *const words[], int n, struct err *err);
void taint_release(struct taint_edits *e);

/*
 * The taints that a Node has then, new: those set, then those that stay.  Without `overwrite` one
 * that has another value already is DIFFERS; one to remove that is not there is NOT_FOUND.
 * *what: "tainted", "untainted", "modified" (both, or a value changed), or "unchanged".
 */
int taint_edit(json_t **ret, const struct taint_edits *e, const json_t *node, bool overwrite,
    const char **what, struct err *err);

#endif
