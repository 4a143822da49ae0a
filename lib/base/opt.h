#ifndef ORCH_BASE_OPT_H
#define ORCH_BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>

/* A list of option values, in the order given: -f a -f b. */
struct list {
	const char **item;
	size_t n, cap;
};

/*
 * One option.  `arg` is its metavariable: NULL makes it a flag (var is a
 * bool *), "[WORD]" takes an optional argument after '=' (without one the value
 * is ""), anything else requires one.  `many` collects into a struct list *
 * instead of a const char **.
 */
struct opt {
	int letter; /* 0: the long name only */
	const char *name;
	const char *arg;
	const char *help;
	void *var;
	bool many;
};

#endif
