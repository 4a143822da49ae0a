#ifndef ORCH_STORE_DEFINITIONS_H
#define ORCH_STORE_DEFINITIONS_H

#include "store/call.h"

/*
 * CustomResourceDefinitions come to life here: one thread looks at each that changes, settles its
 * names and its conditions, serves its kinds (api/registry.h), and empties and ends it when it is
 * deleted.  Everything that Kubernetes' API server has controllers for.
 */
struct definitions;

/* Serve what is established already; before the first request. */
int definitions_start(struct definitions **ret, struct server *s, struct err *err);
void definitions_stop(struct definitions *d); /* accepts NULL */
void definitions_free(struct definitions *d); /* behind everything that uses kinds; accepts NULL */
/* Something was written; from any thread, and quick when it was no definition. */
void definitions_changed(struct definitions *d);

#endif
