/* Parts of timestamps, in any time zone, and of durations. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "cel/function.h"
#include "cel/zone.h"

enum part { YEAR, MONTH, DAY_OF_YEAR, DAY, DATE, WEEKDAY, HOURS, MINUTES, SECONDS, MILLIS };

static int
pick(const struct tm *tm, int32_t ns, enum part part)
{
	switch (part) {
	case YEAR:
		return tm->tm_year + 1900;
	case MONTH:
		return tm->tm_mon;
	case DAY_OF_YEAR:
		return tm->tm_yday;
	case DAY:
		return tm->tm_mday - 1;
	case DATE:
		return tm->tm_mday;
	case WEEKDAY:
		return tm->tm_wday;
	case HOURS:
		return tm->tm_hour;
	case MINUTES:
		return tm->tm_min;
	case SECONDS:
		return tm->tm_sec;
	case MILLIS:
		break;
	}
	return ns / 1000000;
}

static struct cel_value
part_of(struct arena *a, const struct cel_value *arg, size_t n, enum part part)
{
	int64_t offset = 0;
	struct tm tm;
	time_t t;

	if (n == 2 &&
	    !zone_offset(arena_text(a, arg[1].text.p, arg[1].text.len), arg[0].time.s, &offset))
		return cel_error(a, "unknown time zone %.*s", (int)arg[1].text.len, arg[1].text.p);
	t = (time_t)(arg[0].time.s + offset);
	gmtime_r(&t, &tm);
	return cel_int(pick(&tm, arg[0].time.ns, part));
}

#define PART(name, part)                                                                     \
	static struct cel_value name(struct arena *a, const struct cel_value *arg, size_t n) \
	{                                                                                    \
		return part_of(a, arg, n, part);                                             \
	}
PART(year, YEAR)
PART(month, MONTH)
PART(day_of_year, DAY_OF_YEAR)
PART(day, DAY)
PART(date, DATE)
PART(weekday, WEEKDAY)
PART(hours, HOURS)
PART(minutes, MINUTES)
PART(seconds, SECONDS)
PART(millis, MILLIS)

static struct cel_value
duration_in(const struct cel_value *arg, int64_t unit)
{
	return cel_int(arg[0].time.s / unit);
}

static struct cel_value
duration_hours(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)n;
	return duration_in(arg, 3600);
}

static struct cel_value
duration_minutes(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)n;
	return duration_in(arg, 60);
}

static struct cel_value
duration_seconds(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)n;
	return duration_in(arg, 1);
}

static struct cel_value
duration_millis(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)n;
	return cel_int(arg[0].time.s * 1000 + arg[0].time.ns / 1000000);
}

#define BOTH(name, id, fn)                                                              \
	{ name, "timestamp_to_" id, "timestamp.() int", fn, NULL },                     \
	{                                                                               \
		name, "timestamp_to_" id "_with_tz", "timestamp.(string) int", fn, NULL \
	}

const struct cel_function cel_std_time[] = {
	BOTH("getFullYear", "year", year),
	BOTH("getMonth", "month", month),
	BOTH("getDayOfYear", "day_of_year", day_of_year),
	BOTH("getDayOfMonth", "day_of_month", day),
	BOTH("getDate", "day_of_month_1_based", date),
	BOTH("getDayOfWeek", "day_of_week", weekday),
	BOTH("getHours", "hours", hours),
	BOTH("getMinutes", "minutes", minutes),
	BOTH("getSeconds", "seconds", seconds),
	BOTH("getMilliseconds", "milliseconds", millis),
	{ "getHours", "duration_to_hours", "duration.() int", duration_hours, NULL },
	{ "getMinutes", "duration_to_minutes", "duration.() int", duration_minutes, NULL },
	{ "getSeconds", "duration_to_seconds", "duration.() int", duration_seconds, NULL },
	{ "getMilliseconds", "duration_to_milliseconds", "duration.() int", duration_millis, NULL },
	{ 0 },
};
