#ifndef ORCH_CLIENT_PATCHING_H
#define ORCH_CLIENT_PATCHING_H

#include <jansson.h>
#include <stdbool.h>

#include "client/client.h"

/*
 * What orch-patch does to an object, at the server or here.
 */
enum patch_type {
	PATCH_DEFAULT, /* json for a list, strategic for a kind of the schema, else merge */
	PATCH_STRATEGIC,
	PATCH_JSON_MERGE,
	PATCH_JSON,
	PATCH_APPLY,
};

struct patching {
	enum patch_type type;
	json_t *patch;
	bool force;	     /* apply: take fields over from other managers */
	const char *manager; /* apply: in whose name */
	const char *sub;     /* the subresource, or NULL */
	const char *version; /* only if the object has this resourceVersion; NULL: any */
};

/* The word after --type; NULL is the default. */
int patch_type_of(const char *word, enum patch_type *ret, struct err *err);

/* Read the patch, YAML or JSON; it must be what the type takes. */
int patching_read(struct patching *p, const char *text, size_t len, struct err *err);
void patching_release(struct patching *p);

/* Patch a copy here.  Kinds that the schema does not know (k NULL) have no strategic merge. */
int patching_here(const struct patching *p, const struct kind *k, const json_t *obj, json_t **ret,
    struct err *err);

/* Let the server patch an object with this uid; query as for client_patch(). */
int patching_send(const struct patching *p, struct client *c, const struct kind *k,
    const json_t *live, const char *query, json_t **ret, struct err *err);

#endif
