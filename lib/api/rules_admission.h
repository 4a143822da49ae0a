#ifndef ORCH_API_RULES_ADMISSION_H
#define ORCH_API_RULES_ADMISSION_H

#include "api/check.h"

/* What webhooks and admission policies share. */
void check_webhook_rule(struct causes *out, const struct path *at, const json_t *rule);
void check_match_conditions(struct causes *out, const struct path *at, const json_t *conditions);

#endif
