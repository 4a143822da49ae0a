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

size_t
text_utf8(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned char low = 0x80, high = 0xbf;
	size_t n = len == 0    ? 0
		   : *p < 0x80 ? 1
		   : *p < 0xc2 ? 0
		   : *p < 0xe0 ? 2
		   : *p < 0xf0 ? 3
		   : *p < 0xf5 ? 4
			       : 0;

	if (n < 2 || len < n)
		return n == 1;
	if (*p == 0xe0)
		low = 0xa0;
	else if (*p == 0xed)
		high = 0x9f;
	else if (*p == 0xf0)
		low = 0x90;
	else if (*p == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

uint64_t
text_hash(const void *data, size_t len, uint64_t seed)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		seed = (seed ^ p[i]) * UINT64_C(1099511628211);
	return seed;
}

void
text_percent(struct buf *out, const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
		if ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
		    (*p >= 'A' && *p <= 'Z') || strchr("-._~", *p))
			buf_putc(out, (char)*p);
		else
			buf_printf(out, "%%%02X", *p);
	}
}

static bool
lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool
text_dns_label(const char *s, size_t n)
{
	if (!n || !lower_or_digit(s[0]) || !lower_or_digit(s[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!lower_or_digit(s[i]) && s[i] != '-')
			return false;
	return true;
}

bool
text_dns_subdomain(const char *s, size_t n)
{
	for (const char *end = s + n, *dot;; s = dot + 1) {
		if (!(dot = memchr(s, '.', (size_t)(end - s))))
			return text_dns_label(s, (size_t)(end - s));
		if (!text_dns_label(s, (size_t)(dot - s)))
			return false;
	}
}

char *
text_mend(const char *s)
{
	struct buf b = BUF_INIT;
	size_t len = strlen(s), n;

	buf_puts(&b, "");
	for (; len > 0; s += n, len -= n) {
		if ((n = text_utf8(s, len)) > 0)
			buf_add(&b, s, n);
		else
			buf_puts(&b, "\xef\xbf\xbd"), n = 1;
	}
	return buf_detach(&b);
}
