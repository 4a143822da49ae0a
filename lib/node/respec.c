/* A pod whose images are changed while it is here: the one thing of a container that may be. */
#include <string.h>

#include "api/meta.h"
#include "base/log.h"
#include "base/mem.h"
#include "node/agent_state.h"

json_t *
respec_images(const struct pod *p)
{
	json_t *images = json_array();

	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(images, json_string(text(p->c[i].spec, "image")));
	return images;
}

/* As the kubelet does: whatever its restartPolicy, and no back-off of what it was before. */
static void
begin_again(struct agent *a, struct pod *p, struct container *c, double now)
{
	struct err err;

	c->renewing = true;
	if (pod_save(p, &err) < 0)
		log_line("cannot record pod %s: %s", p->label, err.msg);
	tell_of(a, p, c, "Normal", "Killing", "Container %s definition changed, will be restarted",
	    c->name);
	work_ask(a, p, c);
	c->kill_by = now + (double)num(get(p->object, "spec", "terminationGracePeriodSeconds"), 30);
}

void
respec(struct agent *a, struct pod *p, const json_t *before, double now)
{
	for (size_t i = 0; i < p->n; i++) {
		struct container *c = &p->c[i];
		const char *was = str(json_array_get(before, i), "");

		if (strcmp(was, text(c->spec, "image")) == 0 || p->stopping || pod_over(p))
			continue;
		c->again = c->retry = c->backoff = 0;
		a->wake = 0;
		if (c->state == RUNNING && (c->kind == APP || c->kind == SIDECAR) &&
		    c->kill_by == 0)
			begin_again(a, p, c, now);
	}
}
