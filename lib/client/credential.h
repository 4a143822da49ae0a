#ifndef ORCH_CLIENT_CREDENTIAL_H
#define ORCH_CLIENT_CREDENTIAL_H

#include <jansson.h>

#include "client/kubeconfig.h"

/* Pieces of endpoint_resolve(). */
int endpoint_server(struct endpoint *e, const char *url, struct err *err);
int secret_from_bytes(struct secret_file *s, const void *data, size_t len, struct err *err);

/*
 * Run a credential plugin (client.authentication.k8s.io ExecCredential): its command prints a
 * token, or a client certificate with its key.  dir: what a relative command path is relative to.
 */
int credential_exec(struct endpoint *e, const json_t *exec, const char *dir, struct err *err);

#endif
