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

/* A value as fmt's %v prints it: "map[image:x name:c]", "[a b]", "<nil>". */
void go_print(struct buf *out, const json_t *v);

/* The same for "json: cannot unmarshal %s into ...": "object", "number", ... */
const char *go_json_type(const json_t *v);

#endif
