#ifndef ORCH_CEL_CHECK_H
#define ORCH_CEL_CHECK_H

#include "cel/env.h"
#include "cel/unify.h"

/* What check.c and check_call.c share. */
enum { MOST_LOCALS = 64 };

struct checker {
	const struct cel_env *env;
	struct cel_program *program;
	struct arena *a;
	struct cel_issues *issues;
	struct cel_variable local[MOST_LOCALS];
	size_t nlocals;
	struct unifier types;
};

const struct cel_type *checked(struct checker *c, struct cel_expr *e); /* the type of a node */
const struct cel_type *check_call(struct checker *c, struct cel_expr *e);
/* The type of two that may stand in one place, at e. */
const struct cel_type *check_join(struct checker *c, const struct cel_expr *e,
    const struct cel_type *one, const struct cel_type *two);
void check_expect(struct checker *c, struct cel_expr *e, const struct cel_type *want);
const struct cel_type *check_field(
    struct checker *c, size_t at, const struct cel_type *of, const char *name);
const struct cel_type *check_undeclared(struct checker *c, size_t at, const char *name);
/* "a.b.c" when the expression is nothing but names and dots, else NULL. */
const char *check_qualified(struct checker *c, const struct cel_expr *e);
/* Is the first name one of a comprehension's?  Then it is not the beginning of a longer one. */
bool check_begins_local(struct checker *c, const struct cel_expr *e);
const struct cel_type *check_fresh(struct checker *c);
const char *check_shown(struct checker *c, const struct cel_type *t);
bool check_is_dyn(const struct cel_type *t);

#endif
