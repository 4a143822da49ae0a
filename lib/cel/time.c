/* Timestamps and durations as text: RFC 3339, and Go's durations. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "cel/value.h"

enum { SECOND = 1000000000, MINUTE = 60, HOUR = 3600, DAY = 86400 };

/* 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z, and some 290 years of duration. */
static const int64_t first = INT64_C(-62135596800), last = INT64_C(253402300799);
static const int64_t longest = INT64_C(9223372036);

/* A number of exactly n digits at *p. */
static bool
digits(const char **p, const char *end, int n, int *ret)
{
	*ret = 0;
	for (int i = 0; i < n; i++, (*p)++) {
		if (*p >= end || !isdigit((unsigned char)**p))
			return false;
		*ret = *ret * 10 + (**p - '0');
	}
	return true;
}

static bool
one(const char **p, const char *end, char c)
{
	if (*p >= end || (**p != c && **p != tolower((unsigned char)c)))
		return false;
	(*p)++;
	return true;
}

/* ".123456789": up to nine digits count. */
static bool
fraction(const char **p, const char *end, int32_t *ns)
{
	int32_t unit = SECOND / 10;

	*ns = 0;
	if (*p >= end || **p != '.')
		return true;
	if (++*p >= end || !isdigit((unsigned char)**p))
		return false;
	for (; *p < end && isdigit((unsigned char)**p); (*p)++, unit /= 10)
		*ns += (**p - '0') * unit;
	return true;
}

static bool
zone(const char **p, const char *end, int *offset)
{
	int sign, h, m;

	*offset = 0;
	if (one(p, end, 'Z'))
		return true;
	if (*p >= end || (**p != '+' && **p != '-'))
		return false;
	sign = *(*p)++ == '-' ? -1 : 1;
	if (!digits(p, end, 2, &h) || !one(p, end, ':') || !digits(p, end, 2, &m) || h > 23 ||
	    m > 59)
		return false;
	*offset = sign * (h * HOUR + m * MINUTE);
	return true;
}

static bool
valid_day(int year, int month, int day)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month >= 1 && month <= 12 && day >= 1 &&
	       day <= days[month - 1] + (month == 2 && leap);
}

bool
cel_parse_timestamp(const char *text, size_t len, struct cel_value *ret)
{
	const char *p = text, *end = text + len;
	struct tm tm = { 0 };
	int offset;
	int32_t ns;
	int64_t s;

	if (!digits(&p, end, 4, &tm.tm_year) || !one(&p, end, '-') ||
	    !digits(&p, end, 2, &tm.tm_mon) || !one(&p, end, '-') ||
	    !digits(&p, end, 2, &tm.tm_mday) || !one(&p, end, 'T') ||
	    !digits(&p, end, 2, &tm.tm_hour) || !one(&p, end, ':') ||
	    !digits(&p, end, 2, &tm.tm_min) || !one(&p, end, ':') ||
	    !digits(&p, end, 2, &tm.tm_sec) || !fraction(&p, end, &ns) || !zone(&p, end, &offset) ||
	    p != end)
		return false;
	if (!valid_day(tm.tm_year, tm.tm_mon, tm.tm_mday) || tm.tm_hour > 23 || tm.tm_min > 59 ||
	    tm.tm_sec > 59)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	s = (int64_t)timegm(&tm) - offset;
	if (s < first || s > last)
		return false;
	*ret = (struct cel_value){ .kind = CEL_TIMESTAMP, .time = { s, ns } };
	return true;
}

/* "h", "m", "s", "ms", "us", "µs", "ns" in nanoseconds; 0: it is none. */
static double
unit(const char **p, const char *end)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = { { "ns", 1 }, { "us", 1e3 }, { "\302\265s", 1e3 }, { "\316\274s", 1e3 },
		{ "ms", 1e6 }, { "h", 3600e9 }, { "m", 60e9 }, { "s", 1e9 } };

	for (size_t i = 0; i < COUNT(units); i++) {
		size_t n = strlen(units[i].name);

		if ((size_t)(end - *p) >= n && memcmp(*p, units[i].name, n) == 0) {
			*p += n;
			return units[i].ns;
		}
	}
	return 0;
}

bool
cel_parse_duration(const char *text, size_t len, struct cel_value *ret)
{
	const char *p = text, *end = text + len;
	bool minus = p < end && *p == '-', any = false;
	__int128 all = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (end - p == 1 && *p == '0') {
		p++;
		any = true;
	}
	while (p < end) {
		__int128 whole = 0;
		double part = 0, scale = 1, ns;
		bool digit = false;

		for (; p < end && isdigit((unsigned char)*p); p++, digit = true) {
			whole = whole * 10 + (*p - '0');
			if (whole > INT64_MAX)
				return false;
		}
		if (p < end && *p == '.')
			for (p++; p < end && isdigit((unsigned char)*p); p++, digit = true)
				part += (*p - '0') * (scale /= 10);
		if (!digit || (ns = unit(&p, end)) == 0)
			return false;
		all += whole * (__int128)ns + (__int128)(part * ns + 0.5);
		any = true;
		if (all > (__int128)INT64_MAX)
			return false;
	}
	if (!any)
		return false;
	all = minus ? -all : all;
	*ret = (struct cel_value){ .kind = CEL_DURATION,
		.time = { (int64_t)(all / SECOND), (int32_t)(all % SECOND) } };
	return ret->time.s <= longest && ret->time.s >= -longest;
}

/* "" or ".5", ".000000001": as few of 3, 6, 9 digits as say it all, without zeros at the end. */
static const char *
print_fraction(int32_t ns, char buf[static 12])
{
	size_t n;

	snprintf(buf, 12, ".%09d", ns < 0 ? -ns : ns);
	for (n = strlen(buf); n > 0 && (buf[n - 1] == '0' || buf[n - 1] == '.');)
		buf[--n] = '\0';
	return buf;
}

char *
cel_print_timestamp(struct arena *a, struct cel_value v)
{
	time_t s = (time_t)v.time.s;
	char day[40], part[12], all[80];
	struct tm tm;

	gmtime_r(&s, &tm);
	snprintf(day, sizeof day, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
	    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	snprintf(all, sizeof all, "%s%sZ", day, print_fraction(v.time.ns, part));
	return arena_text(a, all, strlen(all));
}

char *
cel_print_duration(struct arena *a, struct cel_value v)
{
	bool minus = v.time.s < 0 || v.time.ns < 0;
	long long s = v.time.s < 0 ? -v.time.s : v.time.s;
	char part[12], all[48];

	snprintf(
	    all, sizeof all, "%s%lld%ss", minus ? "-" : "", s, print_fraction(v.time.ns, part));
	return arena_text(a, all, strlen(all));
}
