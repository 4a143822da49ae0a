#ifndef ORCH_BASE_JSONL_H
#define ORCH_BASE_JSONL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"

/* JSON Lines, writing side: one compact object and '\n', keys in the order they have. */
void jsonl_write(FILE *f, const json_t *value);	    /* errors show in ferror(f): see finish() */
void jsonl_add(struct buf *b, const json_t *value); /* the same, with the '\n', into a buf */
void json_add(struct buf *b, const json_t *value);  /* without the '\n' */

/* For people: indented by four spaces as kubectl does, without a '\n' at the end. */
void json_add_pretty(struct buf *b, const json_t *value, bool sorted);
/* The same where it stands `depth` levels deep in something else. */
void json_add_pretty_at(struct buf *b, const json_t *value, bool sorted, int depth);

/* The pieces: a string in quotes, and the shortest text that reads back as the same number. */
void json_add_string(struct buf *b, const char *s, size_t len);
void json_add_real(struct buf *b, double v);

/* The keys of an object, sorted by their bytes; the array is the caller's to free, the keys are
 * borrowed. */
const char **json_sorted_keys(const json_t *object, size_t *n);

#endif
