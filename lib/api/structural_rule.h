#ifndef ORCH_API_STRUCTURAL_RULE_H
#define ORCH_API_STRUCTURAL_RULE_H

#include "api/structural_node.h"

/* Rules of custom kinds (x-kubernetes-validations). */
void rules_read(struct structural *s, struct node *n, const json_t *list);
/* Compile the rules of all nodes; those that do not compile are left out, rules_check() says why.
 */
void rules_compile(struct structural *s);
void rules_free(struct structural *s);
/* What is asked of the words of the rules at one schema: is there a rule, is its message a line? */
void rules_check_words(struct causes *out, const struct path *at, const json_t *schema);
/* Do they compile, and are they cheap enough? */
void rules_check(struct structural *s, const struct path *at, struct causes *out);
/* Ask them of an object. */
void rules_validate(const struct structural *s, const json_t *obj, const json_t *old,
    struct causes *out, struct causes *passed);

#endif
