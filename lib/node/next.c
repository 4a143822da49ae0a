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
#include "node/resize.h"

enum { LEAST_GRACE = 2 }; /* seconds between TERM and KILL, whatever took long before */

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
		    !container_would_restart(p, &p->c[i], p->c[i].code))
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

		if (c->kind == APP &&
		    (c->state != EXITED || container_would_restart(p, c, c->code)))
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

/* Sidecars serve the others to the last, and each those before it: they are asked in the reverse
 * order of their start, "after all the app containers", none before the one behind it has gone. */
static bool
its_turn(const struct pod *p, const struct container *c)
{
	if (c->kind != SIDECAR)
		return true;
	for (const struct container *o = p->c; o < p->c + p->n; o++)
		if (o->state == RUNNING &&
		    (o->kind == APP || o->kind == INIT || (o->kind == SIDECAR && o > c)))
			return false;
	return true;
}

/* When it is killed: who was asked late, for a preStop hook or for others, has a moment even so. */
static double
last_moment(const struct pod *p, const struct container *c)
{
	bool late = c->kind == SIDECAR || get(c->spec, "lifecycle", "preStop");

	return late && c->asked_at + LEAST_GRACE > p->stop_by ? c->asked_at + LEAST_GRACE
							      : p->stop_by;
}

/* What one that runs needs so that it ends. */
static enum step
next_to_stop(const struct pod *p, const struct container *c, double now, double *wake)
{
	double by = last_moment(p, c);

	if (now < p->stop_by && !its_turn(p, c)) {
		sooner(wake, p->stop_by);
		return STEP_NONE;
	}
	if (!c->term_sent || (c->hook.pid && now >= p->stop_by))
		return c->kind != SIDECAR && !c->hook.pid && now >= p->stop_by ? STEP_KILL
									       : STEP_TERM;
	if (now < by)
		sooner(wake, by);
	else if (!c->kill_sent)
		return STEP_KILL;
	return STEP_NONE;
}

/* End what runs. */
static enum step
next_to_end(const struct pod *p, double now, size_t *which, double *wake)
{
	bool running = false;

	for (size_t i = 0; i < p->n; i++) {
		enum step step;

		if (p->c[i].state != RUNNING)
			continue;
		running = true;
		*which = i;
		if ((step = next_to_stop(p, &p->c[i], now, wake)) != STEP_NONE)
			return step;
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
	return !p->wanted || p->leaving || p->anew || meta_deleting(p->object) ? STEP_GONE
									       : STEP_NONE;
}

/* Is it time to start this one, which should run and does not? */
static bool
due(const struct pod *p, const struct container *c, double now, double *wake)
{
	double at = container_due(c);

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
	enum step step = resize_next(p, now, which, wake);

	if (step != STEP_NONE)
		return step;
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

	if (deadline > 0 && p->active_since + (double)deadline > now)
		sooner(wake, p->active_since + (double)deadline);
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
