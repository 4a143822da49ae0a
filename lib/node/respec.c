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

void
begin_again(struct agent *a, struct pod *p, struct container *c, const char *why, double now)
{
	struct err err;

	c->renewing = true;
	if (pod_save(p, &err) < 0)
		log_line("cannot record pod %s: %s", p->label, err.msg);
	tell_of(a, p, c, "Normal", "Killing", "Container %s %s", c->name, why);
	work_ask(a, p, c);
	c->kill_by = now + (double)num(get(p->object, "spec", "terminationGracePeriodSeconds"), 30);
}

/* It is being started with the old one.  Nothing is known of that yet, and the next start removes
 * what there is of it; but if it runs already it ends as any other. */
static void
cut_start(struct agent *a, struct pod *p, struct container *c)
{
	unwatch(a, p->job.fd);
	job_kill(&p->job);
	work_found(a, p, c, true);
}

void
respec(struct agent *a, struct pod *p, const json_t *before, double now)
{
	for (size_t i = 0; i < p->n; i++) {
		struct container *c = &p->c[i];
		const char *was = str(json_array_get(before, i), "");

		if (strcmp(was, text(c->spec, "image")) == 0 || p->stopping || pod_over(p))
			continue;
		if (p->job.pid && p->doing == STEP_START && p->doing_container == i)
			cut_start(a, p, c);
		c->again = c->retry = c->backoff = 0;
		a->wake = 0;
		if (c->state == RUNNING && (c->kind == APP || c->kind == SIDECAR) &&
		    c->kill_by == 0)
			begin_again(a, p, c, RESPEC_AGAIN, now);
	}
}
