/* What a pod was before its sandbox went: by our own record (a reboot), or by what the server was
 * told of it (orch-down, a lost data folder). */
#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/time.h"
#include "node/pod.h"

static void
keep(char **s, const char *value)
{
	free(*s);
	*s = *value ? xstrdup(value) : NULL;
}

static int64_t
when(const json_t *terminated, const char *key, int64_t dflt)
{
	int64_t at;

	return time_parse(text(terminated, key), &at) ? at : dflt;
}

/* One that has run once: how its last run ended, which nobody knows when it was still running. */
static void
recall(struct container *c, const json_t *status, int64_t now)
{
	const json_t *running = get(status, "state", "running");
	const json_t *end = get(status, "state", "terminated");

	if (!end && !running)
		end = get(status, "lastState", "terminated");
	if (!end && !running)
		return;
	c->state = EXITED;
	c->restarts = (unsigned)num(get(status, "restartCount"), 0);
	c->attempt = c->restarts; /* every attempt has a folder of its own: none is used twice */
	c->code = (int)num(get(end, "exitCode"), 137);
	c->started = when(end ? end : running, "startedAt", 0);
	c->finished = when(end, "finishedAt", now);
	c->ended_at = clock_boot_at((double)c->finished);
	c->begun_at = clock_boot_at((double)(c->started ? c->started : c->finished));
	keep(&c->reason, end ? text(end, "reason") : "ContainerStatusUnknown");
	keep(&c->message,
	    end ? text(end, "message") : "it was lost together with its pod's sandbox");
	keep(&c->image, text(status, "image"));
	keep(&c->image_id, text(status, "imageID"));
}

void
pod_recall(struct pod *p, int64_t now)
{
	static const char *const lists[] = { "initContainerStatuses", "containerStatuses",
		"ephemeralContainerStatuses" };
	json_t *one;
	size_t i;

	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(p->object, "status", lists[k]), i, one)
			for (size_t n = 0; n < p->n; n++)
				if (strcmp(p->c[n].name, text(one, "name")) == 0)
					recall(&p->c[n], one, now);
	if (time_parse(text(p->object, "status", "startTime"), &p->started))
		p->active_since = clock_boot_at((double)p->started);
	pod_rewind(p);
}

/* A new sandbox has empty volumes: what init containers did is to be done again. */
void
pod_rewind(struct pod *p)
{
	if (pod_over(p))
		return;
	for (size_t i = 0; i < p->n; i++) {
		struct container *c = &p->c[i];

		if (c->kind != INIT || c->state != EXITED || c->code != 0)
			continue;
		json_decref(c->last);
		c->last = terminated_state(p, c);
		c->state = WAITING;
		c->attempt++;
		c->restarts++;
		c->begun = false;
		c->again = 0;
		keep(&c->reason, "");
		keep(&c->message, "");
	}
}
