#ifndef ORCH_BASE_SPLIT_H
#define ORCH_BASE_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Where a value ends, found in as many pieces as its text comes in: call again with the same text
 * grown longer.  Start with all zero.
 */
struct split {
	size_t at; /* how far was looked; the end, once it is found */
	int depth;
	bool string, escaped;
};

/* A JSON value that starts with '{' or '['; true when its end is known.  Brackets and strings are
 * all that is looked at, and nesting beyond JSON_DEPTH is an end too. */
bool split_json(const char *text, size_t len, struct split *s);

/* A YAML document, up to the next "---" or with its "..."; true when its end is known, which at the
 * end of the input it is. */
bool split_yaml(const char *text, size_t len, bool eof, struct split *s);

#endif
