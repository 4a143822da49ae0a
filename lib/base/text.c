#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

bool
text_int(const char *s, long long *ret)
{
	char *end;
	long long n;

	if (!s || strspn(s, "+-0123456789") != strlen(s) || *s == '\0')
		return false;
	errno = 0;
	n = strtoll(s, &end, 10);
	if (errno || *end != '\0' || end == s)
		return false;
	*ret = n;
	return true;
}

/* The unit at *s in seconds, moving *s behind it; 0 when there is none. */
static double
unit(const char **s)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = { { "ms", 1e-3 }, { "us", 1e-6 }, { "ns", 1e-9 }, { "h", 3600 }, { "m", 60 },
		{ "s", 1 }, { 0 } };

	for (size_t i = 0; units[i].name; i++)
		if (text_starts(*s, units[i].name)) {
			*s += strlen(units[i].name);
			return units[i].seconds;
		}
	return 0;
}

bool
text_duration(const char *s, double *seconds)
{
	double total = 0;
	bool negative = *s == '-';

	s += negative;
	if (*s == '\0')
		return false;
	while (*s) {
		char *end;
		double n, u;

		if (!strchr("0123456789.", *s))
			return false;
		n = strtod(s, &end);
		if (end == s || memchr(s, 'x', (size_t)(end - s)) ||
		    memchr(s, 'e', (size_t)(end - s)))
			return false;
		s = end;
		if (*s == '\0' && total == 0)
			u = 1;
		else if ((u = unit(&s)) == 0)
			return false;
		total += n * u;
	}
	*seconds = negative ? -total : total;
	return true;
}

bool
text_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
text_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && memcmp(s + n - k, suffix, k) == 0;
}

bool
text_in(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(s, *words) == 0)
			return true;
	return false;
}

uint64_t
text_hash(const void *data, size_t len, uint64_t seed)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		seed = (seed ^ p[i]) * UINT64_C(1099511628211);
	return seed;
}
