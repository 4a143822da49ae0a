#ifndef ORCH_CLIENT_OPTIONS_H
#define ORCH_CLIENT_OPTIONS_H

#include "base/opt.h"

/*
 * Where the server is, the same in every client program (orch(7)):
 * -s/--server URL, --kubeconfig FILE, --context NAME, --request-timeout DURATION; else ORCH_SERVER,
 * else KUBECONFIG, else ~/.kube/config.
 */
struct client_options {
	const char *kubeconfig, *context, *server, *timeout, *user_agent;
};
extern struct client_options client_options;
extern const struct opt client_opts[]; /* for program.shared */

/* -n NAMESPACE, -A, -l SELECTOR, --field-selector; for programs that address objects. */
struct scope_options {
	const char *namespace, *selector, *field_selector;
	bool all_namespaces;
};
extern struct scope_options scope_options;
extern const struct opt scope_opts[];

#endif
