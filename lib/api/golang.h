#ifndef ORCH_API_GOLANG_H
#define ORCH_API_GOLANG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Words and forms of Go's own libraries, where Kubernetes' answers show them. */

/* What encoding/json says is wrong with a text that should be one value: "invalid character 'x'
 * after top-level value".  False: nothing is. */
bool go_json_fault(const char *text, size_t len, char msg[static 96]);

/* The fields of such a text that are there twice: their paths ("data.a"), each ended by a NUL. */
void go_json_duplicates(const char *text, size_t len, struct buf *out);

/* The text as encoding/json reads it: what is no UTF-8, and half a pair of \u escapes, is U+FFFD.
 */
void go_json_repair(const char *text, size_t len, struct buf *out);

/* A value as fmt's %v prints it: "map[image:x name:c]", "[a b]", "<nil>". */
void go_print(struct buf *out, const json_t *v);

/* The same for "json: cannot unmarshal %s into ...": "object", "number", ... */
const char *go_json_type(const json_t *v);

/* The type of such a value in Go, as fmt's %T prints it: "map[string]interface {}"; of null, and of
 * none (NULL): "<nil>". */
const char *go_value_type(const json_t *v);

#endif
