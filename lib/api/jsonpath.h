#ifndef ORCH_API_JSONPATH_H
#define ORCH_API_JSONPATH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * kubectl's template language: text with expressions in braces.
 *
 *	{.items[*].metadata.name}		fields, all items
 *	{.spec.containers[0].image}		index; negative ones count from the end; slices
 *[1:3], [::2]
 *	{.metadata.annotations.example\.com/x}	a dot in a name; or ['example.com/x']
 *	{..image}				at any depth
 *	{.status.conditions[?(@.type=="Ready")].status}	filters: == != < <= > >=, or that a field
 *exists
 *	{['a','b']} {[0,2]}			several at once; ['a.b'] is a field "a.b", else .a.b
 *	{range .items[*]}{.metadata.name}{"\n"}{end}
 *
 * A field that does not exist is nothing, not an error.  Several results of one
 * expression are parted by spaces; objects and lists are printed as JSON.
 */
struct jsonpath;

/* BAD_REQUEST with the position of the mistake. */
int jsonpath_parse(struct jsonpath **ret, const char *template, struct err *err);

/* One path, as custom columns and sort keys write it: "{.metadata.name}", ".metadata.name" or
 * "metadata.name". */
int jsonpath_parse_path(struct jsonpath **ret, const char *path, struct err *err);

void jsonpath_free(struct jsonpath *p); /* accepts NULL */

/* The text that the template makes of a value, appended to out. */
int jsonpath_print(const struct jsonpath *p, json_t *value, struct buf *out, struct err *err);

/* What a path finds in a value: borrowed, in order. */
struct found {
	json_t **item;
	size_t n, cap;
};
#define FOUND_INIT         \
	{                  \
		NULL, 0, 0 \
	}
void found_release(struct found *f);
int jsonpath_find(const struct jsonpath *p, json_t *value, struct found *out, struct err *err);

/* A value as text: a string as it is, null as nothing, objects and lists as JSON. */
void jsonpath_text(struct buf *out, const json_t *value);

#endif
