#include "client/options.h"

struct client_options client_options;
struct scope_options scope_options;

const struct opt client_opts[] = {
	{ 's', "server", "URL", "the API server: https://, http:// or unix:PATH",
	    &client_options.server },
	{ 0, "kubeconfig", "FILE", "use this kubeconfig", &client_options.kubeconfig },
	{ 0, "context", "NAME", "use this context of the kubeconfig", &client_options.context },
	{ 0, "request-timeout", "TIME", "give up on one request after this long",
	    &client_options.timeout },
	{ 0 },
};

const struct opt scope_opts[] = {
	{ 'n', "namespace", "NAME", "the namespace to work in", &scope_options.namespace },
	{ 'A', "all-namespaces", NULL, "all namespaces", &scope_options.all_namespaces },
	{ 'l', "selector", "LABELS", "only objects with these labels", &scope_options.selector },
	{ 0, "field-selector", "FIELDS", "only objects with these field values",
	    &scope_options.field_selector },
	{ 0 },
};
