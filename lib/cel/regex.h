#ifndef ORCH_CEL_REGEX_H
#define ORCH_CEL_REGEX_H

#include "cel/value.h"

/*
 * Regular expressions in RE2's syntax, by PCRE2 with a bound on its work: what RE2 has not
 * (references back, looking around) is refused.  Compiled ones are kept for the thread.
 */
struct cel_regex;
/* NULL: it is none, and *why says so in RE2's words, as far as they go (in the arena). */
struct cel_regex *cel_regex(struct arena *a, const char *p, size_t len, const char **why);
/* Does it match somewhere in the text?  1, 0, or -1: it took too long. */
int cel_regex_match(struct cel_regex *r, const char *p, size_t len);
/* The first match at or behind `from`: 1 and where it is, with up to `most` groups (start, end; a
 * group that took no part has SIZE_MAX), 0, -1.  *groups gets how many the expression has. */
int cel_regex_find(struct cel_regex *r, const char *p, size_t len, size_t from, size_t (*at)[2],
    size_t most, size_t *groups);

#endif
