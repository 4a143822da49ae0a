#ifndef ORCH_BASE_JSONL_H
#define ORCH_BASE_JSONL_H

#include <jansson.h>
#include <stdio.h>

#include "base/buf.h"

/* JSON Lines, writing side: one compact object and '\n', keys in the order they have. */
void jsonl_write(FILE *f, const json_t *value);	    /* errors show in ferror(f): see finish() */
void jsonl_add(struct buf *b, const json_t *value); /* the same, with the '\n', into a buf */
void json_add(struct buf *b, const json_t *value);  /* without the '\n' */

#endif
