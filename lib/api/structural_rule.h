#ifndef ORCH_API_STRUCTURAL_RULE_H
#define ORCH_API_STRUCTURAL_RULE_H

#include "api/structural_node.h"

/* Rules of custom kinds (x-kubernetes-validations), in the Common Expression Language. */
struct rule {
	const char *source, *message, *expression, *reason; /* message "": none; reason NULL */
	const char *field; /* the path below the value that it blames: "a.b"; NULL: the value */
	struct cel_program *program, *words; /* words: of messageExpression; may be NULL */
	const struct cel_type *self;
	int64_t least; /* bytes of the shortest value */
	bool uses_old, optional_old;
	bool says_optional;		 /* optionalOldSelf stands there */
	const char *fault, *words_fault; /* why it does not compile, NULL: it does */
	const char *path;		 /* fieldPath as it was written */
};

/* The type of a value as the language sees it, or NULL when it cannot; *least gets how many bytes
 * the shortest one takes. */
const struct cel_type *node_cel_type(
    struct arena *a, const struct node *n, bool resource, int64_t *least);

/* Those that stand in a schema; the text of what they are made of is copied. */
void rules_read(struct structural *s, struct node *n, const json_t *schema);
/* Compile the rules of all nodes; what does not compile says so when it is asked. */
void rules_compile(struct structural *s);
void rules_free(struct structural *s);
size_t rules_size(const struct structural *s); /* the bytes of what was compiled */
/* What is asked of the words of the rules at one schema: is there a rule, is its message a line? */
void rules_check_words(struct causes *out, const struct path *at, const json_t *schema);
/* Do they compile, and are they cheap enough?  Those of a schema that one of the causes from `from`
 * on is about are not asked. */
void rules_check(struct structural *s, const struct path *at, struct causes *out, size_t from);
/* Ask them of an object. */
void rules_validate(const struct structural *s, const json_t *obj, const json_t *old,
    struct causes *out, struct causes *passed);
/* The same of a default, which is its own old value. */
void rules_validate_default(const struct node *n, const struct path *at, struct causes *out);

/* Who watches (may be NULL), when the rules are estimated or asked; at: where the rule, or the
 * value, stands. */
struct rule_watch {
	void (*see)(
	    void *arg, const struct path *at, const struct rule *r, uint64_t cost, bool holds);
	void *arg;
};
void rules_estimate(struct structural *s, const struct rule_watch *watch);
void rules_meter(const struct structural *s, const json_t *obj, const struct rule_watch *watch);
enum { RULE_LIMIT = 10000000 }; /* what one may cost at most */

#endif
