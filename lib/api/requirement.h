#ifndef ORCH_API_REQUIREMENT_H
#define ORCH_API_REQUIREMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* What a selector is made of; for selector.c, label_selector.c and field_selector.c alone. */
enum op {
	OP_IN,
	OP_NOT_IN,
	OP_EQUAL,
	OP_DOUBLE_EQUAL,
	OP_NOT_EQUAL,
	OP_GREATER,
	OP_LESS,
	OP_EXISTS,
	OP_ABSENT
};

struct requirement {
	char *key;
	enum op op;
	char **values; /* sorted, each once */
	size_t n, cap;
};

struct selector {
	struct requirement *item;
	size_t n, cap;
	bool nothing; /* matches no object at all */
	bool fields;
};

struct requirement *requirement_add(struct selector *s, char *key, enum op op); /* takes key */
void requirement_add_value(struct requirement *r, char *value);			/* takes value */
bool requirement_lists(const struct requirement *r, const char *value);
/* May the values be what they are (labels.NewRequirement)?  `keyed`: the key is known to be good.
 */
int requirement_check(const struct requirement *r, bool keyed, struct err *err);
void selector_sort(struct selector *s); /* by key, as labels.Selector is */

#endif
