#ifndef ORCH_STORE_SERVICE_WAY_H
#define ORCH_STORE_SERVICE_WAY_H

#include "store/call.h"

/*
 * From a ServiceReference (namespace, name, port; 0 is 443) to where it can be dialled from the
 * store: for extension API servers and webhooks.
 *
 * *host gets the name that its certificate must have, "NAME.NAMESPACE.svc" (new); *address gets
 * "ADDRESS:PORT" to connect to (new), brackets around IPv6:
 *	- of type ExternalName: that name and the port of the reference
 *	- one of the ready endpoints by chance, of its EndpointSlices, or of its Endpoints if there
 *	  are no slices: the port behind the Service's port of that number
 *	- its cluster IP, where nobody keeps endpoints for it
 * NOT_FOUND, UNAVAILABLE (no such port, nobody is ready) or INTERNAL in Kubernetes' words.
 *
 * Not on a loop thread of the server: it reads objects.  Any other thread will do.
 */
int service_way(struct server *s, const char *ns, const char *name, int port, char **host,
    char **address, struct err *err);

/* The pieces, for who wants to know why (aggregation_check.c). */

/* An object of the core group as it is now, new; NULL: there is none. */
json_t *service_object(struct server *s, const char *kind, const char *ns, const char *name);
/* The entry of spec.ports with this number, borrowed; NULL: none. */
json_t *service_entry(const json_t *service, int port);
/*
 * What is behind a Service: *known says whether there is any EndpointSlice or Endpoints of it at
 * all; the result (new) is an array of {"address": text, "port": number} of who is ready at the
 * port of that name.
 */
json_t *service_endpoints(
    struct server *s, const char *ns, const char *name, const char *port, bool *known);

#endif
