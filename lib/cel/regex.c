/* Regular expressions in RE2's syntax, by PCRE2. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "cel/regex.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	KEPT = 32,
	MATCH_LIMIT = 2000000,
	HEAP_LIMIT = 64 << 10, /* in KB */
	PATTERN_MAX = 1 << 16,
	SHORT = 1024, /* a text whose matching needs little memory */
};

struct cel_regex {
	char *text;
	size_t len;
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
	uint64_t used;
};

/* A worker evaluates the same few rules again and again. */
static _Thread_local struct cel_regex kept[KEPT];
static _Thread_local uint64_t now;

/* What PCRE has and RE2 has not, at p: "(?=", "\1" ... */
static bool
beyond(const char *p, const char *end)
{
	size_t n = (size_t)(end - p);

	if (n >= 2 && p[0] == '\\')
		return (p[1] >= '1' && p[1] <= '9') || strchr("gkRKGXZhHV", p[1]) != NULL;
	if (n < 3 || p[0] != '(' || p[1] != '?')
		return n >= 2 && p[0] == '(' && p[1] == '*';
	if (p[2] == 'P')
		return n > 3 && (p[3] == '=' || p[3] == '>');
	if (p[2] == '<')
		return n > 3 && (p[3] == '=' || p[3] == '!');
	return strchr("=!>|&(R#'+0123456789C", p[2]) != NULL;
}

static bool
within_re2(const char *p, size_t len, const char **what, size_t *what_len)
{
	bool set = false;

	for (const char *end = p + len; p < end; p++) {
		if (!set && beyond(p, end)) {
			*what = p;
			*what_len = (size_t)(end - p) < 3 ? (size_t)(end - p) : *p == '(' ? 3 : 2;
			return false;
		}
		if (*p == '\\')
			p++;
		else if (*p == '[' && !set)
			set = true;
		else if (*p == ']')
			set = false;
	}
	return true;
}

static void
drop(struct cel_regex *r)
{
	pcre2_code_free(r->code);
	pcre2_match_data_free(r->data);
	pcre2_match_context_free(r->limits);
	free(r->text);
	*r = (struct cel_regex){ 0 };
}

static const char *
wrong(struct arena *a, const char *cause, const char *p, size_t len)
{
	autofree char *msg =
	    xasprintf("error parsing regexp: %s: `%.*s`", cause, (int)(len > 200 ? 200 : len), p);

	return arena_text(a, msg, strlen(msg));
}

/* RE2's words for what PCRE found. */
static const char *
words(int code, const char *theirs)
{
	switch (code) {
	case PCRE2_ERROR_MISSING_CLOSING_PARENTHESIS:
		return "missing closing )";
	case PCRE2_ERROR_UNMATCHED_CLOSING_PARENTHESIS:
		return "unexpected )";
	case PCRE2_ERROR_MISSING_SQUARE_BRACKET:
		return "missing closing ]";
	case PCRE2_ERROR_QUANTIFIER_INVALID:
		return "missing argument to repetition operator";
	case PCRE2_ERROR_CLASS_RANGE_ORDER:
		return "invalid character class range";
	default:
		return theirs;
	}
}

struct cel_regex *
cel_regex(struct arena *a, const char *p, size_t len, const char **why)
{
	struct cel_regex *oldest = &kept[0];
	const char *what;
	size_t what_len, offset;
	int code;

	for (size_t i = 0; i < KEPT; i++) {
		struct cel_regex *r = &kept[i];

		if (r->code && r->len == len && memcmp(r->text, p, len) == 0) {
			r->used = ++now;
			return r;
		}
		if (r->used < oldest->used)
			oldest = r;
	}
	if (len > PATTERN_MAX) {
		*why = wrong(a, "expression too large", p, 60);
		return NULL;
	}
	if (!within_re2(p, len, &what, &what_len)) {
		*why = wrong(a,
		    *what == '(' ? "invalid or unsupported Perl syntax" : "invalid escape sequence",
		    what, what_len);
		return NULL;
	}
	drop(oldest);
	oldest->code = pcre2_compile((PCRE2_SPTR)p, len,
	    PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C, &code, &offset, NULL);
	if (!oldest->code) {
		char msg[200] = "";

		pcre2_get_error_message(code, (PCRE2_UCHAR *)msg, sizeof msg);
		*why = wrong(a, words(code, msg), p, len);
		return NULL;
	}
	oldest->text = xmalloc(len + 1);
	memcpy(oldest->text, p, len);
	oldest->len = len;
	oldest->limits = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(oldest->limits, MATCH_LIMIT);
	pcre2_set_heap_limit(oldest->limits, HEAP_LIMIT);
	oldest->used = ++now;
	return oldest;
}

/* PCRE keeps what the way back through a long text took, up to HEAP_LIMIT, in each match data. */
static void
give_back(struct cel_regex *r, size_t len)
{
	if (len <= SHORT)
		return;
	pcre2_match_data_free(r->data);
	r->data = NULL;
}

static int
find(struct cel_regex *r, const char *p, size_t len, size_t from, size_t (*at)[2], size_t most,
    size_t *groups)
{
	const PCRE2_SIZE *v;
	int n;

	if (!r->data)
		r->data = pcre2_match_data_create_from_pattern(r->code, NULL);
	/* what was searched before is known to be UTF-8 */
	n = pcre2_match(
	    r->code, (PCRE2_SPTR)p, len, from, from ? PCRE2_NO_UTF_CHECK : 0, r->data, r->limits);
	if (n < 0) /* text that is no UTF-8 has no match */
		return n == PCRE2_ERROR_NOMATCH ||
			       (n <= PCRE2_ERROR_UTF8_ERR1 && n >= PCRE2_ERROR_UTF8_ERR21)
			   ? 0
			   : -1;
	v = pcre2_get_ovector_pointer(r->data);
	if (groups)
		*groups = pcre2_get_ovector_count(r->data) - 1;
	for (size_t i = 0; i < most; i++) {
		bool there = i < (size_t)n;

		at[i][0] = there ? v[2 * i] : SIZE_MAX;
		at[i][1] = there ? v[2 * i + 1] : SIZE_MAX;
	}
	return 1;
}

int
cel_regex_find(struct cel_regex *r, const char *p, size_t len, size_t from, size_t (*at)[2],
    size_t most, size_t *groups)
{
	int found = find(r, p, len, from, at, most, groups);

	give_back(r, len);
	return found;
}

int
cel_regex_match(struct cel_regex *r, const char *p, size_t len)
{
	return cel_regex_find(r, p, len, 0, NULL, 0, NULL);
}
