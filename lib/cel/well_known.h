#ifndef ORCH_CEL_WELL_KNOWN_H
#define ORCH_CEL_WELL_KNOWN_H

#include "cel/value.h"

/*
 * The messages of protocol buffers that are values of the language itself: an expression may make
 * one by its name, google.protobuf.Int64Value{value: 1}, and gets 1 (cel-spec, langdef.md, Dynamic
 * Values).
 */
struct cel_well_known {
	const char *name;
	const struct cel_type *type; /* of what is made */
	const struct cel_field *field;
	size_t nfields;
	struct cel_value (*make)(
	    struct arena *a, const struct cel_well_known *w, const struct cel_map *fields);
};

const struct cel_well_known *cel_well_known(const char *name); /* or NULL */
/* A name that stands for a number: google.protobuf.NullValue.NULL_VALUE. */
bool cel_well_known_number(const char *name, int64_t *ret);

#endif
