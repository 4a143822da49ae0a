#ifndef ORCH_CEL_COST_H
#define ORCH_CEL_COST_H

#include "cel/env.h"

/* What cost.c and cost_call.c share: ranges that do not overflow, and sizes. */
struct cel_estimate {
	bool sized, entries, costed;
	struct cel_range cost; /* of what a macro has put into two places */
	struct cel_range size;
	struct cel_range key, value; /* of the entries */
};

/* What a call costs beyond its arguments, and the size of its result. */
struct call_cost {
	struct cel_range cost, size;
	bool sized;
};

struct coster {
	struct arena *a;
	unsigned bits;
	struct cost_local {
		const char *name;
		bool sized, entries;
		struct cel_range size, key, value;
	} local[64];
	size_t nlocals;
};

#define RANGE(a, b) ((struct cel_range){ (a), (b) })
struct cel_range range_add(struct cel_range a, struct cel_range b);
struct cel_range range_times(struct cel_range a, struct cel_range b);
struct cel_range range_scale(struct cel_range a, double factor); /* rounded up */
struct cel_range range_union(struct cel_range a, struct cel_range b);

bool cost_size(struct coster *c, struct cel_expr *e, struct cel_range *ret);
struct cel_range cost_size_or_any(struct coster *c, struct cel_expr *e);
/* The sizes of what a list or map holds. */
bool cost_entries(
    struct coster *c, struct cel_expr *e, struct cel_range *key, struct cel_range *value);
struct cel_estimate *cost_estimate(struct coster *c, struct cel_expr *e); /* made when missing */

/* Of one overload: the target (may be NULL) and arguments are there with their costs summed. */
struct call_cost cost_of_call(
    struct coster *c, struct cel_expr *e, const char *overload, const struct cel_range *arg_costs);

#endif
