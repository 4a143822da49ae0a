/* Cron schedules, in the dialect of Kubernetes (its messages too: they are shown to people). */
#include "api/cron.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

struct bounds {
	unsigned min, max;
	const char *const *names; /* of min and those after it; NULL for none */
	size_t nnames;
};

static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep",
	"oct", "nov", "dec" };
static const char *const weekdays[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

static const struct bounds bounds[] = {
	{ 0, 59, NULL, 0 },
	{ 0, 23, NULL, 0 },
	{ 1, 31, NULL, 0 },
	{ 1, 12, months, COUNT(months) },
	{ 0, 6, weekdays, COUNT(weekdays) },
};

static int
parse_number(unsigned *ret, const char *text, const struct bounds *b, struct err *err)
{
	long long n;

	for (size_t i = 0; i < b->nnames; i++)
		if (!strcasecmp(text, b->names[i])) {
			*ret = b->min + (unsigned)i;
			return 0;
		}
	if (!text_int(text, &n) || n < -1000000 || n > 1000000)
		return err_set(err, ERR_BAD_REQUEST,
		    "failed to parse int from %s: strconv.Atoi: parsing \"%s\": invalid syntax",
		    text, text);
	if (n < 0)
		return err_set(
		    err, ERR_BAD_REQUEST, "negative number (%lld) not allowed: %s", n, text);
	*ret = (unsigned)n;
	return 0;
}

/* "5", "1-5", "*", "?" before the step; `open` when only a start was given. */
static int
parse_range(
    unsigned *from, unsigned *to, bool *open, char *range, const struct bounds *b, struct err *err)
{
	char *dash = strchr(range, '-');

	*open = false;
	if (!strcmp(range, "*") || !strcmp(range, "?")) {
		*from = b->min;
		*to = b->max;
		return 0;
	}
	if (dash)
		*dash++ = '\0';
	if (dash && strchr(dash, '-'))
		return err_set(err, ERR_BAD_REQUEST, "too many hyphens: %s-%s", range, dash);
	if (parse_number(from, range, b, err) < 0)
		return -err->code;
	*to = *from;
	*open = !dash;
	return dash ? parse_number(to, dash, b, err) : 0;
}

/* One part between commas, with its step: "*" "/15". */
static int
parse_part(uint64_t *bits, char *part, const struct bounds *b, struct err *err)
{
	autofree char *whole = xstrdup(part);
	char *slash = strchr(part, '/');
	unsigned from, to, step = 1;
	bool open;

	if (slash)
		*slash++ = '\0';
	if (slash && strchr(slash, '/'))
		return err_set(err, ERR_BAD_REQUEST, "too many slashes: %s", whole);
	if (parse_range(&from, &to, &open, part, b, err) < 0 ||
	    (slash && parse_number(&step, slash, &(struct bounds){ 0 }, err) < 0))
		return -err->code;
	if (slash && open)
		to = b->max;
	if (from < b->min)
		return err_set(err, ERR_BAD_REQUEST,
		    "beginning of range (%u) below minimum (%u): %s", from, b->min, whole);
	if (to > b->max)
		return err_set(err, ERR_BAD_REQUEST, "end of range (%u) above maximum (%u): %s", to,
		    b->max, whole);
	if (from > to)
		return err_set(err, ERR_BAD_REQUEST,
		    "beginning of range (%u) beyond end of range (%u): %s", from, to, whole);
	if (!step)
		return err_set(
		    err, ERR_BAD_REQUEST, "step of range should be a positive number: %s", whole);
	for (unsigned n = from; n <= to; n += step)
		*bits |= UINT64_C(1) << n;
	return 0;
}

static int
parse_field(uint64_t *bits, char *field, const struct bounds *b, struct err *err)
{
	char *rest = field;

	*bits = 0;
	for (char *part; (part = strsep(&rest, ","));)
		if (*part && parse_part(bits, part, b, err) < 0)
			return -err->code;
	return 0;
}

/* "@daily" as the fields that it stands for. */
static int
parse_word(struct cron *ret, const char *text, struct err *err)
{
	static const char *const words[][2] = { { "@yearly", "0 0 1 1 *" },
		{ "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" },
		{ "@weekly", "0 0 * * 0" }, { "@daily", "0 0 * * *" }, { "@midnight", "0 0 * * *" },
		{ "@hourly", "0 * * * *" } };
	double seconds;

	for (size_t i = 0; i < COUNT(words); i++)
		if (!strcmp(text, words[i][0]))
			return cron_parse(ret, words[i][1], err);
	if (!strncmp(text, "@every ", 7)) {
		if (!text_duration(text + 7, &seconds) || !(seconds < 1e15))
			return err_set(err, ERR_BAD_REQUEST,
			    "failed to parse duration %s: time: invalid duration \"%s\"", text,
			    text + 7);
		*ret = (struct cron){ .every = seconds < 1 ? 1 : (int64_t)seconds };
		return 0;
	}
	return err_set(err, ERR_BAD_REQUEST, "unrecognized descriptor: %s", text);
}

int
cron_parse(struct cron *ret, const char *text, struct err *err)
{
	autofree char *copy = xstrdup(text);
	char *field[COUNT(bounds) + 1], *rest = copy, *word;
	uint64_t bits[COUNT(bounds)];
	size_t n = 0;

	if (!*text)
		return err_set(err, ERR_BAD_REQUEST, "empty spec string");
	if (*text == '@')
		return parse_word(ret, text, err);
	while ((word = strsep(&rest, " \t"))) {
		if (*word && n < COUNT(field))
			field[n] = word;
		n += *word != '\0';
	}
	if (n != COUNT(bounds)) {
		autofree char *trimmed = xstrdup(text + strspn(text, " \t"));

		return err_set(
		    err, ERR_BAD_REQUEST, "expected exactly 5 fields, found %zu: [%s]", n, trimmed);
	}
	ret->any_day = *field[2] == '*' || *field[2] == '?';
	ret->any_weekday = *field[4] == '*' || *field[4] == '?';
	for (size_t i = 0; i < COUNT(bounds); i++)
		if (parse_field(&bits[i], field[i], &bounds[i], err) < 0)
			return -err->code;
	*ret = (struct cron){ bits[0], bits[1], bits[2], bits[3], bits[4], ret->any_day,
		ret->any_weekday, 0 };
	return 0;
}
