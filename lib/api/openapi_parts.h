#ifndef ORCH_API_OPENAPI_PARTS_H
#define ORCH_API_OPENAPI_PARTS_H

#include <jansson.h>

#include "api/schema.h"

/*
 * What the files behind openapi.h share.
 *
 *	openapi.c		which documents there are
 *	openapi_paths.c		the paths of a group and version
 *	openapi_operations.c	a method of a path
 *	openapi_schemas.c	types
 *	openapi_v2.c		version 2 out of version 3
 *	protobuf_openapi.c	version 2 in protobuf
 */

/* A document under way. */
struct openapi {
	json_t *paths, *schemas;
	const char *group, *version;
};

/* {"$ref": ...} to a type, a kind, or the list of a kind; `schemas` then has it and all that it
 * refers to. */
json_t *openapi_type(json_t *schemas, const struct type *t);
json_t *openapi_kind(json_t *schemas, const struct kind *k);
json_t *openapi_list(json_t *schemas, const struct kind *k);

/* What a path is about. */
struct openapi_place {
	const struct kind *kind;
	const struct subresource *sub; /* or NULL */
	const struct kind *body;       /* what is read and written: kind, or the subresource's */
	bool all;		       /* of all namespaces */
	bool tail;		       /* {path} follows */
};

/* A method and what Kubernetes calls it. */
struct openapi_method {
	const char *name;   /* "get" */
	unsigned verb;	    /* that allows it */
	const char *action; /* x-kubernetes-action: "list" */
	const char *word;   /* in the operationId: "list", "read" */
	const char *const *takes;
};

/* Parameters of these names in the query, and those that stand {in} the path; new arrays. */
json_t *openapi_query(const char *const *names);
void openapi_add_path_parameters(json_t *list, const char *path);
/* The fields of a kind of options as parameters. */
json_t *openapi_options(const struct kind *options);

json_t *openapi_operation(
    struct openapi *doc, const struct openapi_method *m, const struct openapi_place *p);
/* A GET that answers with a kind of meta.v1 (discovery), or with text when kind is NULL. */
json_t *openapi_plain_get(json_t *schemas, const char *kind, const char *tag, const char *id);

/* "rbac.authorization.k8s.io" and "v1" are RbacAuthorizationV1 in an operationId; new. */
char *openapi_group_name(const char *group, const char *version);

void openapi_add_paths(struct openapi *doc);

/* Version 2 of a path item, and of a schema; new. */
json_t *openapi_v2_path(const json_t *item);
json_t *openapi_v2_schema(const json_t *schema);

/* All of version 2, one path and one definition at a time. */
struct openapi_v2 {
	void (*path)(void *arg, const char *name, const json_t *item);
	void (*definition)(void *arg, const char *name, const json_t *schema);
	void *arg;
};
void openapi_v2_each(const struct openapi_v2 *to);

#define OPENAPI_VERSION "v1.36.0" /* of the API that is described */

#endif
