#ifndef ORCH_API_RULES_ADMISSION_H
#define ORCH_API_RULES_ADMISSION_H

#include "api/check.h"

/* What webhooks and admission policies share. */
void check_webhook_rule(struct causes *out, const struct path *at, const json_t *rule);
struct expressions;
void check_match_conditions(
    struct causes *out, const struct path *at, const json_t *conditions, bool params);
void check_param_kind(struct causes *out, const struct path *at, const json_t *params);
void check_param_ref(struct causes *out, const struct path *at, const json_t *ref);
void check_matches(struct causes *out, const struct path *at, const json_t *match);
void check_variables(struct causes *out, const struct path *up, const json_t *variables,
    struct expressions *e, unsigned uses);
bool blank(const char *s); /* nothing but white space */

#endif
