#include "client/options.h"

struct client_options client_options;
struct scope_options scope_options;

const struct opt client_opts[] = {
	{ 's', "server", "URL", "the API server: https://, http:// or unix:PATH",
	    &client_options.server, false },
	{ 0, "kubeconfig", "FILE", "use this kubeconfig", &client_options.kubeconfig, false },
	{ 0, "context", "NAME", "use this context of the kubeconfig", &client_options.context,
	    false },
	{ 0, "request-timeout", "TIME", "give up on one request after this long",
	    &client_options.timeout, false },
	{ 0 },
};

const struct opt scope_opts[] = {
	{ 'n', "namespace", "NAME", "the namespace to work in", &scope_options.namespace, false },
	{ 'A', "all-namespaces", NULL, "all namespaces", &scope_options.all_namespaces, false },
	{ 'l', "selector", "LABELS", "only objects with these labels", &scope_options.selector,
	    false },
	{ 0, "field-selector", "FIELDS", "only objects with these field values",
	    &scope_options.field_selector, false },
	{ 0 },
};
