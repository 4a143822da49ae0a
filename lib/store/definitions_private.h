#ifndef ORCH_STORE_DEFINITIONS_PRIVATE_H
#define ORCH_STORE_DEFINITIONS_PRIVATE_H

#include "api/custom.h"
#include "store/definition_names.h"
#include "store/definitions.h"

/*
 * What the files behind definitions.h share.
 *
 *	definitions.c		the thread: what has changed
 *	definition_serve.c	which kinds are served
 *	definition_names.c	who has which names
 *	definition_end.c	what is deleted: instances first
 *	definition_read.c	a definition without its schemas
 *	definition_volley.c	several writes at a time
 */

/* A definition as it was last looked at. */
struct known {
	char *name;
	uint64_t revision; /* of the definition; 0: to be looked at */
	bool ending;
	bool refused;		       /* some of its names */
	char *names;		       /* those that it has, as JSON; NULL: none */
	char *basis;		       /* what the kinds were made of: see basis_of() */
	struct definition *definition; /* NULL: nothing of it is served */
};

struct definitions {
	struct server *server;
	const struct kind *kind;
	struct table *table;
	struct known **known; /* in the order of their names */
	size_t n;
	struct groups *groups;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool changed, stop;
	_Atomic uint64_t looked; /* the table's last change that was looked at */
	bool unpublished;	 /* some have changed what they serve */
	double swept;		 /* when unused schemas were last looked for */
	uint64_t seen;		 /* the revision when memory was last looked at */
	double tidied, gave;	 /* when that was, and when some was last given back */
	size_t unused;		 /* what the allocator had for later then */
};

/* --- definition_serve.c --- */

/* Serve crd (its schemas need not be in it), which o is, from the next definitions_publish() on.
 * Returns the kinds that are to be detached then, if any. */
struct definition *definition_serve(
    struct definitions *d, struct known *k, struct object *o, const json_t *crd);
void definitions_publish(struct definitions *d);
/* Nobody is shown these any more; gone: nor others of the same objects. */
void definition_detach(struct definitions *d, struct definition *def, bool gone);
void definition_release(void *def); /* frees it with what it was made of; accepts NULL */

/* --- definition_end.c --- */

/* crd, which o is, is being deleted: its instances first.  Returns whether some are left. */
struct volley;
bool definition_end(
    struct definitions *d, struct known *k, struct object *o, json_t *crd, struct volley *v);

/* --- definition_read.c --- */

struct gathered {
	struct object **object;
	size_t n, cap;
};
/* All objects of a table, in the order of their names. */
struct gathered objects_gather(struct definitions *d, struct table *t);
void gathered_release(struct gathered *g);

/* All but the schemas, which are nearly all of it; new. */
json_t *definition_outline(const struct object *o);

/* --- definition_volley.c: writes that are waited for together --- */

struct volley {
	struct definitions *definitions;
	struct shot *shot;
	size_t n, cap;
};
/* Write status and metadata of what was `was` as they are in crd now (of which nothing else is
 * taken); if its last finalizer is gone, it goes.  Somebody else may have been faster: then we are
 * told of it and look again. */
void volley_status(struct volley *v, struct object *was, json_t *crd);
/* Delete an instance. */
void volley_delete(struct volley *v, struct table *t, struct object *o);
void volley_wait(struct volley *v);

#endif
