#ifndef ORCH_API_RULES_JOB_H
#define ORCH_API_RULES_JOB_H

#include "api/check.h"

/* What Jobs and CronJobs are asked of theirs, but for the selector. */
void check_job_spec(struct causes *out, const struct path *at, const json_t *spec);

#endif
