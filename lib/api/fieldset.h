#ifndef ORCH_API_FIELDSET_H
#define ORCH_API_FIELDSET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * Sets of paths to fields of an object, as metadata.managedFields keeps them in the form
 * FieldsV1: who owns what.  A path leads through fields by name, and through list items by their
 * key fields, by their value or by their index:
 *
 *	{"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:image":{}}}}}
 *
 * holds .spec.containers[name="c"] and .spec.containers[name="c"].image.  A path may be in the set
 * without those above or below it.
 *
 * Sets live in an arena and do not change once made, so results share parts with what they were
 * made from.  Texts are borrowed: of the objects and FieldsV1 that a set was made from.
 */
enum element_kind { ELEMENT_FIELD, ELEMENT_KEY, ELEMENT_VALUE, ELEMENT_INDEX };

struct element {
	enum element_kind kind;
	const char *text; /* the field's name; the JSON of the key fields in order, of the value, of
			     the index */
};

struct fieldset {
	struct fieldnode *node; /* in order of elements */
	uint32_t n, cap;
};

struct fieldnode {
	struct element at;
	bool member;	       /* the path that ends here is in the set */
	struct fieldset below; /* those that go on */
};

#define FIELDSET_EMPTY     \
	{                  \
		NULL, 0, 0 \
	}

/* The order in which Kubernetes writes them: fields, keys, values, indexes; numbers by size. */
int element_cmp(struct element a, struct element b);
void element_print(struct element e, struct buf *b); /* ".name", [name="c"], [="v"], [0] */

bool fieldset_empty(const struct fieldset *s);
bool fieldset_equal(const struct fieldset *a, const struct fieldset *b);
const struct fieldnode *fieldset_find(const struct fieldset *s, struct element at); /* or NULL */

struct fieldset fieldset_union(struct arena *a, const struct fieldset *x, const struct fieldset *y);
struct fieldset fieldset_common(
    struct arena *a, const struct fieldset *x, const struct fieldset *y);
/* x without the paths of y; those below them stay. */
struct fieldset fieldset_minus(struct arena *a, const struct fieldset *x, const struct fieldset *y);
/* x without the paths of y and all below them. */
struct fieldset fieldset_without(
    struct arena *a, const struct fieldset *x, const struct fieldset *y);
bool fieldset_meets(const struct fieldset *x, const struct fieldset *y); /* have one in common */

/* Calls each with every path of the set as text (".spec.replicas"). */
void fieldset_each(const struct fieldset *s, void (*each)(void *arg, const char *path), void *arg);

/* FieldsV1 and back.  What is read must outlive the set. */
int fieldset_read(struct arena *a, const json_t *fields, struct fieldset *ret, struct err *err);
json_t *fieldset_json(const struct fieldset *s); /* new */

/* --- making one --- */
/* Add at the end; the caller sees to the order, or calls fieldset_sort afterwards. */
struct fieldnode *fieldset_add(struct arena *a, struct fieldset *s, struct element at);
void fieldset_sort(struct fieldset *s); /* this level only */

/* The element of a list item with this value, and of one with these key fields, of which a
 * missing one counts as what is in dflt (JSON, may be NULL).  text is NULL when a key is missing
 * (*missing says which) or is no scalar. */
struct element element_value(struct arena *a, const json_t *value);
struct element element_key(struct arena *a, const json_t *item, const char *const *keys,
    const char *const *dflt, size_t n, const char **missing);

#endif
