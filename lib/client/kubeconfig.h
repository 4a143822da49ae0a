#ifndef ORCH_CLIENT_KUBECONFIG_H
#define ORCH_CLIENT_KUBECONFIG_H

#include <stdbool.h>

#include "base/err.h"
#include "client/options.h"

/*
 * One server and how to be somebody there: what remains of kubeconfig files once
 * the context is chosen.  All strings are the endpoint's own; NULL when not set.
 */
struct secret_file {
	char *path; /* a file, or a /proc path of `fd` */
	int fd;	    /* a memfd with data that stood inside the kubeconfig; -1 for none */
};

struct endpoint {
	char *server; /* "https://10.0.0.1:6443", no slash at the end; "http://localhost" for a
			 socket */
	char *shown;  /* the server as the user wrote it, for messages */
	char *unix_path;
	char *namespace; /* never NULL: "default" */
	char *tls_name;
	char *proxy;
	bool insecure;
	struct secret_file ca, cert, key;
	char *token, *token_file; /* the file is read again for each client: tokens rotate */
	char *username, *password;
	char *impersonate;
};

/*
 * By the options and the environment, the first that says something:
 *	-s URL; with --kubeconfig or --context beside it, only the URL of that one is replaced
 *	--kubeconfig, --context
 *	ORCH_SERVER
 *	KUBECONFIG, files parted by ':', merged: the first to set a name wins
 *	~/.kube/config
 *	the service account of the pod we run in
 */
int endpoint_resolve(struct endpoint *ret, const struct client_options *o, struct err *err);
void endpoint_release(struct endpoint *e);

#endif
