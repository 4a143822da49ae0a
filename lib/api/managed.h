#ifndef ORCH_API_MANAGED_H
#define ORCH_API_MANAGED_H

#include <jansson.h>

#include "api/fieldset.h"

/*
 * metadata.managedFields taken apart: who owns which fields.  A manager is told apart by name,
 * operation and subresource, and one that updates also by the version it used.
 */
struct manager {
	const char *name, *version, *subresource, *time; /* "" for none */
	bool applied;					 /* operation Apply, else Update */
	struct fieldset fields;
	const json_t *entry; /* what it was read from, as long as nothing has changed; else NULL */
};

struct managers {
	struct arena *arena;
	struct manager *item;
	size_t n, cap;
};
enum { MANAGERS_UPDATING = 10 }; /* more are made one: "ancient-changes" */

/* Read a list of entries (NULL or [] is none).  It must outlive the managers, and the arena. */
int managers_read(struct managers *m, struct arena *a, const json_t *entries, struct err *err);
void managers_release(struct managers *m);

/* The one that is like `who`, or NULL. */
struct manager *managers_find(struct managers *m, const struct manager *who);
/* The same, made when there is none, with who's version, and no fields. */
struct manager *managers_get(struct managers *m, const struct manager *who);

void managers_drop_empty(struct managers *m);
void managers_cap(struct managers *m); /* to MANAGERS_UPDATING */

/* As Kubernetes names one in a conflict: "kubectl" with subresource "status" using apps/v1 */
void manager_print(const struct manager *who, struct buf *out);
/* The order in which conflicts are listed. */
int manager_cmp(const struct manager *a, const struct manager *b);

/* The list to be stored, in Kubernetes' order; NULL when there are none.  New. */
json_t *managers_json(struct managers *m);

#endif
