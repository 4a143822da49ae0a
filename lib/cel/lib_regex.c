/* find and findAll (Kubernetes' library/regex.go). */
#include <string.h>

#include "cel/library.h"
#include "cel/regex.h"

static struct cel_value
too_long(struct arena *a)
{
	return cel_error(a, "the regular expression takes too long on this text");
}

static struct cel_value
illegal(struct arena *a, const char *why)
{
	return cel_error(a, "Illegal regex: %s", why);
}

CEL_FN(find)
{
	const char *why;
	struct cel_regex *r = cel_regex(a, arg[1].text.p, arg[1].text.len, &why);
	size_t at[1][2];
	int found;

	if (!r)
		return illegal(a, why);
	found = cel_regex_find(r, arg[0].text.p, arg[0].text.len, 0, at, 1, NULL);
	if (found < 0)
		return too_long(a);
	return found ? cel_text(arg[0].text.p + at[0][0], at[0][1] - at[0][0]) : cel_text("", 0);
}

/* As Go's FindAllString: an empty match right behind another one does not count. */
CEL_FN(find_all)
{
	struct cel_value s = arg[0], *item = NULL;
	int64_t most = n > 2 && arg[2].i >= 0 ? arg[2].i : INT64_MAX;
	const char *why;
	struct cel_regex *r = cel_regex(a, arg[1].text.p, arg[1].text.len, &why);
	size_t from = 0, before = SIZE_MAX, count = 0, cap = 0, at[1][2];

	if (!r)
		return illegal(a, why);
	while (from <= s.text.len && (int64_t)count < most) {
		int found = cel_regex_find(r, s.text.p, s.text.len, from, at, 1, NULL);

		if (found < 0)
			return too_long(a);
		if (!found)
			break;
		if (at[0][1] > at[0][0] || at[0][1] != before) {
			if (count == cap) {
				struct cel_value *more =
				    arena_alloc(a, (cap = cap ? 2 * cap : 8) * sizeof *more);

				if (count)
					memcpy(more, item, count * sizeof *more);
				item = more;
			}
			item[count++] = cel_text(s.text.p + at[0][0], at[0][1] - at[0][0]);
		}
		before = at[0][1];
		from = at[0][1];
		if (at[0][1] == at[0][0])
			do
				from++;
			while (from < s.text.len && (s.text.p[from] & 0xc0) == 0x80);
	}
	return cel_list_of(a, item, count);
}

const struct cel_function cel_lib_regex[] = {
	{ "find", "string_find_string", "string.(string) string", find, cel_cost_search },
	{ "findAll", "string_find_all_string", "string.(string) list(string)", find_all,
	    cel_cost_search },
	{ "findAll", "string_find_all_string_int", "string.(string, int) list(string)", find_all,
	    cel_cost_search },
	{ 0 },
};
