#ifndef ORCH_NODE_REGISTRY_H
#define ORCH_NODE_REGISTRY_H

#include "node/image.h"

/*
 * Pulling over the OCI distribution protocol (registry v2).  https, or plain http for localhost,
 * loopback addresses and `insecure`.  Every manifest, blob and layer is checked against its digest;
 * a download that breaks off is resumed.
 */
struct pull_options {
	bool insecure;
	const char *auth_file; /* docker's config.json; NULL: $DOCKER_CONFIG or ~/.docker */
	const json_t
	    *auths; /* more of the same shape ({"auths": {...}}) that goes first, or NULL */
};

/* *id (may be NULL) gets the image's id.  NOT_FOUND when the registry has no such image. */
int image_pull(
    struct images *s, const char *ref, const struct pull_options *o, char **id, struct err *err);

#endif
