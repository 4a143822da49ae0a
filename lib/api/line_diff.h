#ifndef ORCH_API_LINE_DIFF_H
#define ORCH_API_LINE_DIFF_H

#include <stddef.h>

/*
 * The hunks of a unified diff of two texts, with this many lines around each change, and no
 * header; new.  The matching is Ratcliff and Obershelp's, as in Python's difflib: of what two
 * texts have in common the longest run of lines first, then what is before and behind it.  That
 * is what Kubernetes' messages show, and not always the shortest diff.
 */
char *line_diff(const char *before, const char *now, size_t around);

#endif
