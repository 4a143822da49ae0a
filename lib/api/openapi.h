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

/* Version 2, whole: in the pieces that it is made in, since all of it may be very large. */
struct openapi_sink {
	void (*add)(void *arg, const void *data, size_t len);
	void *arg;
};
void openapi_v2_json(const struct openapi_sink *to);
void openapi_v2_protobuf(const struct openapi_sink *to);

#endif
