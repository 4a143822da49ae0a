#ifndef ORCH_API_CRON_H
#define ORCH_API_CRON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The schedule of a CronJob: five fields (minute, hour, day of month, month, day of week) of
 * "*", numbers, names, ranges and steps; or "@hourly" and the like, or "@every 90m".
 */
struct cron {
	uint64_t minutes, hours, days, months, weekdays; /* bit n: it fits n; Sunday is 0 */
	bool any_day, any_weekday;			 /* "*": then the other one decides alone */
	int64_t every; /* seconds for "@every", else 0 and the bits count */
};

int cron_parse(struct cron *ret, const char *text, struct err *err);

#endif
