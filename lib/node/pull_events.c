/* What is told of images that cannot be had, in the kubelet's words (its image manager). */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/agent_state.h"

enum { SOFTEN = 2 };

void
image_missing(struct agent *a, struct pod *p, struct container *c, const char *reason)
{
	const char *image = text(c->spec, "image");

	if (strcmp(reason, "ErrImageNeverPull") == 0) {
		autofree char *why = xasprintf(
		    "Container image \"%s\" is not present with pull policy of Never", image);

		text_replace(&c->message, why);
		tell_of(a, p, c, "Warning", reason, "%s", why);
	} else if (strcmp(reason, "ImageInspectError") == 0) {
		tell_of(a, p, c, "Warning", "InspectFailed", "Failed to inspect image \"%s\": %s",
		    image, c->message);
	} else if (strcmp(reason, "InvalidImageName") == 0) {
		tell_of(a, p, c, "Warning", "InspectFailed",
		    "Failed to apply default image tag \"%s\": %s", image, c->message);
	} else {
		tell_of(a, p, c, "Warning", "Failed", "Failed to pull image \"%s\": %s", image,
		    c->message);
	}
	tell_of(a, p, c, "Warning", "Failed", "Error: %s", reason);
}

void
image_wait(struct agent *a, struct pod *p, double now)
{
	for (size_t i = 0; i < p->n; i++) {
		struct container *c = &p->c[i];
		const char *image = text(c->spec, "image");
		autofree char *why = NULL;

		if (c->state != WAITING || !c->reason || strcmp(c->reason, "ErrImagePull") != 0)
			continue;
		if (now < c->begun_at + SOFTEN) {
			if (c->begun_at + SOFTEN < a->wake)
				a->wake = c->begun_at + SOFTEN;
			continue;
		}
		why = xasprintf("Back-off pulling image \"%s\": ErrImagePull: %s", image,
		    c->message ? c->message : "");
		text_replace(&c->reason, "ImagePullBackOff");
		text_replace(&c->message, why);
		tell_of(a, p, c, "Normal", "BackOff", "Back-off pulling image \"%s\"", image);
		tell_of(a, p, c, "Warning", "Failed", "Error: ImagePullBackOff");
		p->dirty = true;
	}
}

void
tell_backoff(struct agent *a, const struct pod *p, const struct container *c)
{
	tell_of(a, p, c, "Warning", "BackOff",
	    "Back-off restarting failed container %s in pod %s_%s(%s)", c->name,
	    meta_name(p->object), meta_namespace(p->object), p->uid);
}

void
start_wait(struct agent *a, struct pod *p, double now)
{
	for (size_t i = 0; i < p->n; i++) {
		struct container *c = &p->c[i];
		double at = c->ended_at + SOFTEN;

		if (c->state != EXITED || c->backed_off || !c->reason ||
		    strcmp(c->reason, "StartError") != 0 || !container_restarts(p, c) ||
		    container_due(c) <= at)
			continue;
		if (now < at) {
			a->wake = at < a->wake ? at : a->wake;
			continue;
		}
		c->backed_off = p->dirty = true;
		tell_backoff(a, p, c);
	}
}
