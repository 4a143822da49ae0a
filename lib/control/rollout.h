#ifndef ORCH_CONTROL_ROLLOUT_H
#define ORCH_CONTROL_ROLLOUT_H

#include "control/control.h"

/*
 * What one look at a Deployment works on, shared by the parts of its controller:
 *	deployment.c	  which steps are taken
 *	rollout.c	  gathering and planning
 *	rollout_revision.c  templates, hashes, revisions, the history
 *	rollout_scale.c	  how many replicas each ReplicaSet should have
 *	rollout_status.c  status and conditions
 * The parts change `sets` and `next`; rollout_emit() turns the difference into actions.
 */
struct replica_set {
	const json_t *obj; /* as the world has it, or the one to be created */
	json_t *edit;	   /* a copy that differs, or NULL */
	bool fresh;	   /* to be created */
	bool doomed;	   /* to be deleted */
	bool resized;	   /* its share was computed anew: remember of what */
	int64_t before;	   /* spec.replicas now */
	int64_t replicas;  /* spec.replicas as it should be */
	int64_t current, ready, available, terminating; /* status */
};

struct rollout {
	const struct world *w;
	const json_t *deployment;
	struct plan *out;
	char now[40];

	struct replica_set *set; /* the Deployment's own, oldest first */
	size_t n, cap;
	struct replica_set *latest; /* the one with the Deployment's template, or NULL; in `set` */

	int64_t replicas;	    /* spec.replicas */
	int64_t surge, unavailable; /* how many above and below that; 0 unless rolling */
	bool recreate;

	json_t *next;	      /* the Deployment with its status as it should be */
	const char *revision; /* what its annotation should be, or NULL; in latest */
	bool collision;	      /* the name of the new ReplicaSet is another's */
};

int rollout_init(struct rollout *r, const struct world *w, const json_t *deployment,
    struct plan *out, struct err *err);
void rollout_release(struct rollout *r);
void rollout_emit(struct rollout *r);

struct replica_set *rollout_add(
    struct rollout *r, const json_t *obj); /* borrows; oldest first is the caller's care */
json_t *set_edit(struct replica_set *s);
const json_t *set_view(const struct replica_set *s); /* with its edits */

/* The pod template of a Deployment or ReplicaSet as bytes, without what tells ReplicaSets of one
 * Deployment apart; new. */
char *rollout_template_text(const json_t *owner);
/* The revision in a ReplicaSet's (or Deployment's) annotations, 0 for none. */
long long rollout_revision(const json_t *rs);
/* Annotations of a Deployment that are about itself, not about its template. */
bool rollout_private_annotation(const char *key);

void rollout_find_latest(struct rollout *r);
/* Find the ReplicaSet of the current template, bring its annotations up to date; make it when
 * `create`. */
void rollout_sync_revision(struct rollout *r, bool create);
/* Forget what is beyond spec.revisionHistoryLimit. */
void rollout_clean_history(struct rollout *r);

/* Someone changed spec.replicas since the last look. */
bool rollout_rescaled(const struct rollout *r);
/* Spread a changed spec.replicas over the ReplicaSets in proportion. */
void rollout_scale(struct rollout *r);
void rollout_rolling(struct rollout *r);
void rollout_recreate(struct rollout *r);
/* How many replicas a ReplicaSet of the current template may have now. */
int64_t rollout_room(const struct rollout *r, int64_t have);
int64_t rollout_total(const struct rollout *r); /* of spec.replicas as planned */

/* Status and the condition Available. */
void rollout_status(struct rollout *r);
/* The condition Progressing, after rollout_status(). */
void rollout_progress(struct rollout *r);
void rollout_paused_condition(struct rollout *r);
void rollout_condition(struct rollout *r, const char *type, const char *status, const char *reason,
    const char *message, ...) PRINTF(5, 6);
/* Did the last look see everything done? */
bool rollout_complete(const struct rollout *r, const json_t *deployment);
/* spec.progressDeadlineSeconds, 0 for none. */
int64_t rollout_deadline(const struct rollout *r);

#endif
