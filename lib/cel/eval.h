#ifndef ORCH_CEL_EVAL_H
#define ORCH_CEL_EVAL_H

#include "cel/env.h"

/* What eval.c and fold.c share: an evaluation on its way. */

/* What cel-go counts (interpreter/runtimecost.go, common/cost.go). */
enum { COST_NAME = 1, COST_LIST = 10, COST_MAP = 30, COST_STRUCT = 40 };

struct run {
	const struct cel_program *p;
	const struct cel_value *variables;
	struct cel_value *local;
	struct arena *a;
	uint64_t cost, limit;
	size_t memory; /* the most that the arena may hold: what costs little may still be large */
};

struct cel_value run_eval(struct run *r, const struct cel_expr *e);
struct cel_value run_fold(struct run *r, const struct cel_expr *e);
bool run_spent(struct run *r, uint64_t more); /* true: beyond the limit */
struct cel_value run_cancelled(void);	      /* the error that nothing takes up */
bool run_is_cancelled(struct cel_value v);
struct cel_value run_no_overload(struct run *r);

#endif
