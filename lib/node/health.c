/* Does the runtime answer?  A call that hangs is the trouble of one pod; when the runtime says
 * nothing to anybody, the node is not ready (the kubelet's "container runtime is down"). */
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "node/agent_state.h"
#include "node/runtime.h"

enum {
	EVERY = 10,
	DOUBT = 30, /* seconds without an answer, as the kubelet waits */
};

static int
ask(void *arg, json_t **result, struct err *err)
{
	const struct host *h = arg;
	const char *args[] = { "list", "-q", NULL };

	(void)result;
	return runtime_run(h, NULL, args, NULL, DOUBT, err);
}

static void
judge(struct agent *a, const char *why, double now)
{
	if (!why) {
		a->healthy_at = now;
		if (a->host->runtime_down)
			log_line("the container runtime answers again");
		text_replace(&a->host->runtime_down, NULL);
	} else if (!a->host->runtime_down && now - a->healthy_at >= DOUBT) {
		log_line("container runtime is down: %s", why);
		text_replace(&a->host->runtime_down, "container runtime is down");
	}
}

void
health_done(struct agent *a, double now)
{
	struct err err;

	unwatch(a, a->health.fd);
	judge(a, job_end(&a->health, NULL, &err) < 0 ? err.msg : NULL, now);
	a->health_at = now + (a->healthy_at == now ? EVERY : EVERY / 5);
}

void
health_due(struct agent *a, double now)
{
	struct err err;

	if (a->healthy_at == 0) { /* the node would not have begun without */
		a->healthy_at = now;
		a->health_at = now + EVERY;
	}
	if (!a->health.pid && a->health_at <= now) {
		a->health_at = INFINITY; /* its end says when */
		if (job_start(&a->health, ask, a->host, &err) == 0)
			watch(a, a->health.fd);
		else
			a->health_at = now + EVERY;
	}
	if (a->health_at < a->wake)
		a->wake = a->health_at;
}
