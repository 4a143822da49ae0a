#ifndef ORCH_SCHEDULE_RELATE_H
#define ORCH_SCHEDULE_RELATE_H

#include "api/selector.h"
#include "schedule/snapshot.h"

/*
 * What a pod says about where other pods are: PodTopologySpread and InterPodAffinity.  Their
 * verdicts follow from the pods on all nodes, so they are not kept from one decision to the
 * next: they are worked out anew for pods that relate to others, and for all as long as some placed
 * pod has affinity terms of its own.
 */
enum term_kind {
	TERM_NEAR,
	TERM_AWAY,
	TERM_PREFER,
	TERM_AVOID,
	TERM_KINDS
}; /* the first two required */

struct term {
	struct selector *selector;    /* NULL: matches nothing */
	struct selector *ns_selector; /* NULL: none */
	const json_t *namespaces;
	unsigned topology;
	int weight; /* of preferred ones */
};

struct spread {
	struct selector *selector;
	const char
	    *owner; /* not NULL: pods with this controller are meant, whatever their labels */
	unsigned topology;
	int64_t max_skew, min_domains;
	bool hard; /* DoNotSchedule */
	bool honor_affinity, honor_taints;
};

/* In the pod's own words, or (owner) upstream's defaults for pods of one controller: soft spreading
 * over hosts and zones, where nodes without a zone are as good. */
struct related {
	struct term *term[TERM_KINDS];
	size_t nterms[TERM_KINDS];
	struct spread *spread;
	size_t nspread;
	bool between; /* has terms, not only spread */
};

struct related *related_of(
    struct scheduler *s, const json_t *pod); /* NULL when it says nothing of the kind */
void related_free(struct related *r);	     /* accepts NULL */

/* Does a term of `owner` mean this pod? */
bool term_matches(
    const struct scheduler *s, const struct term *t, const json_t *owner, const json_t *pod);

/* Change the verdicts of the nodes that fit so far, one for every place: filter and reason of those
 * that do not after all, and the plugin's score (0 to 100) of the others. */
enum { SPREAD_MISSING_LABEL, SPREAD_SKEW };
void spread_judge(
    const struct scheduler *s, const struct class *c, const json_t *pod, struct verdict *v);
enum { INTERPOD_NEAR, INTERPOD_AWAY, INTERPOD_GUARDED };
void interpod_judge(
    const struct scheduler *s, const struct class *c, const json_t *pod, struct verdict *v);

#endif
