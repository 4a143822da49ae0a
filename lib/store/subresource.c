/* Subresources other than status: which file each is in. */
#include <string.h>

#include "base/mem.h"
#include "store/call.h"

/* Written like the object itself, of which they are a part. */
static void
part_handle(struct call *c)
{
	if (strcmp(c->req->method, "GET") == 0)
		get_handle(c);
	else if (strcmp(c->req->method, "PUT") == 0)
		update_handle(c);
	else
		patch_handle(c);
}

static void
not_here(struct call *c)
{
	reply_status(
	    c, 404, "NotFound", "the server could not find the requested resource", json_object());
}

static const struct {
	const char *group, *kind; /* kind NULL: any */
	const char *sub;
	void (*handle)(struct call *c);
} subresources[] = {
	{ "", "Binding", "", binding_handle },
	{ "", "Namespace", "finalize", finalize_handle },
	{ "", "Pod", "binding", binding_handle },
	{ "", "Pod", "ephemeralcontainers", part_handle },
	{ "", "Pod", "eviction", eviction_handle },
	{ "", "Pod", "resize", part_handle },
	{ "", "ServiceAccount", "token", token_handle },
	{ "certificates.k8s.io", "CertificateSigningRequest", "approval", part_handle },
	{ NULL, NULL, "scale", scale_handle },
};

void
subresource_handle(struct call *c)
{
	for (size_t i = 0; i < COUNT(subresources); i++)
		if (strcmp(subresources[i].sub, c->target.sub) == 0 &&
		    (!subresources[i].kind ||
			kind_is(c->kind, subresources[i].group, subresources[i].kind))) {
			subresources[i].handle(c);
			return;
		}
	not_here(c);
}
