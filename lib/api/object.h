#ifndef ORCH_API_OBJECT_H
#define ORCH_API_OBJECT_H

#include <jansson.h>

#include "base/err.h"
#include "base/stream.h"

/*
 * Kubernetes objects out of a stream: Lists are flattened (v1 List and every
 * FooList with items, whose items without apiVersion and kind inherit theirs from it), and every
 * value must be an object with apiVersion and kind.
 */
struct objects;

struct objects *objects_open(FILE *f, const char *name); /* borrows f */
void objects_close(struct objects *in);

/* The next object into *ret (the caller's): 1, 0 at the end, negative on error. */
int objects_read(struct objects *in, json_t **ret, struct err *err);

/* Where it came from, "web.yaml:12" or "standard input:3"; valid until the next read. */
const char *objects_where(const struct objects *in);

/* As stream_raw; NULL for an item of a List. */
const char *objects_raw(const struct objects *in, size_t *len);

#endif
