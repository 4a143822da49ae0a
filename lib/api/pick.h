#ifndef ORCH_API_PICK_H
#define ORCH_API_PICK_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/*
 * Which objects are meant, by what people type: "pods", "deploy,svc", "deployment/web", "all",
 * "Widget.example.com".  A word is a kind of the schema in any of its names, a category, or the
 * Kind (with or without its group, in any case, singular or plural) of an object that the schema
 * does not know.
 */
struct pick;

struct pick *pick_new(void);
void pick_free(struct pick *p); /* accepts NULL */

/* One operand: words parted by commas, each with an optional "/name"; BAD_REQUEST when it is
 * malformed. */
int pick_add(struct pick *p, const char *operand, struct err *err);

/* Does any word match?  Nothing added matches everything. */
bool pick_match(struct pick *p, const json_t *obj);

#endif
