#ifndef ORCH_BASE_STREAM_H
#define ORCH_BASE_STREAM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

/*
 * The object stream, reading side (orch-streams(7)): one JSON value after the
 * other from a file that holds JSON Lines, JSON documents (of any layout, one
 * after the other) or YAML (many documents); the first bytes tell which.
 *
 *	struct stream *in = stream_open(stdin, "standard input");
 *	while ((r = stream_read(in, &obj, &err)) > 0) ...
 *
 * A line or document is delivered as soon as it is there; before more is read, idle_hook
 *(base/idle.h) is called.  Empty YAML documents are skipped.  Nothing here knows of Kubernetes:
 *flattening Lists and asking for apiVersion and kind is api/object.h's.
 */
struct stream;

/* Borrows f, of which nothing may have been read yet; copies name; never NULL. */
struct stream *stream_open(FILE *f, const char *name);
void stream_close(struct stream *s); /* accepts NULL; does not close f */

/*
 * The next value into *ret, which the caller owns: 1, 0 at the end of input, negative
 * on error.  Errors name the input with line and column ("web.yaml:3:7: ...").
 * A truncated last value is an error, never the end.  After an error the
 * stream is at its end.  Duplicate keys are an error in JSON and YAML.
 */
int stream_read(struct stream *s, json_t **ret, struct err *err);

/* Where the value last read began: 1-based line in the input, 1-based number of the value. */
unsigned long stream_line(const struct stream *s);
unsigned long stream_index(const struct stream *s);

/* The bytes of the value last read when it stood on one line of JSON, else NULL.
 * Valid until the next call: a filter may pass them on without encoding again. */
const char *stream_raw(const struct stream *s, size_t *len);

#endif
