#ifndef ORCH_API_PATH_H
#define ORCH_API_PATH_H

#include <stddef.h>

#include "base/buf.h"

/*
 * Where in an object a check stands.  A path is a chain on the stack, so that
 * nothing is built as long as nothing is wrong:
 *
 *	check_containers(out, AT(spec, "containers"), ...)  ->  "spec.containers[0].image"
 */
struct path {
	const struct path *up; /* NULL at the top */
	const char *name;      /* a field: ".name" */
	const char *key;       /* or a key of a map: "[cpu]" */
	size_t index;	       /* or an item of a list: "[0]" */
};

#define AT(up, field) (&(const struct path){ (up), (field), NULL, 0 })
#define KEY(up, k) (&(const struct path){ (up), NULL, (k), 0 })
#define ITEM(up, i) (&(const struct path){ (up), NULL, NULL, (i) })

char *path_print(const struct path *at); /* new; "" for NULL */
char *path_fields(
    const struct path *at); /* the same without keys and indexes: "spec.containers.image" */

#endif
