#ifndef ORCH_API_DRAIN_BUDGET_H
#define ORCH_API_DRAIN_BUDGET_H

#include "api/drain.h"
#include "api/selector.h"

/*
 * Inside lib/api/drain.c: what PodDisruptionBudgets have left while pods are taken from them, one
 * after the other.
 */
struct tally {
	const json_t *budget;
	struct selector *selector; /* NULL: matches nothing */
	json_int_t taken;
};

struct tallies {
	struct tally *item;
	size_t n;
};

void tallies_init(struct tallies *t, const json_t *budgets);
void tallies_release(struct tallies *t);
void tallies_decide(struct tallies *t, struct drain_verdict *v, const json_t *pod);

#endif
