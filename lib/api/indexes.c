#include "api/indexes.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static bool
read_index(const char *text, long long completions, long long *ret, char why[static 256])
{
	if (!text_int(text, ret))
		snprintf(why, 256, "cannot convert string to integer for index: \"%.60s\"", text);
	else if (*ret >= completions)
		snprintf(why, 256, "too large index: \"%.60s\"", text);
	else
		return true;
	return false;
}

bool
index_next(const char **at, long long completions, struct interval *ret, char why[static 256])
{
	size_t n = strcspn(*at, ",");
	autofree char *text = xstrndup(*at, n);
	char *dash = strchr(text, '-');

	*at += n + ((*at)[n] == ',');
	if (dash && strchr(dash + 1, '-')) {
		snprintf(why, 256,
		    "the fragment \"%.60s\" violates the requirement that an index interval can "
		    "have at most two parts separated by '-'",
		    text);
		return false;
	}
	if (dash)
		*dash = '\0';
	if (!read_index(text, completions, &ret->from, why))
		return false;
	ret->to = ret->from;
	if (!dash)
		return true;
	if (!read_index(dash + 1, completions, &ret->to, why))
		return false;
	if (ret->from < ret->to)
		return true;
	snprintf(
	    why, 256, "non-increasing order, previous: %lld, current: %lld", ret->from, ret->to);
	return false;
}

long long
index_count(const char *list, long long completions, char why[static 256])
{
	struct interval i, last = { -1, -1 };
	long long n = 0;

	for (const char *p = list; *p; last = i) {
		bool more = strchr(p, ',');

		if (!index_next(&p, completions, &i, why))
			return -1;
		if (n && last.to >= i.from) {
			snprintf(why, 256, "non-increasing order, previous: %lld, current: %lld",
			    last.to, i.from);
			return -1;
		}
		n += i.to - i.from + 1;
		if (more && !*p) {
			snprintf(why, 256, "cannot convert string to integer for index: \"\"");
			return -1;
		}
	}
	return n;
}
