/* Time zones out of zoneinfo files (TZif, RFC 8536), without touching the process's own. */
#include "cel/zone.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"

enum { FILE_MAX = 1 << 20, HEAD = 44 };

/* "+05:30", "-08:00", "05:30" */
static bool
fixed(const char *name, int64_t *ret)
{
	int sign = *name == '-' ? -1 : 1, h, m, used = 0;

	if (*name == '+' || *name == '-')
		name++;
	if (!isdigit((unsigned char)*name) || sscanf(name, "%2d:%2d%n", &h, &m, &used) != 2 ||
	    name[used] || h > 23 || m > 59)
		return false;
	*ret = sign * (h * 3600 + m * 60);
	return true;
}

static int64_t
big(const char *p, int n)
{
	uint64_t v = (*p & 0x80) ? UINT64_MAX : 0;

	while (n-- > 0)
		v = v << 8 | (unsigned char)*p++;
	return (int64_t)v;
}

/* The six counts of a header. */
struct counts {
	size_t isut, isstd, leap, time, type, chars;
};

static bool
header(const char *p, size_t len, struct counts *c)
{
	if (len < HEAD || memcmp(p, "TZif", 4) != 0)
		return false;
	c->isut = (size_t)big(p + 20, 4);
	c->isstd = (size_t)big(p + 24, 4);
	c->leap = (size_t)big(p + 28, 4);
	c->time = (size_t)big(p + 32, 4);
	c->type = (size_t)big(p + 36, 4);
	c->chars = (size_t)big(p + 40, 4);
	return c->time < 10000 && c->type > 0 && c->type < 256;
}

static size_t
data_size(const struct counts *c, size_t wide)
{
	return c->time * wide + c->time + c->type * 6 + c->chars + c->leap * (wide + 4) + c->isstd +
	       c->isut;
}

/* --- the rule behind the last transition: "CET-1CEST,M3.5.0,M10.5.0/3" --------------------- */

struct rule {
	int month, week, day; /* Mm.w.d */
	int64_t second;	      /* of that day, local time */
};

static const char *
rule_name(const char *p)
{
	if (*p == '<')
		return strchr(p, '>') ? strchr(p, '>') + 1 : NULL;
	while (isalpha((unsigned char)*p))
		p++;
	return p;
}

static const char *
rule_time(const char *p, int64_t *ret)
{
	int sign = *p == '-' ? -1 : 1;
	int64_t unit = 3600;

	if (*p == '-' || *p == '+')
		p++;
	for (*ret = 0; isdigit((unsigned char)*p); unit /= 60) {
		char *end;

		*ret += strtol(p, &end, 10) * unit;
		p = end + (*end == ':');
	}
	*ret *= sign;
	return p;
}

static const char *
rule_day(const char *p, struct rule *r)
{
	int used = 0;

	if (sscanf(p, ",M%d.%d.%d%n", &r->month, &r->week, &r->day, &used) != 3)
		return NULL;
	p += used;
	r->second = 7200;
	return *p == '/' ? rule_time(p + 1, &r->second) : p;
}

/* When a rule comes into force in a year, as if local time were UTC. */
static int64_t
moment(const struct rule *r, int year)
{
	struct tm first = { .tm_year = year - 1900, .tm_mon = r->month - 1, .tm_mday = 1 };
	struct tm next = { .tm_year = year - 1900, .tm_mon = r->month, .tm_mday = 1 };
	int64_t begin = (int64_t)timegm(&first), end = (int64_t)timegm(&next);
	int64_t day =
	    begin + (int64_t)((r->day - first.tm_wday + 7) % 7 + 7 * (r->week - 1)) * 86400;

	while (day >= end) /* week 5 is the last */
		day -= 7 * 86400;
	return day + r->second;
}

static bool
by_rule(const char *p, int64_t at, int64_t *ret)
{
	int64_t standard, summer, begin, end;
	struct rule from, to;
	time_t t = (time_t)at;
	struct tm tm;

	if (!(p = rule_name(p)))
		return false;
	p = rule_time(p, &standard);
	*ret = -standard;
	if (!*p || *p == '\n')
		return true;
	if (!(p = rule_name(p)))
		return false;
	summer = standard - 3600;
	if (*p != ',')
		p = rule_time(p, &summer);
	if (!(p = rule_day(p, &from)) || !rule_day(p, &to))
		return false;
	gmtime_r(&t, &tm);
	begin = moment(&from, tm.tm_year + 1900) + standard;
	end = moment(&to, tm.tm_year + 1900) + summer;
	if (begin < end ? at >= begin && at < end : at >= begin || at < end)
		*ret = -summer;
	return true;
}

static bool
look_up(const struct buf *b, int64_t at, int64_t *ret)
{
	const char *p = b->data, *times, *types;
	size_t len = b->len, first, i = 0;
	struct counts c;

	/* the first part has 32 bits only; the second is the same with 64 */
	if (!header(p, len, &c) || p[4] < '2' || (first = HEAD + data_size(&c, 4)) > len ||
	    !header(p + first, len - first, &c) || first + HEAD + data_size(&c, 8) > len)
		return false;
	times = p + first + HEAD;
	types = times + 8 * c.time;
	while (i < c.time && big(times + 8 * i, 8) <= at)
		i++;
	if (i == c.time) {
		const char *rule = times + data_size(&c, 8);

		if (rule < p + len && *rule == '\n' && rule[1] != '\n')
			return by_rule(rule + 1, at, ret);
	}
	size_t type = i ? (unsigned char)types[i - 1] : 0;
	if (type >= c.type)
		return false;
	*ret = big(types + c.time + 6 * type, 4);
	return true;
}

bool
zone_offset(const char *name, int64_t at, int64_t *ret)
{
	autofree char *path = NULL;
	autobuf struct buf b = BUF_INIT;
	struct err err;

	*ret = 0;
	if (!*name || strcmp(name, "UTC") == 0 || strcmp(name, "Z") == 0)
		return true;
	if (fixed(name, ret))
		return true;
	if (*name == '/' || strstr(name, "..") || strlen(name) > 100)
		return false;
	path = xasprintf("/usr/share/zoneinfo/%s", name);
	return buf_read_file(&b, path, FILE_MAX, &err) == 0 && look_up(&b, at, ret);
}
