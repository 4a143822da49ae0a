#ifndef ORCH_STORE_CONVERSION_H
#define ORCH_STORE_CONVERSION_H

#include "store/call.h"

/*
 * Objects of custom kinds in other versions than they are kept in, where the definition says that a
 * webhook makes them (spec.conversion.strategy: Webhook).  Everything that asks it may take half a
 * minute: it runs on threads of its own (conversion_defer), at most a few for each definition, so
 * that nobody waits for the webhook of another kind.
 *
 * What it has answered is kept for a while, by object and version: lists, and all who watch, ask
 * once.  The errors are those of Kubernetes, "conversion webhook for GROUP/VERSION, Kind=K failed:
 * ..."; its answer is a Status of 500 without a reason (conversion_refuse).
 */

/* What all definitions share; the server's. */
struct conversions;
struct conversions *conversions_new(void);
/* No webhook is asked any more, and who is just asking gives up; waits for all threads. */
void conversions_stop(struct conversions *all);
void conversions_unref(struct conversions *all);

/* Of one definition: NULL where no webhook is asked. */
struct conversion;
struct conversion *conversion_new(struct server *s, const json_t *crd);
void conversion_retire(struct conversion *v); /* before its kinds go; accepts NULL */

/* Does k's definition have a webhook? */
bool conversion_of(const struct kind *k);
/* Must it be asked to show o as k? */
bool conversion_asks(const struct object *o, const struct kind *k);
/* May a write of the object that c names ask it, as k or as an owner of its fields does? */
bool conversion_near(struct call *c);

/* Run c->run = run on a thread that may ask. */
void conversion_defer(struct call *c, void (*run)(struct call *c));
bool conversion_stopping(const struct conversion *v); /* the server is */
/* Run fn(arg), which must enter the registry itself, on a new thread; false: there is none. */
bool conversion_thread(struct conversion *v, void (*fn)(void *arg), void *arg);
struct conversion *conversion_ref(struct conversion *v);
void conversion_unref(struct conversion *v);

/* How k shows o, if that needs nobody to be asked any more; a new reference or NULL. */
struct object *conversion_known(struct object *o, const struct kind *k);

/* --- what may ask, and so take long --- */

/* Make n objects (in place; of any versions of to's definition, as apiVersion says) ones of version
 * `to`, with one question. */
int conversion_run(const struct kind *to, json_t **obj, size_t n, struct err *err);
/* The same for who owns fields of them: nothing that the schema does not know is dropped. */
int conversion_owner(const struct kind *to, json_t **obj, size_t n, struct err *err);
/* n objects as k shows them: references to themselves where nobody has to be asked, to others
 * (object.shown) where somebody had. */
int conversion_show(
    const struct kind *k, struct object *const *in, size_t n, struct object **out, struct err *err);
/* object_json() of any kind. */
int conversion_json(struct object *o, const struct kind *k, json_t **ret, struct err *err);
/* draft_encode() of any kind. */
int conversion_encode(struct draft *d, const struct kind *k, const json_t *obj, struct err *err);

/* Answers 500 as Kubernetes does and returns -1. */
int conversion_refuse(struct call *c, const struct err *err);

#endif
