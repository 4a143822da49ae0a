#include "api/version.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* "v1" 3, "v1beta2" 2, "v1alpha1" 1, anything else 0; its numbers. */
static int
stability(const char *version, unsigned long number[2])
{
	char *end;
	bool beta;

	number[0] = number[1] = 0;
	if (version[0] != 'v' || version[1] < '1' || version[1] > '9')
		return 0;
	number[0] = strtoul(version + 1, &end, 10);
	if (!*end)
		return 3;
	beta = strncmp(end, "beta", 4) == 0;
	if (!beta && strncmp(end, "alpha", 5) != 0)
		return 0;
	end += beta ? 4 : 5;
	if (*end < '1' || *end > '9')
		return 0;
	number[1] = strtoul(end, &end, 10);
	return *end ? 0 : 1 + beta;
}

int
version_order(const char *a, const char *b)
{
	unsigned long x[2], y[2];
	int s = stability(a, x), t = stability(b, y);

	if (s != t)
		return t - s;
	if (s == 0)
		return strcmp(a, b);
	if (x[0] != y[0])
		return x[0] > y[0] ? -1 : 1;
	return x[1] == y[1] ? 0 : x[1] > y[1] ? -1 : 1;
}
