#ifndef ORCH_BASE_LINEDIFF_H
#define ORCH_BASE_LINEDIFF_H

#include "base/buf.h"

/*
 * The difference between two texts, line by line, as diff -u prints it, without the two
 * lines of header: nothing when they are the same.  The shortest that there is (Myers' algorithm),
 * up to some thousand changed lines: for people, also of long texts.  (What Kubernetes' messages
 * hold is api/line_diff.h's, which matches as they do.)
 */
void linediff(struct buf *out, const char *from, const char *to, unsigned context);

#endif
