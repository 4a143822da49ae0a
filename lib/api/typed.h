#ifndef ORCH_API_TYPED_H
#define ORCH_API_TYPED_H

#include <jansson.h>

#include "api/fieldset.h"
#include "api/schema.h"

/*
 * Objects walked along their schema, as structured-merge-diff does: which fields there are,
 * which differ, what two of them make together.  Structs, maps, and lists that are sets or maps
 * go in field by field and item by item; what is atomic, and every scalar, counts as one.
 */

/* How the value at some place is to be taken. */
enum relation { REL_LEAF, REL_STRUCT, REL_MAP, REL_SET, REL_LIST_MAP };
struct place {
	enum relation relation;
	const struct type *type; /* of the value; NULL: nothing is known, JSON says what it is */
	const char *const *keys; /* of a REL_LIST_MAP, NULL-terminated */
};
/* The type of what nothing is known of: JSON says what it is, and its objects are granular. */
extern const struct type type_deduced;
struct place place_of(const struct type *t);			      /* of a whole object */
struct place place_of_field(const struct place *p, const char *name); /* in a struct or map */
struct place place_of_item(const struct place *p);		      /* in a list */
bool place_knows(const struct place *p, const char *name);	      /* is it a declared field? */
/* Of what nothing is known objects are maps, when both (either may be NULL) are. */
struct place place_seen(struct place p, const json_t *x, const json_t *y);

/* The element that an item is called; text is NULL, and *why filled in, for one that has no
 * name. */
struct element place_element(
    struct arena *a, const struct place *p, const json_t *item, char why[static 256]);

/*
 * The items of a list with their elements, in order of these (equal ones in order of the list);
 * items without a name are left out.
 */
struct named_item {
	struct element at;
	json_t *value;
	size_t index;
};
struct named_item *place_items(
    struct arena *a, const struct place *p, const json_t *list, size_t *n);

/*
 * Is it what the schema says?  One message a mistake into out, in Kubernetes' words
 * (".spec.replicas: expected numeric (int or float), got string"), joined as Kubernetes joins
 * several.  false when there is one.
 */
bool typed_check(const struct type *t, const json_t *value, struct buf *out);
/* The same of what is kept already, where an item may stand twice. */
bool typed_check_kept(const struct type *t, const json_t *value, struct buf *out);

/* The fields that somebody who applies this value owns. */
struct fieldset typed_fields(struct arena *a, const struct type *t, const json_t *value);

/* What is different between two values of a type. */
struct changes {
	struct fieldset added, removed, modified;
};
struct changes typed_compare(
    struct arena *a, const struct type *t, const json_t *old, const json_t *new);

/* What applying patch to live makes (removals are not its business); a new value that shares
 * nothing with them. */
json_t *typed_merge(struct arena *a, const struct type *t, const json_t *live, const json_t *patch);

/* Take these fields and items out of value, in place. */
void typed_remove(
    struct arena *a, const struct type *t, json_t *value, const struct fieldset *fields);

/* The set with every declared field in it that is on the way to one in it. */
struct fieldset typed_named(struct arena *a, const struct type *t, const struct fieldset *s);

/* An object without anything, as a server writes it: with the structs, maps and lists that are
 * always written.  New. */
json_t *typed_nothing(const struct type *t);

#endif
