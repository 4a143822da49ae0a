#ifndef ORCH_API_OBJECT_H
#define ORCH_API_OBJECT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/stream.h"

/*
 * Kubernetes objects out of a stream: Lists are flattened (v1 List and every
 * FooList with items, whose items without apiVersion and kind inherit theirs from it), and every
 * value must be an object with apiVersion and kind.
 */
struct objects;

struct objects *objects_open(FILE *f, const char *name); /* borrows f */
void objects_close(struct objects *in);			 /* accepts NULL */

/* What else is taken.  objects_read() gives events, actions and other values as they are. */
enum objects_accept {
	ACCEPT_OBJECTS,
	ACCEPT_EVENTS, /* watch events and actions of orch-streams(7) too: what has an "object"
			  instead of a kind */
	ACCEPT_ANY,    /* any JSON value; Lists stay whole */
};
void objects_accept(struct objects *in, enum objects_accept what);

/* The object itself, or the one that an event or action carries; borrowed. */
json_t *object_of(const json_t *value);

/* The next object into *ret (the caller's): 1, 0 at the end, negative on error. */
int objects_read(struct objects *in, json_t **ret, struct err *err);

/* Where it came from, "web.yaml:12" or "standard input:3"; valid until the next read. */
const char *objects_where(const struct objects *in);

/* As stream_raw; NULL for an item of a List. */
const char *objects_raw(const struct objects *in, size_t *len);

/*
 * Read files one after the other: "-" is standard input, none (n 0) too; of a folder its *.yaml,
 * *.yml and
 * *.json, sorted.  `each` takes the object; non-zero from it stops and is returned.
 */
int objects_each(char *const files[], int n, enum objects_accept what,
    int (*each)(void *arg, struct objects *in, json_t *obj, struct err *err), void *arg,
    struct err *err);

#endif
