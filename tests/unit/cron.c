/* Cron schedules: what fits, and what is refused. */
#include <stdio.h>
#include <string.h>

#include "api/cron.h"
#include "base/mem.h"

static int failed;

static uint64_t
bit(unsigned n)
{
	return UINT64_C(1) << n;
}

static void
refused(void)
{
	static const struct {
		const char *text, *want;
	} t[] = { { "", "empty spec string" },
		{ "* * * *", "expected exactly 5 fields, found 4: [* * * *]" },
		{ "x", "expected exactly 5 fields, found 1: [x]" },
		{ "60 * * * *", "end of range (60) above maximum (59): 60" },
		{ "* * 0 * *", "beginning of range (0) below minimum (1): 0" },
		{ "5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1" },
		{ "*/0 * * * *", "step of range should be a positive number: */0" },
		{ "1/2/3 * * * *", "too many slashes: 1/2/3" },
		{ "1-2-3 * * * *", "too many hyphens: 1-2-3" },
		{ "a * * * *",
		    "failed to parse int from a: strconv.Atoi: parsing \"a\": invalid syntax" },
		{ "-1 * * * *",
		    "failed to parse int from : strconv.Atoi: parsing \"\": invalid syntax" },
		{ "@never", "unrecognized descriptor: @never" },
		{ "* * * * 7", "end of range (7) above maximum (6): 7" },
		{ "99999999999999999999 * * * *",
		    "failed to parse int from 99999999999999999999: strconv.Atoi: parsing "
		    "\"99999999999999999999\": invalid syntax" } };

	for (size_t i = 0; i < COUNT(t); i++) {
		struct cron c;
		struct err err = { 0 };

		if (cron_parse(&c, t[i].text, &err) == 0 || strcmp(err.msg, t[i].want)) {
			printf("cron '%s': %s\n", t[i].text, err.msg);
			failed = 1;
		}
	}
}

static void
same(const char *text, uint64_t minutes, uint64_t hours, uint64_t weekdays)
{
	struct cron c;
	struct err err = { 0 };

	if (cron_parse(&c, text, &err) == 0 && c.minutes == minutes && c.hours == hours &&
	    c.weekdays == weekdays)
		return;
	printf("cron '%s': %s\n", text, err.msg);
	failed = 1;
}

int
main(void)
{
	const uint64_t all_hours = bit(24) - 1, all_weekdays = bit(7) - 1;
	struct cron c;
	struct err err;

	refused();
	same("*/15 * * * *", bit(0) | bit(15) | bit(30) | bit(45), all_hours, all_weekdays);
	same("50/5 * * * *", bit(50) | bit(55), all_hours, all_weekdays);
	same("1,3-5 8-18/5 * * mon-WED", bit(1) | bit(3) | bit(4) | bit(5),
	    bit(8) | bit(13) | bit(18), bit(1) | bit(2) | bit(3));
	same("  0\t3 ? jan,Dec 0 ", bit(0), bit(3), bit(0));
	same("@hourly", bit(0), all_hours, all_weekdays);
	same("@weekly", bit(0), bit(0), bit(0));
	if (cron_parse(&c, "@every 90m", &err) || c.every != 5400 ||
	    cron_parse(&c, "0 0 1 * 1", &err) || c.any_day || c.any_weekday ||
	    cron_parse(&c, "0 0 * * 1", &err) || !c.any_day || c.any_weekday) {
		printf("cron: @every, any day\n");
		failed = 1;
	}
	return failed;
}
