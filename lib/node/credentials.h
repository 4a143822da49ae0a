#ifndef ORCH_NODE_CREDENTIALS_H
#define ORCH_NODE_CREDENTIALS_H

#include <jansson.h>

/*
 * Who we are to a registry: "Authorization: Basic ..." for a host from documents of docker's form
 * ({"auths": {"host": {"auth": "base64"} or {"username", "password"}}}): first `auths`
 * (imagePullSecrets; may be NULL), then the file (NULL: $DOCKER_CONFIG/config.json or
 * ~/.docker/config.json).  A new string, or NULL when nothing is known.
 */
char *credentials_header(const char *domain, const json_t *auths, const char *file);

#endif
