#ifndef ORCH_STORE_PATH_H
#define ORCH_STORE_PATH_H

#include <stdbool.h>

#include "api/schema.h"
#include "base/err.h"

/*
 * What a URL path asks for (Kubernetes API conventions: /api/v1/..., /apis/GROUP/VERSION/...,
 * [namespaces/NAMESPACE/]RESOURCE[/NAME[/SUBRESOURCE]]).
 */
enum target_type {
	TARGET_UNKNOWN,	       /* no API path: 404 page not found */
	TARGET_RESOURCE,       /* a collection or an object of a known kind */
	TARGET_MISSING,	       /* an API path, but no such resource: a NotFound Status */
	TARGET_API,	       /* /api */
	TARGET_APIS,	       /* /apis */
	TARGET_GROUP,	       /* /apis/GROUP; group */
	TARGET_VERSION,	       /* /api/v1, /apis/GROUP/VERSION */
	TARGET_HEALTH,	       /* /healthz, /livez, /readyz and what is below them */
	TARGET_SERVER_VERSION, /* /version */
	TARGET_METRICS,
	TARGET_ROOT,	/* /: the list of what there is */
	TARGET_OPENAPI, /* /openapi/v2, /openapi/v3 and its documents */
	TARGET_REMOTE,	/* below /apis/GROUP/VERSION, which another server answers */
	TARGET_OPENID,	/* /openid/v1/jwks, /.well-known/openid-configuration */
};

struct target {
	enum target_type type;
	const struct kind *kind;					 /* for TARGET_RESOURCE */
	const char *group, *version, *namespace, *resource, *name, *sub; /* "" when not there */
	bool watch; /* the old way: /api/v1/watch/... */
	int depth;  /* of a proxy subresource: the number of the path's parts up to it; what follows
		       is  somebody else's path */
	char *text; /* what they point into */
};

void target_parse(struct target *t, const char *path);
/*
 * The same for a path that another server may answer: /apis/GROUP/VERSION, or below it, where
 * namespace, resource and so on are what they would be here.  False: it is none of those.
 */
bool target_parse_remote(struct target *t, const char *path);
void target_release(struct target *t);

#endif
