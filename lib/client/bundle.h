#ifndef ORCH_CLIENT_BUNDLE_H
#define ORCH_CLIENT_BUNDLE_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>

#include "api/learn.h"
#include "client/apply.h"
#include "client/calls.h"
#include "client/manifest.h"

/*
 * Manifests that are applied together.  All of it is read, then checked, then written, in the
 * order of installation; within one rank of that order several requests are under way at once.
 *
 *	bundle_add() ..., bundle_sort(), bundle_look(), bundle_check(), bundle_write()
 *
 * A CustomResourceDefinition in it makes kinds of which other items may be: these are checked by
 * it, here, when the server has it not or not so, and written once it is established.
 *
 * Failures are the items': err.code is set, and later steps leave such an item alone.
 */
struct item {
	json_t *obj; /* the manifest, made ready (apply_prepare) */
	char *where;
	const struct kind *kind; /* NULL: there is none */
	bool later;		 /* a definition in the bundle makes the kind */
	const char *manager;	 /* NULL: the bundle's */
	int rank;
	size_t nth;		 /* its place among those of its rank */
	struct item *definition; /* in this bundle, of its kind, or NULL; from bundle_sort() on */
	bool awaited;		 /* it is the definition of others */
	bool hidden;		 /* not the user's: the applyset */

	/* bundle_look: */
	json_t *live;	   /* as it was, NULL: not there */
	json_t *migration; /* the patch of managedFields that has to come first, or NULL */
	bool unseen;	   /* its namespace or its kind is only made by this bundle */
	/* bundle_check: */
	bool renewed;  /* the bundle changes the definition of its kind */
	json_t *after; /* as it would be; bundle_write: as it is */
	enum apply_result result;
	bool client_side; /* the server cannot apply this kind */
	bool unchecked;	  /* ... or cannot try it out: an admission webhook will not */
	/* bundle_write: */
	bool migrated; /* its managers were changed, maybe no more than these */
	bool written;
	bool told;
	unsigned waited; /* moments, for the server to know the new definition */

	struct err err;	   /* code ERR_OK: none */
	json_t *conflicts; /* the causes of a conflict with other managers */
	struct buf warnings;
};

struct bundle {
	struct client *client;
	const char *manager;
	bool force, server_side, guarded; /* guarded: write only what is as bundle_look saw it */
	bool offline; /* check without asking the server to (--dry-run=client) */
	const volatile sig_atomic_t *stop; /* write no more once it is set; NULL: never */
	double patience; /* seconds that bundle_write waits for a new kind to be served; 0: 30 */
	enum unknown unknown;
	struct learn *learn;
	bool dependent; /* bundle_check: those are asked about now that have a definition here */
	struct item *item;
	size_t n, cap;
	json_t *keys; /* of all items, by apply_key() */

	/* told of every item in order, as it is written or has failed */
	void (*tell)(void *arg, struct item *i);
	void *arg;
	size_t next; /* the first not told of */
};

const char *item_name(const struct item *i);
const char *item_namespace(const struct item *i);

/* Takes obj.  What cannot be understood (name, namespace, the same object twice) is an
 * error.  A kind that the server does not have may still come: bundle_sort() looks for its
 * definition, and fails the item when there is none. */
int bundle_add(struct bundle *b, json_t *obj, const char *where, struct err *err);
void bundle_sort(struct bundle *b);
void bundle_release(struct bundle *b);
size_t bundle_failed(const struct bundle *b); /* how many items */

/* Why it failed, for people: "web.yaml:3: cannot apply Deployment 'web': ..."; of a conflict a line
 * for each field and its manager.  A new string. */
char *item_trouble(const struct item *i, const char *verb);

/* Read what is there. */
void bundle_look(struct bundle *b);

/*
 * What would become of each?  The server is asked to apply it as a dry run.  What it cannot
 * try out, because its namespace is not there yet, is checked here by the schema.
 */
void bundle_check(struct bundle *b);

/* Apply what would change.  stop: no further rank after one in which an item failed. */
void bundle_write(struct bundle *b, bool stop);

/*
 * Put back what was written: delete what was created, and give what was changed its former
 * content and managers, where nobody else has changed the same since.  `said` is told of each
 * (r 0, or negative with err).  Returns how many could not be put back.
 */
size_t bundle_undo(struct bundle *b,
    void (*said)(void *arg, const struct item *i, int r, const struct err *err), void *arg);

/* --- between bundle.c and its parts --- */

/* bundle_kinds.c: find the kinds that definitions of the bundle make, and, in the order that items
 * stay in, whose they are. */
void bundle_learn(struct bundle *b);
void bundle_link(struct bundle *b);
/* What has become of the definitions is known: who has to be checked here? */
void bundle_renew(struct bundle *b);
/* Wait until definitions among these that others need are established; else the others fail. */
void bundle_await(struct bundle *b, size_t from, size_t to);

enum { BUNDLE_MOMENT = 100 };			 /* milliseconds between two tries */
unsigned bundle_moments(const struct bundle *b); /* of its patience */

/* Name, namespace and rank of an item that has its kind. */
int bundle_prepare(struct bundle *b, struct item *i, struct err *err);

/* Send one request for each item that `begin` fills one in for (false: none); `end` has its
 * answer. */
void bundle_ask(struct bundle *b, size_t from, size_t to,
    bool (*begin)(struct bundle *b, struct item *i, struct call *call),
    void (*end)(struct bundle *b, struct item *i, const struct call *call));

/* The request that applies an item. */
void bundle_apply_call(
    const struct bundle *b, const struct item *i, bool dry, bool force, struct call *call);

/* Is there no difference between an item's live object and this one? */
bool bundle_same(const struct bundle *b, const struct item *i, const json_t *after);

/* Let it fail by an answer: with the conflicts when it is one. */
void item_refuse(struct item *i, const struct call *call);
/* Is the conflict one of managers (else of resourceVersions)? */
bool item_contested(const struct item *i);
void item_forgive(struct item *i);		  /* forget the failure */
void item_look(struct bundle *b, struct item *i); /* read one again */

#endif
