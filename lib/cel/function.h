#ifndef ORCH_CEL_FUNCTION_H
#define ORCH_CEL_FUNCTION_H

#include "cel/value.h"

/*
 * Functions and operators: tables of overloads.  A function is called with values of the kinds its
 * signature says (dyn and parameters: any), never with an ERROR, and gives a value or an error.
 * Operators have the names of cel-go: "_+_", "_[_]", "@in".
 */
typedef struct cel_value cel_fn(struct arena *a, const struct cel_value *arg, size_t n);
/* What a call costs; NULL in the table: 1. */
typedef uint64_t cel_cost_fn(const struct cel_value *arg, size_t n, struct cel_value result);

struct cel_function {
	const char *name, *overload, *signature;
	cel_fn *call;
	cel_cost_fn *cost;
};

struct cel_overload {
	const char *id;
	struct cel_signature sig;
	cel_fn *call;
	cel_cost_fn *cost;
	bool exact; /* the cost counts only where the checker knows that no other is meant */
};

struct cel_function_set {
	const char *name;
	struct cel_overload *overload;
	size_t n, cap;
};

/* Libraries: tables, each ended by a name of NULL. */
extern const struct cel_function cel_std_operators[], cel_std_text[], cel_std_time[],
    cel_lib_optional[];

/* What string(v) gives. */
struct cel_value cel_string_of(struct arena *a, struct cel_value v);

/* Costs that several share: a tenth of a size, rounded up (cel-go, runtimecost.go). */
uint64_t cel_cost_scan(
    const struct cel_value *arg, size_t n, struct cel_value result); /* of the first */
uint64_t cel_cost_join(
    const struct cel_value *arg, size_t n, struct cel_value result); /* of both */
uint64_t cel_cost_shorter(const struct cel_value *arg, size_t n, struct cel_value result);
uint64_t cel_tenth(size_t size);

#endif
