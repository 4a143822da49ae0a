#ifndef ORCH_API_SELECTOR_H
#define ORCH_API_SELECTOR_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/*
 * Label and field selectors (Kubernetes: labels and fields packages).
 *
 * Label syntax: "a=b,c==d,e!=f,g in (x,y),h notin (z),i,!j,k>1,l<2".
 * Field syntax: "status.phase=Running,metadata.name!=web"; '\', ',' and '=' escaped with '\'.
 */
struct selector;

/* Both: a new selector, or negative with what was found and what was expected, in the words the
 * API server uses. "" matches all. */
int selector_parse(struct selector **ret, const char *text, struct err *err);
int selector_parse_fields(struct selector **ret, const char *text, struct err *err);

/* From a LabelSelector object {matchLabels, matchExpressions}.  As in Kubernetes a missing
 * (NULL) one matches nothing and an empty one everything. */
int selector_from_json(struct selector **ret, const json_t *label_selector, struct err *err);

/* From a plain map, as in nodeSelector or a Service's selector: every pair must match. */
struct selector *selector_from_map(const json_t *map);

void selector_free(struct selector *s); /* accepts NULL */

bool selector_empty(const struct selector *s); /* matches everything */

/* Against labels (an object of strings, or NULL for none). */
bool selector_match(const struct selector *s, const json_t *labels);

/* Against values that `value` finds, NULL when there is none: for who keeps no tree. */
bool selector_match_by(
    const struct selector *s, const char *(*value)(const char *key, void *arg), void *arg);

/* Against an object's fields: a missing field equals "", "false" and "0"; true/false and
 * numbers compare as text. */
bool selector_match_fields(const struct selector *s, const json_t *obj);

/* The value that an "=" requirement on this key demands, or NULL: lets a caller use an index. */
const char *selector_exact(const struct selector *s, const char *key);

/* The canonical text, as Kubernetes prints it; new, the caller frees it. */
char *selector_print(const struct selector *s);

/* For field selectors: does `each` accept every field name?  The first refused one, or NULL. */
const char *selector_refused(
    const struct selector *s, bool (*accepts)(const char *field, void *arg), void *arg);

#endif
