#ifndef ORCH_BASE_LINEDIFF_H
#define ORCH_BASE_LINEDIFF_H

#include "base/buf.h"

/*
 * The difference between two texts, line by line, as diff -u prints it, without the two
 * lines of header: nothing when they are the same.  The shortest that there is (Myers' algorithm),
 * up to some thousand changed lines.
 */
void linediff(struct buf *out, const char *from, const char *to, unsigned context);

#endif
