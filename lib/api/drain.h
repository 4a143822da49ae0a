#ifndef ORCH_API_DRAIN_H
#define ORCH_API_DRAIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * What draining nodes does to their pods: pods, budgets and options in, a verdict for each pod
 * out.  What the options mean is what they mean for `kubectl drain`; what budgets allow follows
 * from their status by the rules of pods/eviction.
 */
enum drain_action {
	DRAIN_EVICT,  /* it can go now */
	DRAIN_WAIT,   /* its budget lets others go first */
	DRAIN_BLOCK,  /* its budget lets none go as things are */
	DRAIN_SKIP,   /* it stays, or nobody waits for it */
	DRAIN_REFUSE, /* an option is missing: nothing of its node is evicted */
};
const char *drain_word(enum drain_action a); /* "evict" */

struct drain_options {
	bool force, ignore_daemonsets, delete_emptydir;
	bool deletes;	      /* no eviction: budgets are not asked */
	long long skip_after; /* seconds that a pod may be on its end to be waited for; 0: any */
	int64_t now;
	const json_t *orphans; /* {"NAMESPACE/NAME": true}: DaemonSets that pods are of and that do
				  not exist; or NULL */
};

struct drain_verdict {
	enum drain_action action;
	int turn; /* EVICT: 1; WAIT: 2 goes when those of 1 are replaced, and so on; else 0 */
	const json_t *budget; /* that decided it; borrowed, or NULL */
	char *reason;
};

/* budgets: of all namespaces that pods are in; budgets or pods that are no concern do no harm. ret
 * has room for one verdict for each pod of the array. */
void drain_decide(struct drain_verdict *ret, const json_t *pods, const json_t *budgets,
    const struct drain_options *o);
void drain_release(struct drain_verdict *v, size_t n);

/* Of the budgets the first that counts this pod, or NULL. */
const json_t *drain_budget_of(const json_t *budgets, const json_t *pod);

/* The numbers of a budget, for programs; new. */
json_t *drain_numbers(const json_t *budget);

/* The same for people, and which of the pods it counts are not ready, and why: "budget default/web
 * (minAvailable 2): 1 healthy of 2, 2 needed, ...". */
void drain_why(struct buf *out, const json_t *budget, const json_t *pods);

#endif
