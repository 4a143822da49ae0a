#ifndef ORCH_NODE_CREDENTIALS_H
#define ORCH_NODE_CREDENTIALS_H

#include <jansson.h>

/*
 * Who we are to a registry, out of documents of docker's form:
 *
 *	{"auths": {"HOST[/PATH]": {"auth": "base64"} or {"username", "password"}},
 *	 "credHelpers": {"HOST": "NAME"}, "credsStore": "NAME"}
 *
 * HOST may have "*" in its parts, as Kubernetes has it ("*.example.org"), and a key may be a URL as
 * older programs wrote them.  The second line is for the file alone: docker-credential-NAME is
 * asked.  Answers every login that fits domain/path, "Basic ..." in the order they are to be tried:
 * first those of `docs` (an array, imagePullSecrets; may be NULL), then those of the file (NULL:
 * $DOCKER_CONFIG/config.json or ~/.docker/config.json), the longer key first.  A new array.
 */
json_t *credentials_find(
    const char *domain, const char *path, const json_t *docs, const char *file);

#endif
