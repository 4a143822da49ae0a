#ifndef ORCH_STORE_DELETE_H
#define ORCH_STORE_DELETE_H

#include "store/call.h"

/* DeleteOptions, from the body or the query. */
struct delete_options {
	bool has_grace;
	json_int_t grace;
	char *policy;	     /* "", "Orphan", "Background", "Foreground" */
	char *uid, *version; /* preconditions, "" for none */
};

/* Reads them; answers and returns -1. */
int delete_options_read(struct call *c, struct delete_options *o);
int delete_options_from(
    struct call *c, const json_t *body, struct delete_options *o); /* from a DeleteOptions object */
void delete_options_release(struct delete_options *o);

enum deletion {
	DELETE_NOW,	 /* take it out; obj is its last state */
	DELETE_MARKED,	 /* write obj: it has a deletionTimestamp now */
	DELETE_UNCHANGED /* it was being deleted already */
};
/* What a deletion does to obj (a copy of the stored object, edited in place). */
enum deletion delete_decide(
    const struct kind *k, json_t *obj, const struct delete_options *o, int64_t now);
/*
 * A Pod that goes at once is changed first, as one that has time to stop: whoever watches sees it
 * with its deletionTimestamp, and then its end.  Did delete_decide() so mark what was `old`?
 */
bool delete_marks(enum deletion d, const json_t *old, const json_t *obj);
/* The preconditions; CONFLICT. */
int delete_check(
    const struct kind *k, const json_t *obj, const struct delete_options *o, struct err *err);

/* One object, c->old; answers by itself: what DELETE does, and eviction with its own answer. */
void delete_object(struct call *c, const struct delete_options *o);

#endif
