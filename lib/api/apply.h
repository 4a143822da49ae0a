#ifndef ORCH_API_APPLY_H
#define ORCH_API_APPLY_H

#include <jansson.h>
#include <stdbool.h>

#include "api/managed.h"
#include "api/schema.h"
#include "api/typed.h"
#include "api/validate.h"

/*
 * Server-side apply, and who owns which field of an object: metadata.managedFields.
 *
 * Somebody who applies says what he wants to be so: he owns these fields, gets a conflict when
 * he wants another value than another owner does, and what he no longer says goes when nobody
 * else owns it.  Everybody else who writes owns what he changed.
 */
struct apply {
	const struct kind *kind;
	const char *subresource; /* "" or "status": of the request */
	const char *manager;	 /* "" counts as "unknown" */
	const char *now;	 /* RFC 3339; "" leaves a manager's time as it is */
	bool force;		 /* take conflicting fields over */
	/* How n objects of a custom kind become ones of another version, in place, where that is
	 * more than a change of their apiVersion; NULL: it is not. */
	int (*convert)(const struct kind *to, json_t **obj, size_t n, struct err *err);
};

/* Why an apply is refused: a Status of 409 with these causes.  message is all of it. */
struct conflicts {
	struct causes causes;
	char *message; /* NULL: no conflict */
};
void conflicts_release(struct conflicts *c);

/*
 * Apply patch to live (NULL: there is none) into *ret: a new object as it would be sent by an
 * update, with managedFields; to be normalized, defaulted and validated.  Where nothing
 * changes it is live again.  Otherwise ERR_CONFLICT with *conflicts filled in (they must start
 * empty), ERR_BAD_REQUEST, or ERR_INTERNAL for what does not fit the schema.
 */
int apply_patch(const struct apply *a, const json_t *live, const json_t *patch, json_t **ret,
    struct conflicts *conflicts, struct err *err);

/*
 * Note in obj's managedFields what this write changes in live (NULL: it creates).  obj is decoded
 * and defaulted, not yet touched by admission; what it says itself in managedFields counts when it
 * can be read: an empty list, or one of one empty entry, forgets all owners.
 */
void apply_track(const struct apply *a, const json_t *live, json_t *obj);

/* When obj differs from live in nothing but the times of managers, it gets live's back. */
void apply_keep_times(const json_t *live, json_t *obj);

/* The manager of a request: fieldManager, or what stands before the "/" in User-Agent (either may
 * be NULL); new. */
char *apply_manager(const char *field_manager, const char *user_agent);

/* --- between apply.c and its parts --- */

/* Is metadata, too, out of reach of the status of this kind?  (Else some of it at most.) */
bool status_keeps_metadata(const struct kind *k);
/* What a request to this subresource never owns, whatever it says. */
struct fieldset apply_reset(struct arena *a, const struct apply *req);
/* What nobody ever owns: metadata.name, uid and the like. */
struct fieldset apply_stripped(struct arena *a, const struct fieldset *s);
/* live without managedFields; new, shares the rest. */
json_t *apply_plain(const json_t *live);

/* apply_view.c: owners write in any version that the object has (api/convert.h). */
struct apply_view {
	const struct kind *kind;
	json_t *old, *new;
	struct fieldset changed, removed;
	struct apply_view *next;
};
struct apply_views {
	struct arena *arena;
	const struct apply *req;
	const json_t *old, *new; /* in the request's version */
	struct apply_view *list; /* made when they are asked for */
	struct err broken; /* why a custom object cannot be seen in a version; code 0: it can */
};
/*
 * What changes for an owner of this version; NULL: it is none of the object's any more, or, of
 * custom kinds, the object does not fit its schema (all->broken says so), and then nobody can say
 * who owns what.
 */
const struct apply_view *apply_view(struct apply_views *all, const char *version);
void apply_views_release(struct apply_views *all);
/* What managers own of whole, an object of kind k, when the fields `last` go, those of other
 * versions by what they see.  trees: an array that must outlive the set. */
struct fieldset apply_owned(const struct apply *req, struct arena *a, const struct managers *m,
    const struct kind *k, const json_t *whole, const struct fieldset *last, json_t *trees,
    struct err *broken);
/* obj of version `from`, which shares nothing, as one of version `to`, in place.  What an object in
 * that version cannot be had for is broken, as `what` says; the first cause stays. */
void apply_convert(const struct apply *req, json_t **obj, const struct kind *from,
    const struct kind *to, const char *what, struct err *broken);

/* apply_legacy.c: of kubectl's client-side apply, which kept what it had applied in an annotation.
 */
/* The fields that it applied and that have not changed since.  Returns what was applied, which
 * must outlive the set and is the caller's; NULL when that is not known. */
json_t *legacy_fields(
    struct arena *a, const struct kind *k, const json_t *live, struct fieldset *ret);
/* Keep the annotation in step with what was applied here, when there is one. */
void legacy_note(json_t *obj, const json_t *patch);

#endif
