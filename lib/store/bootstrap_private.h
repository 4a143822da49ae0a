#ifndef ORCH_STORE_BOOTSTRAP_PRIVATE_H
#define ORCH_STORE_BOOTSTRAP_PRIVATE_H

#include "store/bootstrap.h"

/* How an object that is there already is kept right. */
enum care {
	CARE_EXISTS,	/* that it is there */
	CARE_SUGGESTED, /* its spec, if its annotation does not say that somebody else does */
	CARE_MANDATORY, /* its spec and annotation, whatever they say */
	CARE_MANAGED,	/* its spec, at the start, as long as its label says that it is ours */
	CARE_FIELDS,	/* every field that is wanted; others may add to it */
};

struct wanted {
	struct table *table;
	json_t *obj;
	enum care care;
	const char *by;
};

struct bootstrap {
	struct server *server;
	struct wanted *want;
	size_t n, cap;
	_Atomic bool running; /* what there is from the start is there */
};

void bootstrap_want(struct bootstrap *b, json_t *obj, enum care care, const char *by); /* takes */

/* bootstrap_own.c: those that tell of this very server. */
void bootstrap_own(struct bootstrap *b, const struct bootstrap_facts *f);
/* bootstrap_api.c: those that tell what it serves. */
void bootstrap_api(struct bootstrap *b);

#endif
