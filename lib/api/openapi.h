#ifndef ORCH_API_OPENAPI_H
#define ORCH_API_OPENAPI_H

#include <jansson.h>

#include "api/schema.h"
#include "base/buf.h"

/*
 * The API described in OpenAPI, from the schema: what kubectl apply and explain read, and what
 * clients are generated from.
 *
 * Version 3 is many documents, each of one group and version ("api/v1", "apis/apps/v1") or of a
 * path beside them ("apis", "apis/apps", "version"); every one is complete in itself.  Version 2 is
 * one document of all, as JSON or in protobuf (openapi.v2.Document of gnostic).
 */

/* The names of all documents, in alphabetical order: a new array of strings. */
json_t *openapi_names(void);
/* A document, new, or NULL when there is none of this name. */
json_t *openapi_document(const char *name);
/* That of a group and version. */
json_t *openapi_v3(const char *group, const char *version);

/* Version 2: appends the whole document.  It is made part by part: a tree of all would be large. */
void openapi_v2_json(struct buf *out);
void openapi_v2_protobuf(struct buf *out);

#endif
