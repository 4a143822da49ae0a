/* Probes of running containers: when one is tried, and what its verdict leads to. */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/agent_state.h"
#include "node/container.h"

enum { MOST_TOLD = 25 }; /* failures in a row: nobody reads more of the same */

static void
begin_probe(struct agent *a, struct pod *p, struct container *c, int which, double now)
{
	autofree char *bundle =
	    host_path(a->host, "pods/%s/containers/%s-%u", p->uid, c->name, c->attempt);
	char id[40];
	struct probing in = { a->host, get(c->spec, probe_fields[which]), c->spec,
		p->ip ? p->ip : "", container_id(p->uid, c->name, c->attempt, id), bundle };
	struct err err;

	if (job_start(&c->probes[which].job, probe_try, &in, &err) == 0)
		watch(a, c->probes[which].job.fd);
	else
		c->probes[which].again = now + 1;
}

void
work_probes(struct agent *a, struct pod *p, double now, double *wake)
{
	for (size_t i = 0; i < p->n; i++) {
		struct container *c = &p->c[i];
		bool waits = get(c->spec, "startupProbe") && !c->probes[STARTUP].good;

		for (int w = 0; w < PROBES && c->state == RUNNING && c->kind != INIT; w++) {
			struct probe *probe = &c->probes[w];

			if (!get(c->spec, probe_fields[w]) || probe->job.pid ||
			    (w != STARTUP && waits) || (w == STARTUP && probe->good) ||
			    ((p->stopping || c->kill_by > 0) && w != READINESS))
				continue;
			if (probe->again <= now)
				begin_probe(a, p, c, w, now);
			else if (probe->again < *wake)
				*wake = probe->again;
		}
	}
}

/* Seconds between TERM and KILL: the probe may have its own. */
static double
grace(const struct pod *p, const json_t *spec)
{
	return (double)num(get(spec, "terminationGracePeriodSeconds"),
	    num(get(p->object, "spec", "terminationGracePeriodSeconds"), 30));
}

void
work_probed(struct agent *a, struct pod *p, struct container *c, int which, double now)
{
	static const char *const words[PROBES] = { "startup", "liveness", "readiness" };
	static const char *const names[PROBES] = { "Startup", "Liveness", "Readiness" };
	struct probe *probe = &c->probes[which];
	const json_t *spec = get(c->spec, probe_fields[which]);
	json_auto_t *result = NULL;
	struct err err;
	bool success, changed;

	unwatch(a, probe->job.fd);
	success = job_end(&probe->job, &result, &err) == 0;
	if (*text(result, "unknown")) { /* as the kubelet: such a try does not count */
		tell_of(a, p, c, "Warning", "Unhealthy",
		    "%s probe errored and resulted in unknown state: %s", names[which],
		    text(result, "unknown"));
		probe->again = now + (double)num(get(spec, "periodSeconds"), 10);
		return;
	}
	if (success && *text(result, "note"))
		tell_of(a, p, c, "Warning", "ProbeWarning", "%s probe warning: %s", names[which],
		    text(result, "note"));
	if (!success)
		text_replace(&probe->message, err.msg);
	changed = probe_count(probe, spec, success, now);
	if (!success && (changed || probe->streak >= -MOST_TOLD)) /* as the kubelet: every time */
		tell_of(
		    a, p, c, "Warning", "Unhealthy", "%s probe failed: %s", names[which], err.msg);
	if (!changed)
		return;
	p->dirty = true;
	if (success)
		return;
	if (which == READINESS || p->stopping)
		return;
	tell_of(a, p, c, "Normal", "Killing", "Container %s failed %s probe%s", c->name,
	    words[which], container_would_restart(p, c, 137) ? ", will be restarted" : "");
	work_ask(a, p, c); /* and KILL, when it does not go */
	c->kill_by = now + grace(p, spec);
}
