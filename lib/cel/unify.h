#ifndef ORCH_CEL_UNIFY_H
#define ORCH_CEL_UNIFY_H

#include "cel/type.h"

/*
 * Types with unknowns: what [] is a list of, what a function's parameter stands for in one call.
 * Each unknown is a PARAM of a number, which is bound when something is assigned.
 */
struct unifier {
	struct arena *a;
	const struct cel_type **bound; /* by number; NULL: still unknown */
	size_t n, cap;
};
void unify_release(struct unifier *u);

const struct cel_type *unify_fresh(struct unifier *u);
/* A signature with unknowns in place of its parameters; arg has room for all; returns the result.
 */
const struct cel_type *unify_instance(
    struct unifier *u, const struct cel_signature *s, const struct cel_type **arg);

/* May a value of the first be where one of the second is wanted?  Binds unknowns when it may, and
 * none when it may not. */
bool unify_assignable(struct unifier *u, const struct cel_type *from, const struct cel_type *to);
bool unify_all(struct unifier *u, const struct cel_type *const *from,
    const struct cel_type *const *to, size_t n);

/* Of two that may stand in one place, the one that says less. */
const struct cel_type *unify_general(const struct cel_type *one, const struct cel_type *two);

/* What is known by now: an unknown that is bound is what it is bound to, at the top; everywhere. */
const struct cel_type *unify_resolved(struct unifier *u, const struct cel_type *t);
const struct cel_type *unify_substituted(struct unifier *u, const struct cel_type *t);
const struct cel_type *unify_final(
    struct unifier *u, const struct cel_type *t); /* no unknowns: dyn */

#endif
