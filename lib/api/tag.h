#ifndef ORCH_API_TAG_H
#define ORCH_API_TAG_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/*
 * Changes to labels or annotations as people write them: "tier=web" sets, "tier-" removes.
 */
struct tag_field {
	const char *name;     /* of metadata: "labels", "annotations" */
	const char *singular; /* "label" */
	bool labels;	      /* values have a label's form too */
};
extern const struct tag_field label_field, annotation_field;

/* Is this word such a change?  No kind or name of an object has a '=' or ends with '-'. */
bool tag_word(const char *word);

/*
 * A new object {key: text, key: null to remove}.  BAD_REQUEST for what cannot be a key or value,
 * and for a key that stands there twice.
 */
int tags_parse(
    json_t **ret, const struct tag_field *f, char *const words[], int n, struct err *err);

/*
 * Of these changes the ones that obj does not show yet; new, an empty object for none.  Without
 * `overwrite` a key that has another value already is DIFFERS.
 */
int tags_missing(json_t **ret, const struct tag_field *f, const json_t *edits, const json_t *obj,
    bool overwrite, struct err *err);

/* Make them in an object; a map that is then empty goes. */
void tags_apply(const struct tag_field *f, const json_t *edits, json_t *obj);

#endif
