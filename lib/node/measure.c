/* What a pod may store at most, all of it, a container of it or a volume: what it does store is
 * counted now and then, and one that has more is evicted, as the kubelet's eviction manager does.
 */
#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "node/admit_room.h"
#include "node/agent_state.h"
#include "node/stored.h"

/* Seconds between looks; one part in so many of our time; and for one look. */
enum { EVERY = 5, SHARE = 20, LONGEST = 60, GRACE = 1 };

static int
do_measure(void *arg, json_t **result, struct err *err)
{
	const struct pod *p = arg;

	(void)err;
	job_behind();
	*result = stored_of(p->host, p, clock_monotonic() + LONGEST);
	return 0;
}

void
measure_due(struct agent *a, struct pod *p, double now, double *wake)
{
	struct err err;

	if (!p->wanted || p->stopping || p->job.pid || p->sandbox != SANDBOX || pod_over(p) ||
	    p->fail_reason || !stored_limited(p->object) || evict_spares(p->object))
		return;
	if (p->measure_at == 0 || p->measure_at > now + EVERY + LONGEST * SHARE)
		p->measure_at = now + EVERY;
	if (p->measure_at > now) {
		*wake = p->measure_at < *wake ? p->measure_at : *wake;
		return;
	}
	if (!pace_allows(a, now))
		return;
	p->doing = STEP_MEASURE;
	p->doing_since = now;
	if (job_start(&p->job, do_measure, p, &err) == 0)
		watch(a, p->job.fd);
	else
		measure_done(a, p, -(int)err.code, NULL, &err, now);
}

/* Is there something to do for it, now that what it stores is counted? */
static bool
cannot_wait(const struct pod *p)
{
	for (size_t i = 0; i < p->n; i++)
		if ((p->c[i].state == RUNNING && p->c[i].kill_by > 0) ||
		    (p->c[i].state == EXITED && p->c[i].ended_at + 1 >= p->doing_since))
			return true;
	return p->stopping || p->fail_reason || pod_over(p);
}

void
measure_yields(struct agent *a, struct pod *p, double now)
{
	if (p->doing != STEP_MEASURE || !p->job.pid || !cannot_wait(p))
		return;
	unwatch(a, p->job.fd);
	job_kill(&p->job);
	p->measure_at = now + EVERY;
}

void
pod_evict(struct agent *a, struct pod *p, const char *message, double grace, double now)
{
	text_replace(&p->fail_reason, "Evicted");
	text_replace(&p->fail_message, message);
	if (p->stop_by == 0 || p->stop_by > now + grace)
		p->stop_by = now + grace;
	p->dirty = true;
	a->wake = 0;
	tell(a, p, "Warning", "Evicted", "%s", message);
}

void
measure_done(
    struct agent *a, struct pod *p, int r, const json_t *stored, const struct err *err, double now)
{
	double rest = (now - p->doing_since) * SHARE;
	autofree char *message = NULL;

	p->measure_at = now + (rest > EVERY ? rest : EVERY);
	if (r < 0)
		log_line("pod %s: %s", p->label, err->msg);
	else if (!p->fail_reason && (message = stored_exceeds(p->object, stored)))
		pod_evict(a, p, message, GRACE, now);
}
