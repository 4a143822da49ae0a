#ifndef ORCH_API_STRUCTURAL_VALUE_H
#define ORCH_API_STRUCTURAL_VALUE_H

#include "api/structural_node.h"

/* What structural_value.c and structural_scalar.c share. */

/* So many questions are asked of an object, where a refusal counts as several.  An honest one of a
 * megabyte takes a tenth of it. */
enum { STEPS = 5000000, REFUSAL = 4 };

struct check {
	const struct path *base;
	struct arena arena;
	size_t steps;
	bool spent;	  /* said that they were too many */
	bool differs;	  /* the value here is not the old one */
	unsigned matches; /* questions that were answered well: which alternative came closest */
};

/* The name of a field as causes have it, new; "" is the whole value. */
char *value_field(struct check *c, const char *name);
/* "Invalid value: VALUE: spec.x in body " and what is wrong. */
void value_refuse(struct check *c, struct causes *out, const char *reason, const struct path *at,
    const char *value, const char *fmt, ...) PRINTF(6, 7);
char *value_shown(const json_t *value); /* as Go prints it; new */

void value_string(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    struct causes *out);
void value_number(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    struct causes *out);
void value_choice(struct check *c, const struct node *n, const struct path *at, const json_t *value,
    struct causes *out);

#endif
