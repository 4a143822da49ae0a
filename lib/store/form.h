#ifndef ORCH_STORE_FORM_H
#define ORCH_STORE_FORM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/schema.h"
#include "serve/bytes.h"

/*
 * What the client wants to read instead of the object as it is kept (Accept:
 * ...;as=Table;v=v1;g=meta.k8s.io).
 */
enum form {
	FORM_JSON,
	FORM_YAML,
	FORM_AGGREGATED,   /* discovery of all groups in one document */
	FORM_TABLE,	   /* rows as kubectl shows them */
	FORM_PARTIAL,	   /* of an object: only its metadata */
	FORM_PARTIAL_LIST, /* the same of a list */
};
enum include { INCLUDE_METADATA, INCLUDE_OBJECT, INCLUDE_NONE };

struct shape {
	enum form form;
	bool protobuf;	      /* JSON or metadata only, but encoded so */
	const char *version;  /* "meta.k8s.io/v1" */
	enum include include; /* what stands beside the cells of a table's row */
};

bool shape_converts(const struct shape *s); /* to a Table or to metadata */
bool shape_is_kept(const struct shape *s);  /* what is kept can be sent as it is */
/* Is the whole object in it?  Else its version does not matter, and is the one that is kept. */
bool shape_shows_object(const struct shape *s);
/* Which of the tables of objects and of their words in the version that is asked for. */
struct table;
struct table *shape_table(const struct shape *s, struct table *table, struct table *view);
bool shape_equal(const struct shape *a, const struct shape *b);

/*
 * An object, list or Status (taken) of this kind in another shape; new.  A Status stays as it
 * is.  columns: say what the columns are, too (a watch says it once).
 */
json_t *shape_convert(
    const struct shape *s, const struct kind *k, json_t *v, bool columns, int64_t now);

json_t *shape_columns(const struct kind *k); /* what the columns are; new */

/* A watch event, {"type":..,"object":..}\n, with its object converted, and in protobuf where that
 * is asked for; new. */
struct bytes *shape_event(const struct shape *s, const struct kind *k, const char *event,
    size_t len, bool columns, int64_t now);

#endif
