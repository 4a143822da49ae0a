#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/time.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 24, YEAR = 24 * 365 /* the last two in hours */ };

/* Years that Kubernetes can write: 0001 to 9999. */
static const int64_t first_second = INT64_C(-62135596800), last_second = INT64_C(253402300799);

static bool
broken_down(int64_t seconds, struct tm *tm)
{
	time_t t = (time_t)seconds;

	return seconds >= first_second && seconds <= last_second && gmtime_r(&t, tm);
}

const char *
time_print(int64_t seconds, char buf[static TIME_TEXT])
{
	struct tm tm;

	if (!broken_down(seconds, &tm))
		memset(&tm, 0, sizeof tm);
	snprintf(buf, TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ", (tm.tm_year + 1900) % 10000,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return buf;
}

const char *
time_print_micro(int64_t us, char buf[static TIME_TEXT])
{
	int64_t seconds = us / 1000000, rest = us % 1000000;

	if (rest < 0) {
		rest += 1000000;
		seconds--;
	}
	time_print(seconds, buf);
	snprintf(buf + strlen(buf) - 1, 12, ".%06dZ", (int)rest);
	return buf;
}

/* Exactly `n` digits at *s as a number, moving *s behind them; -1 when there are fewer. */
static int
digits(const char **s, int n)
{
	int v = 0;

	while (n-- > 0) {
		if (**s < '0' || **s > '9')
			return -1;
		v = v * 10 + (*(*s)++ - '0');
	}
	return v;
}

static bool
skip(const char **s, char c)
{
	if (**s != c)
		return false;
	++*s;
	return true;
}

static bool
parse_date(const char **s, struct tm *tm)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = digits(s, 4);
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (year < 0 || !skip(s, '-') || (tm->tm_mon = digits(s, 2) - 1) < 0 || !skip(s, '-') ||
	    (tm->tm_mday = digits(s, 2)) < 1 || tm->tm_mon > 11)
		return false;
	tm->tm_year = year - 1900;
	return tm->tm_mday <= days[tm->tm_mon] + (leap && tm->tm_mon == 1);
}

static bool
parse_clock(const char **s, struct tm *tm)
{
	return (tm->tm_hour = digits(s, 2)) >= 0 && skip(s, ':') &&
	       (tm->tm_min = digits(s, 2)) >= 0 && skip(s, ':') &&
	       (tm->tm_sec = digits(s, 2)) >= 0 && tm->tm_hour < 24 && tm->tm_min < 60 &&
	       tm->tm_sec < 60;
}

/* ".123" in microseconds; further digits are cut off, as Go prints them away. */
static bool
parse_fraction(const char **s, int64_t *us)
{
	int64_t unit = 100000;

	*us = 0;
	if (**s != '.' && **s != ',')
		return true;
	++*s;
	if (**s < '0' || **s > '9')
		return false;
	for (; **s >= '0' && **s <= '9'; ++*s, unit /= 10)
		*us += (**s - '0') * unit;
	return true;
}

/* "Z" or "+hh:mm": what to take away to reach UTC. */
static bool
parse_offset(const char **s, int64_t *offset)
{
	int sign = **s == '-' ? -1 : 1, h, m;

	*offset = 0;
	if (skip(s, 'Z'))
		return true;
	if (!skip(s, '+') && !skip(s, '-'))
		return false;
	if ((h = digits(s, 2)) < 0 || !skip(s, ':') || (m = digits(s, 2)) < 0 || h > 23 || m > 59)
		return false;
	*offset = sign * (h * HOUR + m * MINUTE);
	return true;
}

bool
time_parse_micro(const char *text, int64_t *us)
{
	struct tm tm = { 0 };
	int64_t fraction, offset;

	if (!parse_date(&text, &tm) || !skip(&text, 'T') || !parse_clock(&text, &tm) ||
	    !parse_fraction(&text, &fraction) || !parse_offset(&text, &offset) || *text)
		return false;
	*us = ((int64_t)timegm(&tm) - offset) * 1000000 + fraction;
	return true;
}

bool
time_parse(const char *text, int64_t *seconds)
{
	int64_t us;

	if (!time_parse_micro(text, &us))
		return false;
	*seconds = us / 1000000 - (us % 1000000 < 0);
	return true;
}

/* "3m20s"; the smaller unit only when it is not zero. */
static void
two(char *buf, int64_t a, char unit_a, int64_t b, char unit_b)
{
	if (b)
		snprintf(
		    buf, TIME_TEXT, "%lld%c%lld%c", (long long)a, unit_a, (long long)b, unit_b);
	else
		snprintf(buf, TIME_TEXT, "%lld%c", (long long)a, unit_a);
}

/* The steps are those of apimachinery duration.HumanDuration: less detail the older it is. */
const char *
duration_print(int64_t seconds, char buf[static TIME_TEXT])
{
	int64_t minutes = seconds / MINUTE, hours = seconds / HOUR;

	if (seconds < -1)
		snprintf(buf, TIME_TEXT, "<invalid>");
	else if (seconds < 0)
		snprintf(buf, TIME_TEXT, "0s");
	else if (seconds < 2 * MINUTE)
		two(buf, seconds, 's', 0, 0);
	else if (minutes < 10)
		two(buf, minutes, 'm', seconds % MINUTE, 's');
	else if (minutes < 3 * 60)
		two(buf, minutes, 'm', 0, 0);
	else if (hours < 8)
		two(buf, hours, 'h', minutes % 60, 'm');
	else if (hours < 2 * DAY)
		two(buf, hours, 'h', 0, 0);
	else if (hours < 8 * DAY)
		two(buf, hours / DAY, 'd', hours % DAY, 'h');
	else if (hours < 2 * YEAR)
		two(buf, hours / DAY, 'd', 0, 0);
	else if (hours < 8 * YEAR)
		two(buf, hours / YEAR, 'y', hours / DAY % 365, 'd');
	else
		two(buf, hours / YEAR, 'y', 0, 0);
	return buf;
}
