#ifndef ORCH_API_CUSTOM_H
#define ORCH_API_CUSTOM_H

#include <jansson.h>
#include <stdint.h>

#include "api/schema.h"
#include "api/structural.h"
#include "api/validate.h"

/*
 * Kinds made of a CustomResourceDefinition, one for each version that it names.  They are struct
 * kinds like the built-in ones; struct custom is what only they have.
 */
struct custom {
	struct definition *definition;
	size_t place;			     /* of the version among those of the definition */
	_Atomic(struct structural *) schema; /* NULL: not compiled now; see custom_schema() */
	_Atomic bool used;		     /* since definition_forget() last looked */
	const struct kind *stored;	     /* the version that objects are kept in */
	const struct kind *const *served;    /* all versions that are served, NULL-terminated */
	const struct kind *all;		     /* all versions, served or not */
	size_t nall;
	const char *list_kind;
	const char *const
	    *selectable;	  /* "spec.color": what field selectors may name, NULL-terminated
				   */
	const char *warning;	  /* of a deprecated version; NULL: none */
	bool status;		  /* has the subresource */
	const char *scale[3];	  /* spec.replicas, status.replicas, selector; NULL: none */
	const char *const *about; /* descriptions of the kind's columns */

	/* Objects written before this revision may lack a default that the schema has by now, or
	 * have fields that it has no more. */
	uint64_t since;
	_Atomic bool terminating; /* the definition is being deleted: nothing new is made */
	void *table, *view;	  /* the store's own */
	void *conversion;	  /* too: who is asked for another version; NULL: nobody */
};

struct definition {
	struct kind *kinds; /* of every version, in the order of the definition */
	struct custom *custom;
	size_t n;
	const struct kind *stored;
	const struct kind **served; /* NULL-terminated */
	size_t nserved;
	json_t *crd; /* NULL: load(source) makes it */
	json_t *(*load)(void *source);
	_Atomic(void *) source; /* the loader's; what it is may be replaced, if it says the same */
	void *memory;
};

/* Build them from a definition that is valid; its names are those of status.acceptedNames. */
struct definition *definition_new(const json_t *crd);
/*
 * The same for who has thousands, most of which nobody uses: compiled schemas are by far the
 * largest part, so they are made when they are first needed, of what load(source) gives (new), and
 * are forgotten when they are needed no more.  kind->type of such kinds says nothing:
 * kind_schema() does.
 */
struct definition *definition_lazy(const json_t *crd, json_t *(*load)(void *source), void *source);
void definition_free(struct definition *d); /* accepts NULL; the source stays */

/*
 * Give up schemas that nobody has used since this was last asked; all: used or not.  They go by
 * registry_retire(): to be called by the thread that changes the registry.
 */
void definition_forget(struct definition *d, bool all);
/* The bytes that compiled schemas of lazy definitions take. */
size_t definition_weight(void);

/* The schema of a custom kind, to be used before registry_leave(). */
const struct structural *custom_schema(const struct kind *k);
/* What OpenAPI publishes of it (structural_openapi); new. */
json_t *custom_openapi(const struct kind *k, int version);

/* --- what functions of api/validate.h and api/convert.h do with such kinds --- */

/* An object as it was decoded: are its metadata what they must be?  Drops what the schema does not
 * know (*unknown gets the paths).  0 or ERR_BAD_REQUEST. */
int custom_decode(const struct kind *k, json_t *obj, struct causes *unknown, struct err *err);
/* What was kept, as it is read: pruned and defaulted, if it is older than the schema. */
void custom_read(const struct kind *stored, json_t *obj, uint64_t revision);
/* obj becomes one of another version of its kind. */
void custom_convert(json_t *obj, const struct kind *to);
/* obj, which somebody else has made one of this version: what its schema does not know goes. */
int custom_adopt(const struct kind *k, json_t *obj, struct err *err);
void custom_default(const struct kind *k, json_t *obj);
/* status: it comes through /status.  passed (may be NULL) gets what was wrong before, too, and is
 * let through. */
void custom_validate(const struct kind *k, const json_t *obj, const json_t *old, bool status,
    struct causes *out, struct causes *passed);
/* custom_scale.c: where the numbers and the selector of the subresource scale stand. */
void custom_check_scale(const struct custom *x, const json_t *obj, bool status, struct causes *out);
/* Why there is no Scale of this object, new; NULL: there is one. */
char *custom_scale_fault(const struct custom *x, const json_t *obj);
/* The version of k that is called so, served or not. */
const struct kind *custom_sibling(const struct kind *k, const char *api_version);
/* Is obj a new generation of old? */
bool custom_counts(const struct kind *k, const json_t *old, const json_t *obj);
/* The value of a printer column, new. */
json_t *custom_cell(const struct column *col, const json_t *obj, int64_t now);

#endif
