#ifndef ORCH_NODE_REGISTRY_H
#define ORCH_NODE_REGISTRY_H

#include "node/image.h"

/*
 * Pulling over the OCI distribution protocol (registry v2).  https, or plain http for localhost,
 * loopback addresses and `insecure`.  Every manifest, blob and layer is checked against its digest;
 * layers come several at a time, are unpacked meanwhile, and a download that breaks off is resumed.
 */
enum { PROGRESS_DEADLINE = 60 };

struct pull_progress {
	size_t layers, ready; /* that were not here; unpacked by now */
	int64_t bytes, total; /* of these layers, as they come */
	double speed;	      /* bytes a second */
};

struct pull_options {
	bool insecure;
	const char *registries; /* rules for registries (registry_rules.h); NULL: DATA/registries,
				   when there is one */
	const char *auth_file;	/* docker's config.json; NULL: $DOCKER_CONFIG or ~/.docker */
	const json_t *auths;	/* more of the same shape that go first: an array, or NULL */
	double deadline;	/* seconds without progress; 0: PROGRESS_DEADLINE */
	/* Hears several times a second how far the layers are; may be NULL. */
	void (*progress)(void *arg, const struct pull_progress *p);
	void *arg;
};

/* *id (may be NULL) gets the image's id.  NOT_FOUND when the registry has no such image. */
int image_pull(
    struct images *s, const char *ref, const struct pull_options *o, char **id, struct err *err);

#endif
