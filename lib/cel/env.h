#ifndef ORCH_CEL_ENV_H
#define ORCH_CEL_ENV_H

#include "cel/ast.h"
#include "cel/cel.h"
#include "cel/function.h"

/* What env.c, check.c and eval.c share. */
struct cel_env {
	struct arena arena;
	unsigned bits;
	const struct cel_env *base; /* with more functions and types; NULL: none */
	struct cel_function_set *set;
	size_t nsets, sets_cap;
	struct cel_variable {
		const char *name;
		const struct cel_type *type;
	} * variable;
	size_t nvariables, variables_cap;
	const struct cel_type **type;
	size_t ntypes, types_cap;
	const char *open_types; /* NULL: none */
};

struct cel_program {
	struct arena arena;
	const char *source;
	struct cel_expr *root;
	size_t locals; /* the most that are in scope at a time */
	size_t nvariables;
	bool *used; /* of the variables */
	unsigned bits;
};

/* The environment at a static place, filled when it is first asked for. */
const struct cel_env *cel_env_shared(
    _Atomic(struct cel_env *) *place, void (*fill)(struct cel_env *e));
void cel_env_standard(struct cel_env *e); /* adds the standard functions */

const struct cel_function_set *cel_env_find(const struct cel_env *e, const char *name);
/* A type by the name an expression gives it: "int", "google.protobuf.Timestamp"; NULL: none. */
const struct cel_type *cel_env_type_named(
    const struct cel_env *e, const char *name, struct arena *a);

/* Give every node its type, what it means and where its variables are.  Issues tell what is wrong.
 */
/* What literals say, of a program without mistakes. */
void cel_check_literals(struct cel_program *p, struct cel_issues *issues);
void cel_check(const struct cel_env *e, struct cel_program *p, struct cel_issues *issues);

#endif
