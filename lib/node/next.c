/*
 * What a pod needs next.  Reads the record, changes nothing.
 *
 *	to end	ask the containers, sidecars after the app containers; kill those that are late;
 *		take the sandbox down; forget
 *	to run	sandbox; ephemeral containers; init containers one after the other; then all others,
 *		each again as its policy says
 */
#include <string.h>

#include "api/meta.h"
#include "node/pod.h"

/* The restart policy that holds for one container. */
static const char *
policy(const struct pod *p, const struct container *c)
{
	const char *pods = text(p->object, "spec", "restartPolicy");

	if (c->kind == SIDECAR)
		return "Always";
	if (c->kind == EPHEMERAL)
		return "Never";
	if (c->kind == INIT && strcmp(pods, "Never") != 0)
		return "OnFailure"; /* one that succeeded is done */
	return *pods ? pods : "Always";
}

bool
container_restarts(const struct pod *p, const struct container *c)
{
	const char *how = policy(p, c);

	if (p->stopping || p->fail_reason)
		return false;
	if (c->kind == INIT && c->code == 0)
		return false;
	return strcmp(how, "Always") == 0 || (strcmp(how, "OnFailure") == 0 && c->code != 0);
}

static bool
done(const struct container *c)
{
	return c->state == EXITED && c->code == 0;
}

/* An init container failed and will not be tried again. */
static bool
init_failed(const struct pod *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->c[i].kind == INIT && p->c[i].state == EXITED && p->c[i].code != 0 &&
		    strcmp(policy(p, &p->c[i]), "Never") == 0)
			return true;
	return false;
}

bool
pod_over(const struct pod *p)
{
	if (p->retired || p->fail_reason || init_failed(p))
		return true;
	for (size_t i = 0; i < p->n; i++) {
		const struct container *c = &p->c[i];
		const char *how = policy(p, c);

		if (c->kind != APP)
			continue;
		if (c->state != EXITED || strcmp(how, "Always") == 0 ||
		    (strcmp(how, "OnFailure") == 0 && c->code != 0))
			return false;
	}
	return true;
}

static void
sooner(double *wake, double at)
{
	if (at < *wake)
		*wake = at;
}

/* End what runs: app containers at once, sidecars when those are gone. */
static enum step
next_to_end(const struct pod *p, double now, size_t *which, double *wake)
{
	bool apps = false, running = false;

	for (size_t i = 0; i < p->n; i++) {
		running = running || p->c[i].state == RUNNING;
		apps = apps ||
		       (p->c[i].state == RUNNING && (p->c[i].kind == APP || p->c[i].kind == INIT));
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct container *c = &p->c[i];

		if (c->state != RUNNING || (apps && c->kind == SIDECAR && now < p->stop_by))
			continue;
		*which = i;
		if (!c->term_sent && now < p->stop_by)
			return STEP_TERM;
		if (now < p->stop_by)
			sooner(wake, p->stop_by);
		else if (!c->kill_sent)
			return STEP_KILL;
	}
	if (running)
		return STEP_NONE;
	if (p->sandbox != SANDBOX_DOWN) {
		if (p->again > now) {
			sooner(wake, p->again);
			return STEP_NONE;
		}
		return STEP_TEARDOWN;
	}
	return !p->wanted || p->leaving || meta_deleting(p->object) ? STEP_GONE : STEP_NONE;
}

/* Is it time to start this one, which should run and does not? */
static bool
due(const struct pod *p, const struct container *c, double now, double *wake)
{
	double at = c->state == WAITING ? c->again : c->ended_at + c->backoff;

	if (c->state == RUNNING || (c->state == EXITED && !container_restarts(p, c)))
		return false;
	if (at <= now)
		return true;
	sooner(wake, at);
	return false;
}

/* May the next one begin: an init container is done, a sidecar is up? */
static bool
passed(const struct container *c)
{
	if (c->kind == SIDECAR)
		return c->state == RUNNING &&
		       (!get(c->spec, "startupProbe") || c->probes[STARTUP].good);
	return done(c);
}

static enum step
next_to_run(const struct pod *p, double now, size_t *which, double *wake)
{
	bool blocked = false;

	/* "even when there are errors starting an init container": for looking into just that */
	for (size_t i = 0; i < p->n; i++)
		if (p->c[i].kind == EPHEMERAL && due(p, &p->c[i], now, wake)) {
			*which = i;
			return STEP_START;
		}
	for (size_t i = 0; i < p->n && !blocked && p->c[i].kind != EPHEMERAL; i++) {
		const struct container *c = &p->c[i];

		*which = i;
		if (c->state == RUNNING && c->kill_by > 0 && !c->kill_sent) {
			if (c->kill_by <= now)
				return STEP_KILL;
			sooner(wake, c->kill_by);
		}
		if ((c->kind != INIT || !done(c)) && due(p, c, now, wake))
			return STEP_START;
		blocked = c->kind != APP && !passed(c);
	}
	return STEP_NONE;
}

enum step
pod_next(const struct pod *p, double now, size_t *which, double *wake)
{
	json_int_t deadline = num(get(p->object, "spec", "activeDeadlineSeconds"), 0);

	if (deadline > 0 && (double)(p->started + deadline) > now)
		sooner(wake, (double)(p->started + deadline));
	if (p->job.pid)
		return STEP_NONE; /* one thing at a time; its end asks again */
	if (p->stopping || pod_over(p))
		return next_to_end(p, now, which, wake);
	if (p->sandbox != SANDBOX) {
		if (p->again <= now)
			return STEP_SANDBOX;
		sooner(wake, p->again);
		return STEP_NONE;
	}
	return next_to_run(p, now, which, wake);
}
