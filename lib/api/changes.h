#ifndef ORCH_API_CHANGES_H
#define ORCH_API_CHANGES_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"

/*
 * What differs between two states of an object, field by field:
 *
 *	spec.replicas: 1 -> 3
 *	+spec.template.metadata.labels.tier: web
 *	-spec.containers[sidecar]
 *
 * Items of lists are known by their name, type or key where all have one, else by their index.
 * What a server writes of every change (managedFields, resourceVersion, generation) is left out.
 */
struct changes {
	char **line; /* those of spec and data first, then metadata, then status */
	size_t n, cap;
};

/* Values are cut short at `width` bytes, 0: never.  Those of a Secret are not shown. */
void changes_between(struct changes *c, const json_t *before, const json_t *after, size_t width);
void changes_release(struct changes *c);

/* The first few in one line: "spec.replicas: 1 -> 3, and 2 more"; nothing for none. */
void changes_summary(const struct changes *c, size_t most, struct buf *out);

/* The manager of managedFields that has made `after` of `before` (NULL: of nothing), and when
 * (RFC 3339); "" when it is not known.  Borrowed from after. */
void changes_by(const json_t *before, const json_t *after, const char **who, const char **when);

#endif
