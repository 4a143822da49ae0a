#ifndef ORCH_CEL_TYPE_H
#define ORCH_CEL_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

/*
 * Types of the expression language.  They are immutable and belong to an arena (or are static).
 */
enum cel_type_kind {
	CEL_T_DYN,
	CEL_T_NULL,
	CEL_T_BOOL,
	CEL_T_INT,
	CEL_T_UINT,
	CEL_T_DOUBLE,
	CEL_T_STRING,
	CEL_T_BYTES,
	CEL_T_TIMESTAMP,
	CEL_T_DURATION,
	CEL_T_LIST,	/* of[0] */
	CEL_T_MAP,	/* of[0] to of[1] */
	CEL_T_OBJECT,	/* name and fields */
	CEL_T_TYPE,	/* a type as a value; of[0] when it is known which */
	CEL_T_OPTIONAL, /* of[0] */
	CEL_T_OPAQUE,	/* name */
	CEL_T_WRAPPER,	/* of[0], or null */
	CEL_T_PARAM,	/* in a function's signature: any type, the same one for one name */
	CEL_T_ERROR,	/* of what could not be checked */
};

struct cel_field {
	const char *name;
	const struct cel_type *type;
	const char *json; /* its key in JSON, when that is another */
};

struct cel_type {
	enum cel_type_kind kind;
	const char *name;
	const struct cel_type *of[2];
	const struct cel_field *field; /* of an OBJECT */
	size_t nfields;
	bool open;    /* an OBJECT that may have other fields, too: of type dyn */
	bool bounded; /* its values' size is at most this: for estimates of cost */
	uint64_t most;
	/* Of a LIST from JSON whose order does not count: the fields that tell its items apart,
	 * NULL-terminated, or no fields when it is a set.  Else NULL. */
	const char *const *keys;
};

extern const struct cel_type cel_t_dyn, cel_t_null, cel_t_bool, cel_t_int, cel_t_uint, cel_t_double,
    cel_t_string, cel_t_bytes, cel_t_timestamp, cel_t_duration, cel_t_type, cel_t_error;

const struct cel_type *cel_list_type(struct arena *a, const struct cel_type *of);
const struct cel_type *cel_map_type(
    struct arena *a, const struct cel_type *key, const struct cel_type *value);
const struct cel_type *cel_optional_type(struct arena *a, const struct cel_type *of);
const struct cel_type *cel_type_type(struct arena *a, const struct cel_type *of);

const struct cel_field *cel_field_of(const struct cel_type *t, const char *name); /* or NULL */
bool cel_type_same(const struct cel_type *a, const struct cel_type *b);

/* "list(string)", as messages of the checker show it. */
void cel_type_print(const struct cel_type *t, struct buf *out);
/* By its own name, as messages about results show it: "google.protobuf.Timestamp", "null_type". */
void cel_type_print_name(const struct cel_type *t, struct buf *out);

/*
 * Signatures of functions, as text: "string.contains" takes "string.(string) bool"; capital letters
 * are parameters ("list(A).(A) bool"), other words opaque types by their name.
 */
struct cel_signature {
	bool member; /* the first argument stands before the dot */
	size_t n;
	const struct cel_type *arg[6], *result;
};
/* Compiled into `a`; aborts when it is wrong: signatures are constants. */
void cel_signature_parse(struct cel_signature *ret, const char *text, struct arena *a);

#endif
