/* Carrying out the steps of a pod: starting the processes that do them, and taking in how they
 * ended. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "node/agent_state.h"
#include "node/container.h"
#include "node/names.h"
#include "node/pidspace.h"
#include "node/qos.h"
#include "node/resize.h"
#include "node/sandbox.h"
#include "node/volume.h"

enum { SANDBOX_RETRY = 20, BACKOFF_MAX = 300, IMAGE_RETRY = 10, CONFIG_RETRY = 5, CONFIG_MAX = 60 };

/* --- what the forked processes do --------------------------------------------------- */

struct input {
	const struct host *host;
	const struct pod *pod;
	const json_t *sources;
};

static int
do_sandbox(void *arg, json_t **result, struct err *err)
{
	const struct input *in = arg;
	autofree char *ip = NULL;
	bool mounting = false;
	int r;

	r = sandbox_up(in->host, in->pod->object, in->sources, &ip, &mounting, err);
	if (r < 0 && !mounting)
		return r;
	if (r == 0)
		*result = json_pack("{s:s}", "ip", ip);
	else
		*result = json_pack("{s:o}", "unmounted", json_string(err->msg));
	return 0;
}

static int
do_teardown(void *arg, json_t **result, struct err *err)
{
	const struct input *in = arg;
	int r;

	(void)result;
	for (size_t i = 0; i < in->pod->n; i++) {
		const struct container *c = &in->pod->c[i];

		/* the one before it too: its start may have been cut off before it removed that */
		for (unsigned back = c->begun ? 0 : 1; back <= 1 && back <= c->attempt; back++)
			if ((r = container_remove(
				 in->host, in->pod->uid, c->name, c->attempt - back, err)) < 0)
				return r;
	}
	return sandbox_down(in->host, in->pod->uid, err);
}

/* --- beginning ------------------------------------------------------------------------ */

/* The record of an attempt, before it is made: after a crash we know what may be there.  Without a
 * record nothing is begun. */
static int
note_attempt(struct agent *a, struct pod *p, struct container *c, double now, struct err *err)
{
	if (c->state == EXITED) {
		if (!c->renewing)
			c->backoff = container_next_backoff(c, p->host->o.backoff);
		json_decref(c->last);
		c->last = terminated_state(p, c);
		c->attempt++;
		c->restarts++;
		c->oom = false;
		text_replace(&c->reason, NULL);
		text_replace(&c->message, NULL);
	}
	c->state = WAITING;
	c->begun = true;
	c->begun_at = now;
	resize_born(p, c);
	c->term_sent = c->kill_sent = c->backed_off = false;
	c->kill_by = c->asked_at = 0;
	return pod_record(a, p, now, err);
}

/* The process of the container whose PID namespace an ephemeral one is to see; -1: it does not run.
 */
static pid_t
target(const struct pod *p, const struct container *c)
{
	const char *name = text(c->spec, "targetContainerName");

	for (size_t i = 0; i < p->n && *name; i++)
		if (strcmp(p->c[i].name, name) == 0)
			return p->c[i].state == RUNNING && p->c[i].init.pid ? p->c[i].init.pid : -1;
	return *name ? -1 : 0;
}

static int
begin_start(struct agent *a, struct pod *p, struct container *c, double now, struct err *err)
{
	json_auto_t *sources = work_sources(a, p, false);
	struct start s = { a->host, p->object, c->spec, sources, p->ip, 0, 0, target(p, c) };
	int r = work_fetch_services(a, p, sources, err);

	if (r < 0 || (r = note_attempt(a, p, c, now, err)) < 0)
		return r;
	tell_pulling(a, p, c);
	s.attempt = c->attempt;
	s.restarts = c->restarts;
	return job_start(&p->job, container_start, &s, err);
}

static int
begin_sandbox(struct agent *a, struct pod *p, struct err *err)
{
	json_auto_t *sources = work_sources(a, p, true);
	struct input in = { a->host, p, sources };
	int r;

	p->resize.group = qos_limits(p->object);
	if ((r = pod_record(a, p, now_seconds(), err)) < 0)
		return r;
	return job_start(&p->job, do_sandbox, &in, err);
}

static void
send_signal(struct pod *p, struct container *c, int sig)
{
	struct err err;

	if (sig == SIGKILL) {
		autofree char *group = container_cgroup(p->host, p->uid, c->name, c->attempt);

		cgroup_thaw(&p->host->cgroups, group); /* what is frozen does not die */
		c->kill_sent = true;
	} else
		c->asked_at = now_seconds();
	c->term_sent = true;
	if (c->init.pid && proc_signal(&c->init, sig, &err) < 0)
		log_line("pod %s: container '%s': %s", p->label, c->name, err.msg);
}

static int
do_hook(void *arg, json_t **result, struct err *err)
{
	(void)result;
	return handler_run(arg, err);
}

void
work_ask(struct agent *a, struct pod *p, struct container *c)
{
	const json_t *hook = get(c->spec, "lifecycle", "preStop");
	autofree char *bundle =
	    host_path(a->host, "pods/%s/containers/%s-%u", p->uid, c->name, c->attempt);
	char id[40];
	struct probing in = { a->host, hook, c->spec, p->ip ? p->ip : "",
		container_id(p->uid, c->name, c->attempt, id), bundle };
	struct err err;

	if (hook && job_start(&c->hook, do_hook, &in, &err) == 0) {
		c->term_sent = true;
		watch(a, c->hook.fd);
		return;
	}
	send_signal(p, c, c->stop_signal ? c->stop_signal : SIGTERM);
}

static void
stop(struct agent *a, struct pod *p, struct container *c)
{
	tell_of(a, p, c, "Normal", "Killing", "Stopping container %s", c->name);
	work_ask(a, p, c);
}

static void
cut_hook(struct agent *a, struct pod *p, struct container *c)
{
	unwatch(a, c->hook.fd);
	job_kill(&c->hook);
	tell_of(a, p, c, "Warning", "FailedPreStopHook",
	    "PreStopHook failed: not done within the grace period");
	send_signal(p, c, c->stop_signal ? c->stop_signal : SIGTERM);
}

void
work_hooked(struct agent *a, struct pod *p, struct container *c)
{
	struct err err;

	unwatch(a, c->hook.fd);
	if (job_end(&c->hook, NULL, &err) < 0)
		tell_of(a, p, c, "Warning", "FailedPreStopHook", "PreStopHook failed: %s", err.msg);
	if (c->state == RUNNING)
		send_signal(p, c, c->stop_signal ? c->stop_signal : SIGTERM);
}

static void not_recorded(
    struct agent *a, struct pod *p, enum step step, const struct err *why, double now);

void
work_begin(struct agent *a, struct pod *p, enum step step, size_t which, double now)
{
	struct input in = { a->host, p, NULL };
	struct err err;
	int r = 0;

	if (step == STEP_TERM || step == STEP_KILL) {
		struct container *c = &p->c[which];

		if (step == STEP_KILL)
			send_signal(p, c, SIGKILL);
		else if (c->hook.pid) /* the time for its hook is over */
			cut_hook(a, p, c);
		else
			stop(a, p, c);
		return;
	}
	if (step == STEP_AGAIN) {
		resize_again(a, p, &p->c[which], now);
		return;
	}
	p->doing = (int)step;
	p->doing_container = which;
	p->doing_since = now;
	if (step == STEP_SANDBOX)
		r = begin_sandbox(a, p, &err);
	else if (step == STEP_START)
		r = begin_start(a, p, &p->c[which], now, &err);
	else if (step == STEP_RESIZE)
		r = resize_begin(p, now, &err);
	else if (step == STEP_TEARDOWN)
		r = job_start(&p->job, do_teardown, &in, &err);
	if (r < 0) { /* no process to be had, or a full disk: everything waits a little */
		double pause = err.code == ERR_UNAVAILABLE ? 0.2 : 2;

		if (p->unsaved > 0 && (step == STEP_SANDBOX || step == STEP_START)) {
			not_recorded(a, p, step, &err, now);
			return;
		}
		log_line("pod %s: %s", p->label, err.msg);
		p->again = now + pause;
		if (step == STEP_START)
			p->c[which].again = now + pause;
		return;
	}
	watch(a, p->job.fd);
}

/* --- ending --------------------------------------------------------------------------- */

void
work_watch(struct agent *a, struct container *c)
{
	c->monitor_fd = (int)syscall(SYS_pidfd_open, c->monitor.pid, 0);
	if (c->monitor_fd >= 0)
		watch(a, c->monitor_fd);
}

/* Processes that outlive the first one of a container: the end of its own PID namespace ends them
 * all, in another's they would run on. */
static void
end_orphans(const struct pod *p, const struct container *c)
{
	autofree char *group = container_cgroup(p->host, p->uid, c->name, c->attempt);

	if (pod_shares_processes(p->object) || truth(get(p->object, "spec", "hostPID")) ||
	    *text(c->spec, "targetContainerName"))
		cgroup_kill(&p->host->cgroups, group);
}

void
work_exit(struct agent *a, struct pod *p, struct container *c)
{
	char id[40];
	struct err ignored;
	double when = (double)clock_now_us() / 1e6;
	int code = 137;
	bool known =
	    container_exit(a->host, container_id(p->uid, c->name, c->attempt, id), &code, &when);

	if (c->monitor_fd >= 0) {
		unwatch(a, c->monitor_fd);
		close(c->monitor_fd);
		c->monitor_fd = -1;
	}
	if (c->state != RUNNING)
		return;
	if (!known &&
	    c->init.pid) /* somebody killed conmon: nobody would see the container's end */
		proc_signal(&c->init, SIGKILL, &ignored);
	container_ended(p, c, code, when);
	end_orphans(p, c);
	if (!known) {
		text_replace(&c->reason, "ContainerStatusUnknown");
		text_replace(&c->message, "its monitor ended without leaving an exit status");
	}
	if (c->hook.pid) {
		unwatch(a, c->hook.fd);
		job_kill(&c->hook);
	}
	for (int i = 0; i < PROBES; i++) {
		if (c->probes[i].job.pid)
			unwatch(a, c->probes[i].job.fd);
		probe_reset(&c->probes[i], NULL, 0);
	}
	log_line(
	    "pod %s: container '%s' ended: %s, exit code %d", p->label, c->name, c->reason, code);
	if (container_restarts(p, c) && container_due(c) > c->ended_at)
		tell_backoff(a, p, c);
}

/* As the kubelet does: such a container is ended, preStop hook and all. */
static void
post_start_failed(struct agent *a, struct pod *p, struct container *c, const char *why, double now)
{
	tell_of(a, p, c, "Warning", "FailedPostStartHook", "PostStartHook failed: %s", why);
	tell_of(a, p, c, "Normal", "Killing", "FailedPostStartHook");
	work_ask(a, p, c);
	c->kill_by = now + (double)num(get(p->object, "spec", "terminationGracePeriodSeconds"), 30);
}

void
work_started(struct agent *a, struct pod *p, struct container *c, const json_t *result, double now)
{
	c->state = RUNNING;
	c->renewing = false;
	c->started = (int64_t)json_number_value(get(result, "startedAt"));
	c->finished = 0;
	c->retry = 0;
	text_replace(&c->reason, NULL);
	text_replace(&c->message, NULL);
	text_replace(&c->image, text(result, "image"));
	text_replace(&c->image_id, text(result, "imageID"));
	json_decref(c->user);
	c->user = json_incref(get(result, "user"));
	c->init = (struct proc){ (pid_t)num(get(result, "pid"), 0),
		(uint64_t)num(get(result, "start"), 0) };
	c->monitor = (struct proc){ (pid_t)num(get(result, "monitor"), 0),
		(uint64_t)num(get(result, "monitor_start"), 0) };
	c->stop_signal = (int)num(get(result, "stopSignal"), SIGTERM);
	for (int i = 0; i < PROBES; i++)
		probe_reset(&c->probes[i], get(c->spec, probe_fields[i]), now);
	log_line(
	    "pod %s: container '%s' started in %.3f s", p->label, c->name, now - p->doing_since);
	tell_pulled(a, p, c, result);
	tell_of(a, p, c, "Normal", "Created", "Container created");
	tell_of(a, p, c, "Normal", "Started", "Container started");
	if (c->monitor.pid)
		work_watch(a, c);
	if (c->monitor_fd < 0) /* it has ended already */
		work_exit(a, p, c);
	else if (*text(result, "postStart"))
		post_start_failed(a, p, c, text(result, "postStart"), now);
}

static void
not_started(struct agent *a, struct pod *p, struct container *c, const json_t *result, double now)
{
	const char *stage = text(result, "stage"), *reason = text(result, "reason");
	double longest = strcmp(stage, "image") == 0 ? BACKOFF_MAX : CONFIG_MAX;

	c->renewing = false;
	text_replace(&c->message, text(result, "message"));
	tell_pulled(a, p, c, result);
	if (strcmp(stage, "start") == 0)
		tell_of(a, p, c, "Normal", "Created", "Container created");
	if (strcmp(stage, "image") == 0)
		image_missing(a, p, c, reason);
	else
		tell_of(a, p, c, "Warning", "Failed", "Error: %s", c->message);
	if (strcmp(stage, "sandbox") == 0) { /* and nothing can be started in it any more */
		p->sandbox = NO_SANDBOX;
		pod_rewind(p);
	}
	if (*text(result, "image"))
		text_replace(&c->image, text(result, "image"));
	if (strcmp(stage, "start") == 0) { /* a run that ended before it began */
		c->started = 0;
		c->finished = clock_now();
		c->ended_at = now;
		c->state = EXITED;
		c->code = 128;
		text_replace(&c->reason, "StartError");
		return;
	}
	text_replace(&c->reason, *reason ? reason : "CreateContainerError");
	if (c->retry == 0)
		c->retry = strcmp(stage, "image") == 0 ? IMAGE_RETRY : CONFIG_RETRY;
	else
		c->retry = c->retry * 2 < longest ? c->retry * 2 : longest;
	c->again = now + c->retry;
	c->begun_at = now; /* from here ErrImagePull turns into ImagePullBackOff */
}

static void
sandbox_done(
    struct agent *a, struct pod *p, int r, const json_t *result, const struct err *err, double now)
{
	const char *unmounted = text(result, "unmounted");

	if (r == 0 && !*unmounted) {
		autofree char *exceeded = names_exceeded(a->host, p->object);

		if (exceeded)
			tell(a, p, "Warning", "DNSConfigForming", "%s", exceeded);
		p->sandbox = SANDBOX;
		p->backoff = 0;
		renew_later(p, now);
		text_replace(&p->ip, text(result, "ip"));
		text_replace(&p->trouble, NULL);
		log_more("pod %s: sandbox made in %.3f s", p->label, now - p->doing_since);
		return;
	}
	p->backoff = p->backoff == 0		      ? 1
		     : p->backoff * 2 < SANDBOX_RETRY ? p->backoff * 2
						      : SANDBOX_RETRY;
	p->again = now + p->backoff;
	text_replace(&p->trouble, r < 0 ? err->msg : unmounted);
	if (r < 0)
		tell(a, p, "Warning", "FailedCreatePodSandBox", "Failed to create pod sandbox: %s",
		    err->msg);
	else
		tell(a, p, "Warning", "FailedMount", "%s", unmounted);
}

/* It was not begun: as if it had failed, which is told and tried again. */
static void
not_recorded(struct agent *a, struct pod *p, enum step step, const struct err *why, double now)
{
	json_auto_t *result = json_pack("{s:s, s:s}", "stage", "config", "message", why->msg);

	p->dirty = true;
	if (step == STEP_SANDBOX)
		sandbox_done(a, p, -(int)why->code, NULL, why, now);
	else
		not_started(a, p, &p->c[p->doing_container], result, now);
}

void
work_done(struct agent *a, struct pod *p, double now)
{
	struct container *c = &p->c[p->doing_container];
	json_auto_t *result = NULL;
	struct err err = { 0 };
	int r;

	unwatch(a, p->job.fd);
	r = job_end(&p->job, &result, &err);
	if (p->doing == STEP_MEASURE) {
		measure_done(a, p, r, result, &err, now);
		return;
	}
	if (p->doing == STEP_RENEW) {
		renew_done(p, r, &err);
		return;
	}
	if (p->doing == STEP_RESIZE) {
		resize_done(a, p, r, result, &err, now);
		return;
	}
	p->dirty = true;
	if (p->doing == STEP_SANDBOX) {
		sandbox_done(a, p, r, result, &err, now);
	} else if (p->doing == STEP_START && r == 0 && !*text(result, "stage")) {
		work_started(a, p, c, result, now);
	} else if (p->doing == STEP_START) {
		if (r < 0)
			result = json_pack("{s:s, s:s}", "stage", "config", "message", err.msg);
		not_started(a, p, c, result, now);
	} else if (p->doing == STEP_TEARDOWN && r == 0) {
		p->sandbox = SANDBOX_DOWN;
		log_more("pod %s: taken down in %.3f s", p->label, now - p->doing_since);
	} else if (p->doing == STEP_TEARDOWN) {
		tell(a, p, "Warning", "FailedKillPod", "error killing pod: %s", err.msg);
		p->backoff = p->backoff == 0		      ? 2
			     : p->backoff * 2 < SANDBOX_RETRY ? p->backoff * 2
							      : SANDBOX_RETRY;
		p->again = now + p->backoff;
	}
}
