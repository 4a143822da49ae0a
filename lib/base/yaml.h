#ifndef ORCH_BASE_YAML_H
#define ORCH_BASE_YAML_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * YAML as Kubernetes reads it: YAML 1.1 scalars as in sigs.k8s.io/yaml (y, yes, on, n, no, off are
 * booleans; 0755 and 0o755 octal, 0x1f, 0b11; 1_000 is 1000; 1e3 is 1000 too, for JSON has one kind
 * of number; ~ and empty null; timestamps stay strings; .inf and .nan are refused, JSON cannot hold
 * them), keys turned into strings, "<<" merges, anchors and aliases with a bound on what they
 * expand to. Duplicate keys, invalid UTF-8, NUL characters and nesting deeper than YAML_DEPTH are
 * errors.
 */
enum { YAML_DEPTH = 1000 };

struct yaml;

/* Reads from memory (borrowed until yaml_close) or, when data is NULL, from f in pieces. */
struct yaml *yaml_open(const char *data, size_t len, FILE *f);
/* Reads with a function: the bytes put into buf, 0 at the end, -1 with errno set.  The first line
 * counts as `line`. */
struct yaml *yaml_open_reader(
    ssize_t (*read)(void *arg, char *buf, size_t size), void *arg, unsigned long line);
void yaml_first_line(
    struct yaml *y, unsigned long line); /* the number of the first line, 1 at first */
/* Keys that stand twice are no error then, and the last one counts: out gets one line for each,
 * `line 7: key "a" already set in map`. */
void yaml_allow_duplicates(struct yaml *y, struct buf *out);
void yaml_close(struct yaml *y); /* accepts NULL */

/* The next document, like stream_read: 1, 0 at the end, negative on error; the message begins with
 * line and column, 1-based ("3:7: ...").  Documents that are empty or null are
 * skipped.  *line gets the line the document starts on. */
int yaml_read(struct yaml *y, json_t **ret, unsigned long *line, struct err *err);

/* What a plain scalar is: a new value, or NULL with err set where JSON has none (.inf). */
json_t *yaml_scalar(const char *text, size_t len, struct err *err);
/* Would a plain scalar of this text be read as something else than this string? */
bool yaml_is_special(const char *text, size_t len);

/* Append a value as one YAML document without "---", strings quoted only where YAML 1.1 would
 * read something else, as kubectl prints; keys in the order they have, or sorted. */
void yaml_write(struct buf *out, const json_t *value);
void yaml_write_sorted(struct buf *out, const json_t *value);
/* Sorted, and long lines go on in the next one, as Kubernetes' server writes it. */
void yaml_write_folded(struct buf *out, const json_t *value);

#endif
