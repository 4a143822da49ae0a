#ifndef ORCH_BASE_YAML_H
#define ORCH_BASE_YAML_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * YAML as Kubernetes reads it: YAML 1.1 scalars as in sigs.k8s.io/yaml (yes, no, on,
 * off are booleans; 0755 and 0o755 octal; 1_000 no number; 1e3 a float; ~ and empty
 * null; timestamps stay strings), keys turned into strings, "<<" merges, anchors
 * and aliases with a bound on the total size they expand to.
 */
struct yaml;

/* Reads from memory (borrowed until yaml_close) or, when data is NULL, from f in pieces. */
struct yaml *yaml_open(const char *data, size_t len, FILE *f);
void yaml_close(struct yaml *y); /* accepts NULL */

/* The next document, like stream_read: 1, 0 at the end, negative on error; line and
 * column are 1-based in the message.  *line gets the line the document starts on. */
int yaml_read(struct yaml *y, json_t **ret, unsigned long *line, struct err *err);

/* Append a value as one YAML document without "---", keys in the order they have,
 * strings quoted only where YAML 1.1 would read something else, as kubectl prints. */
void yaml_write(struct buf *out, const json_t *value);

#endif
