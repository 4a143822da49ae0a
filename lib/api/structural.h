#ifndef ORCH_API_STRUCTURAL_H
#define ORCH_API_STRUCTURAL_H

#include <jansson.h>
#include <stdint.h>

#include "api/schema.h"
#include "api/validate.h"
#include "base/buf.h"

/*
 * The openAPIV3Schema of one version of a CustomResourceDefinition, compiled: what a custom kind
 * has in place of the tables that built-in kinds come with.  It is immutable; several threads may
 * use one.  It keeps no pointer into the JSON it was made from.
 */
struct structural;

/*
 * Compile a schema.  Mistakes go to causes, in the words and the order of the real server, with
 * field paths that begin with `path` ("spec.validation.openAPIV3Schema" when all versions have the
 * same schema, else "spec.versions[0].schema.openAPIV3Schema"); NULL then.
 */
struct structural *structural_new(const json_t *schema, const char *path, struct causes *causes);
/* The same of a schema that was accepted before (one that is stored): what it costs is not asked
 * again. */
struct structural *structural_load(const json_t *schema);
void structural_free(struct structural *s);	    /* accepts NULL */
size_t structural_size(const struct structural *s); /* its bytes, about */

/*
 * The same as tables (api/schema.h): a struct with apiVersion, kind and metadata, on which typed
 * merging, server-side apply and explain work as on the built-in kinds.  What nothing is known of
 * (x-kubernetes-preserve-unknown-fields) is CLASS_ANY or CLASS_RAW.
 */
const struct type *structural_type(const struct structural *s);

/*
 * Drop what the schema does not know, outside of what keeps unknown fields.  unknown (may be NULL)
 * gets the paths ("spec.b", "spec.l[0].x") in no order, each ended by a NUL.
 */
void structural_prune(const struct structural *s, json_t *obj, struct buf *unknown);

/*
 * apiVersion, kind and metadata of embedded resources get the form that they have at the top;
 * meta: a kind that consists of metadata.  unknown as above.  What has the wrong type is refused
 * (ERR_BAD_REQUEST), or goes when err is NULL.
 */
int structural_coerce(const struct structural *s, const struct kind *meta, json_t *obj,
    struct buf *unknown, struct err *err);

/* Drop each null that is not allowed and has no default. */
void structural_drop_nulls(const struct structural *s, json_t *obj);
/* Fill in defaults; a null that is not allowed gives way to one, or is dropped where there is none.
 */
void structural_default(const struct structural *s, json_t *obj);

/*
 * Values: types, required fields, enumerations, patterns, bounds, formats, logic, lists that are
 * sets or maps, metadata of embedded resources, and rules (x-kubernetes-validations).  old is what
 * is stored, NULL on a create: what was wrong before and did not change is let through, and rules
 * that look at oldSelf are asked.  An object of any size is looked at in bounded time.
 */
void structural_validate(
    const struct structural *s, const json_t *obj, const json_t *old, struct causes *causes);
/* The same; `passed` (may be NULL) gets the rules that were let through, which are warnings:
 * field ": " message. */
void structural_validate_update(const struct structural *s, const json_t *obj, const json_t *old,
    struct causes *causes, struct causes *passed);

/*
 * The same with what else there is to ask.  Of a change of the status nothing but that is looked
 * at.  Rules are not asked when one of the causes from `before` on says that the object is not what
 * they are about.
 */
struct structural_change {
	const json_t *obj, *old; /* old NULL: it is new */
	bool status;		 /* it comes through /status */
	struct causes *passed;	 /* may be NULL */
	void (*more)(const struct structural_change *c, struct causes *out); /* may be NULL */
	const void *arg;
};
void structural_validate_change(const struct structural *s, const struct structural_change *c,
    struct causes *causes, size_t before);

/*
 * What OpenAPI publishes of a schema, version 2 or 3: a new one, in which apiVersion, kind and
 * metadata are described as well.  Version 2 says less: no nullable, no logic, no defaults.
 */
json_t *structural_openapi(const json_t *schema, int version);

/*
 * The rules of a schema for people who write them.  structural_rules() shows each with what it may
 * cost at most in one request (UINT64_MAX: no bound), or why it does not compile;
 * structural_meter() shows each that an object is asked, with what that did cost and whether it
 * holds.  `at` is where: "spec.ports[*]", "spec.ports[0]"; "" is the object itself.
 */
struct rule_seen {
	const char *at, *rule, *fault; /* fault NULL: it compiles */
	uint64_t cost;
	bool dear; /* that is more than a rule may cost */
	bool holds;
};
void structural_rules(
    struct structural *s, void (*see)(void *arg, const struct rule_seen *r), void *arg);
void structural_meter(const struct structural *s, const json_t *obj,
    void (*see)(void *arg, const struct rule_seen *r), void *arg);

#endif
