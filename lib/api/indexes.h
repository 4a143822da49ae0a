#ifndef ORCH_API_INDEXES_H
#define ORCH_API_INDEXES_H

#include <stdbool.h>

/* Lists of the indexes of a Job's Pods: "1,3-5". */
struct interval {
	long long from, to;
};

/* The next one of *at, which moves behind it; false with the cause in why. */
bool index_next(const char **at, long long completions, struct interval *ret, char why[static 256]);

/* All of them, in order: how many there are, or -1 with the cause in why. */
long long index_count(const char *list, long long completions, char why[static 256]);

#endif
