#ifndef ORCH_CEL_CEL_H
#define ORCH_CEL_CEL_H

#include "base/err.h"
#include "cel/value.h"

/*
 * The Common Expression Language, as Kubernetes uses it: compile once, evaluate often.
 *
 *	env = cel_env_new(0);
 *	cel_env_variable(env, "self", type);
 *	if (cel_compile(env, "self.replicas <= 5", &program, &issues) == 0)
 *		v = cel_eval(program, values, &arena, limit, &cost);
 *
 * An environment is not changed once something was compiled with it; then it and programs may be
 *used by several threads at once.
 */
struct cel_env;
struct cel_program;

/*
 * HOMOGENEOUS: the items of a list or map literal must have one type, as Kubernetes wants it.
 * LITERALS: texts that are given to timestamp(), duration() and matches() are looked at, too.
 * UNCHECKED: mistakes in types and names show when, and if, they are come to.
 * FREE_HAS: has() costs nothing, as Kubernetes counts.
 * SIZED_NAMES: a type's name has a size, as rules of custom kinds count: type(x) == string is
 * cheap.
 * BINDINGS: cel.bind() is there; of Kubernetes' expressions, those of devices have it.
 */
enum cel_env_bits {
	CEL_HOMOGENEOUS = 1,
	CEL_LITERALS = 2,
	CEL_UNCHECKED = 4,
	CEL_FREE_HAS = 8,
	CEL_SIZED_NAMES = 16,
	CEL_BINDINGS = 32,
	CEL_AS_KUBERNETES = CEL_HOMOGENEOUS | CEL_LITERALS | CEL_FREE_HAS,
};
struct cel_env *cel_env_new(unsigned bits);	/* with the standard definitions */
void cel_env_free(struct cel_env *e);		/* accepts NULL */
struct arena *cel_env_arena(struct cel_env *e); /* for types that live as long */

struct cel_function;
/* An overload that is there already is replaced. */
void cel_env_library(struct cel_env *e, const struct cel_function *table);
/* Declare a variable; its number, counted from 0, is its place in the values of an evaluation. */
size_t cel_env_variable(struct cel_env *e, const char *name, const struct cel_type *type);
/* An object type that expressions may make: Name{field: value}. */
void cel_env_type(struct cel_env *e, const struct cel_type *type);
/* "Object": types of that name, and of any that begins with it and a dot, have any fields. */
void cel_env_open_types(struct cel_env *e, const char *name);

/*
 * Parse and check.  0, or -1 with *issues in cel-go's form ("ERROR: <input>:1:5: undefined field
 * 'x'\n | self.x\n | ....^", one after another), which the caller releases.
 */
int cel_compile(
    const struct cel_env *e, const char *source, struct cel_program **ret, struct buf *issues);
void cel_program_free(struct cel_program *p);			      /* accepts NULL */
const struct cel_type *cel_program_type(const struct cel_program *p); /* of its value */
const char *cel_program_source(const struct cel_program *p);
size_t cel_program_size(const struct cel_program *p); /* its bytes; 0 for NULL */
bool cel_program_uses(const struct cel_program *p, size_t variable);

/*
 * What an evaluation may cost, at least and at most: from the sizes that types allow (cel_type's
 * `most`); UINT64_MAX where there is no bound.  To be asked before a program is shared by threads.
 */
struct cel_range {
	uint64_t min, max;
};
struct cel_range cel_program_cost(struct cel_program *p);

/*
 * Evaluate with one value for each declared variable (an ERROR for one that is not there).  The
 * value lives in the arena.  limit: of the cost, 0: none; what goes beyond is an error, "operation
 * cancelled: actual cost limit exceeded".  cost (may be NULL) gets what it was.
 */
struct cel_value cel_eval(const struct cel_program *p, const struct cel_value *variables,
    struct arena *a, uint64_t limit, uint64_t *cost);

#endif
