#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "node/admit.h"
#include "node/agent_state.h"
#include "node/evict.h"
#include "node/qos.h"
#include "node/resize.h"

enum { CLOCK_SLACK = 10 }; /* seconds that a clock may be pushed about, unnoticed */

double
now_seconds(void)
{
	return clock_boot();
}

void
text_replace(char **s, const char *with)
{
	char *copy = with ? xstrdup(with) : NULL;

	free(*s);
	*s = copy;
}

void
watch(struct agent *a, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	epoll_ctl(a->epoll, EPOLL_CTL_ADD, fd, &e);
}

/* Closing is not enough: a forked child may hold the same open file. */
void
unwatch(struct agent *a, int fd)
{
	epoll_ctl(a->epoll, EPOLL_CTL_DEL, fd, NULL);
}

int
agent_open(struct agent **ret, struct host *host, const struct agent_hooks *hooks, struct err *err)
{
	struct agent *a = xcalloc(1, sizeof *a);
	int r;

	a->host = host;
	a->hooks = *hooks;
	a->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (a->epoll < 0)
		r = err_sys(err, errno, "cannot make an epoll descriptor");
	else if ((r = qos_fence(host, err)) == 0) {
		shutdown_resume(a);
		r = agent_adopt(a, err);
	}
	if (r < 0) {
		agent_close(a);
		return r;
	}
	collect_begin(a);
	*ret = a;
	return 0;
}

void
agent_close(struct agent *a)
{
	if (!a)
		return;
	job_kill(&a->collecting);
	job_kill(&a->health);
	job_kill(&a->relief);
	for (size_t i = 0; i < a->n; i++)
		pod_free(a->pod[i]);
	free(a->pod);
	for (size_t i = 0; i < a->nended; i++)
		free(a->ended[i]);
	free(a->ended);
	if (a->epoll >= 0)
		close(a->epoll);
	free(a);
}

static struct pod *
find(const struct agent *a, const char *uid)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->pod[i]->uid, uid) == 0)
			return a->pod[i];
	return NULL;
}

static size_t
find_ended(const struct agent *a, const char *uid)
{
	size_t i = 0;

	while (i < a->nended && strcmp(a->ended[i], uid) != 0)
		i++;
	return i;
}

/* End a pod within `grace` seconds; never later than said before. */
static void
stop(struct pod *p, double grace)
{
	double by = now_seconds() + grace;

	if (!p->stopping || by < p->stop_by)
		p->stop_by = by;
	if (!p->stopping && !pod_over(p))
		log_line("pod %s: ending it within %.0f s", p->label, grace);
	p->stopping = true;
	p->dirty = true;
}

static double
grace(const json_t *pod)
{
	return (double)num(get(pod, "spec", "terminationGracePeriodSeconds"), 30);
}

/* Finished by its status: either we finished it ourselves, or another (an eviction) decided so. */
static void
heed_phase(struct pod *p, const json_t *pod, bool fresh)
{
	const char *phase = text(pod, "status", "phase");

	if (strcmp(phase, "Failed") != 0 && strcmp(phase, "Succeeded") != 0)
		return;
	if (fresh) {
		p->retired = true;
		p->sandbox = SANDBOX_DOWN;
	} else if (!pod_over(p)) {
		const char *reason = text(pod, "status", "reason");

		p->fail_reason = xstrdup(*reason ? reason : "Terminated");
		p->fail_message = xstrdup(text(pod, "status", "message"));
	}
}

/* What this machine cannot do, or has no room for, is refused before it is begun. */
static void
admit(struct agent *a, struct pod *p)
{
	const char *phase = text(p->object, "status", "phase"), *cannot;
	autofree char *message = NULL, *reason = NULL;

	if (p->sandbox != NO_SANDBOX || meta_deleting(p->object))
		return;
	if (a->shutdown.causes && *phase != 'F' && *phase != 'S') { /* not over already */
		reason = xstrdup(SHUTDOWN_REFUSAL);
		message = xstrdup(SHUTDOWN_REFUSED);
	} else if (*phase && strcmp(phase, "Pending") != 0)
		return;
	else if ((cannot = admit_refuses(a->host, p->object, &message)))
		reason = xstrdup(cannot);
	else if (!(reason = weigh_refuses(a, p, &message)))
		return;
	tell(a, p, "Warning", reason, "%s", message);
	p->fail_reason = steal(reason);
	p->fail_message = xasprintf("Pod was rejected: %s", message);
	p->sandbox = SANDBOX_DOWN;
}

/* While we were not heard of, the node controller said that nothing here is ready. */
static bool
overruled(const struct pod *p)
{
	const json_t *ready = condition_find(p->object, "Ready");

	return strcmp(text(ready, "status"), "False") == 0 &&
	       strcmp(text(ready, "reason"), "NodeNotReady") == 0;
}

/* From here on a status is reported when it differs from what the server has. */
static void
heed_server(struct pod *p)
{
	json_decref(p->status);
	p->status = json_deep_copy(get(p->object, "status"));
	p->dirty = true;
}

/* Not at once: the heartbeat goes first, or it would be said again and again. */
static void
contradict(struct agent *a, struct pod *p, double now)
{
	if (p->contradict_at == 0 || !overruled(p)) {
		p->contradict_at = 0;
	} else if (p->contradict_at <= now) {
		p->contradict_at = 0;
		heed_server(p);
	} else if (p->contradict_at < a->wake) {
		a->wake = p->contradict_at;
	}
}

int
agent_set(struct agent *a, const json_t *pod, struct err *err)
{
	struct pod *p = find(a, meta_uid(pod));
	bool fresh = !p;
	int r;

	if (find_ended(a, meta_uid(pod)) < a->nended)
		return 0;
	if (fresh) {
		if ((r = pod_new(&p, a->host, pod, err)) < 0)
			return r;
		GROW(a->pod, a->n, a->cap);
		a->pod[a->n++] = p;
		pod_recall(p, clock_now());
		admit(a, p);
	} else {
		json_auto_t *images = respec_images(p);

		pod_take(p, pod);
		respec(a, p, images, now_seconds());
		p->anew =
		    p->stopping && !pod_over(p) && !meta_deleting(pod) && (p->anew || !p->wanted);
		if (!p->wanted &&
		    get(pod, "status")) /* adopted: what changed since was told to nobody */
			heed_server(p);
		if (overruled(p) && p->contradict_at == 0)
			p->contradict_at = now_seconds() + 1;
	}
	p->wanted = true;
	heed_phase(p, pod, fresh);
	if (meta_deleting(pod))
		stop(p, (double)num(get(pod, "metadata", "deletionGracePeriodSeconds"), 30));
	a->wake = 0;
	return 0;
}

void
agent_drop(struct agent *a, const char *uid)
{
	struct pod *p = find(a, uid);
	size_t i = find_ended(a, uid);

	if (i < a->nended) {
		free(a->ended[i]);
		a->ended[i] = a->ended[--a->nended];
	}
	if (!p)
		return;
	p->wanted = p->anew = false;
	/* Deleted by force, or with the server: there is nothing left to wait for. */
	stop(p, meta_deleting(p->object) ? 1 : grace(p->object));
	a->wake = 0;
}

void
agent_settle(struct agent *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (!a->pod[i]->wanted)
			agent_drop(a, a->pod[i]->uid);
}

void
agent_stop_all(struct agent *a, double seconds)
{
	for (size_t i = 0; i < a->n; i++) {
		a->pod[i]->leaving = true;
		stop(a->pod[i], seconds < 0 ? grace(a->pod[i]->object) : seconds);
	}
	a->wake = 0;
}

int
agent_fd(const struct agent *a)
{
	return a->epoll;
}

double
agent_wait(const struct agent *a)
{
	double left = a->wake - now_seconds();

	if (isinf(a->wake))
		return -1;
	return left > 0 ? left : 0;
}

/* Whose descriptor is it?  A node has a hundred pods: looking is cheap, and never stale. */
static void
handle(struct agent *a, int fd, double now)
{
	for (size_t i = 0; i < a->n; i++) {
		struct pod *p = a->pod[i];

		if (p->job.pid && p->job.fd == fd) {
			if (job_read(&p->job))
				work_done(a, p, now);
			return;
		}
		for (size_t k = 0; k < p->n; k++) {
			struct container *c = &p->c[k];

			if (c->monitor_fd == fd) {
				work_exit(a, p, c);
				return;
			}
			if (c->hook.pid && c->hook.fd == fd) {
				if (job_read(&c->hook))
					work_hooked(a, p, c);
				return;
			}
			for (int w = 0; w < PROBES; w++)
				if (c->probes[w].job.pid && c->probes[w].job.fd == fd) {
					if (job_read(&c->probes[w].job))
						work_probed(a, p, c, w, now);
					return;
				}
		}
	}
	if (a->health.pid && a->health.fd == fd) {
		if (job_read(&a->health))
			health_done(a, now);
		return;
	}
	if (a->collecting.pid && a->collecting.fd == fd) {
		if (job_read(&a->collecting))
			collect_done(a);
		return;
	}
	if (a->relief.pid && a->relief.fd == fd) {
		if (job_read(&a->relief))
			relief_done(a);
		return;
	}
	unwatch(a, fd);
}

static void
check_deadline(struct agent *a, struct pod *p, double now)
{
	json_int_t seconds = num(get(p->object, "spec", "activeDeadlineSeconds"), 0);

	if (seconds <= 0 || now < p->active_since + (double)seconds || pod_over(p) || p->stopping)
		return;
	text_replace(&p->fail_reason, "DeadlineExceeded");
	text_replace(
	    &p->fail_message, "Pod was active on the node longer than the specified deadline");
	tell(a, p, "Warning", "DeadlineExceeded", "%s", p->fail_message);
	p->dirty = true;
}

/* A pod that is to end does not wait long for what its start is busy with: a pull may take minutes.
 * A container that runs by then, with its postStart hook, is ended as any other. */
static void
cut_short(struct agent *a, struct pod *p, double now)
{
	double by = p->doing_since + 3;

	if (!p->stopping || !p->job.pid || p->doing == STEP_TEARDOWN)
		return;
	if (now < by) {
		a->wake = by < a->wake ? by : a->wake;
		return;
	}
	unwatch(a, p->job.fd);
	job_kill(&p->job); /* taking the pod down removes what it has made */
	if (p->doing == STEP_START)
		work_found(a, p, &p->c[p->doing_container], true);
}

/* A static pod waits for the one of its name before it, as with the kubelet. */
static bool
waits_its_turn(const struct agent *a, const struct pod *p)
{
	const char *source = meta_annotation(p->object, "kubernetes.io/config.source");

	if (p->sandbox != NO_SANDBOX || p->stopping || !source || strcmp(source, "api") == 0)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->pod[i] != p && a->pod[i]->stopping &&
		    strcmp(a->pod[i]->label, p->label) == 0)
			return true;
	return false;
}

/* Nothing is left of it.  One that is wanted again begins from nothing. */
static void
let_go(struct agent *a, struct pod *p)
{
	json_auto_t *again = p->anew ? json_incref(p->object) : NULL;
	struct err err;

	if (pod_forget(p, &err) < 0)
		log_line("cannot forget pod %s: %s", p->label, err.msg);
	log_line("pod %s: gone", p->label);
	if (p->wanted && !again) {
		GROW(a->ended, a->nended, a->ended_cap);
		a->ended[a->nended++] = xstrdup(p->uid);
	}
	if (again) {
		text_replace(&p->uid, ""); /* not to be found for it */
		if (agent_set(a, again, &err) < 0)
			log_line("%s", err.msg);
	}
	a->wake = 0; /* another of its name may have waited */
	pod_free(p);
}

/*
 * The clock was set: nothing here goes by it, but a token that was made by another time may be
 * over, or not be good yet.
 */
static void
heed_clock(struct agent *a, double now)
{
	double wall = (double)clock_now_us() / 1e6 - now, step = wall - a->wall;

	if (a->wall != 0 && fabs(step) > CLOCK_SLACK) {
		log_line(
		    "the clock was set %s by %.0f s", step > 0 ? "forward" : "back", fabs(step));
		for (size_t i = 0; i < a->n; i++)
			renew_tokens(a->pod[i], now);
	}
	if (a->wall == 0 || fabs(step) > CLOCK_SLACK)
		a->wall = wall;
}

/* True when the pod is forgotten (and freed). */
static bool
advance(struct agent *a, struct pod *p, double now)
{
	size_t which = 0;
	enum step step;

	if (waits_its_turn(a, p))
		return false;
	check_deadline(a, p, now);
	if (pod_over(p) && p->stop_by == 0)
		p->stop_by = now + grace(p->object); /* for sidecars, and what a deadline ends */
	image_wait(a, p, now);
	start_wait(a, p, now);
	contradict(a, p, now);
	measure_yields(a, p, now);
	cut_short(a, p, now);
	while ((step = pod_next(p, now, &which, &a->wake)) != STEP_NONE) {
		if (step != STEP_GONE) {
			if (step != STEP_TERM && step != STEP_KILL && !pace_allows(a, now))
				break;
			work_begin(a, p, step, which, now);
			continue;
		}
		pod_report(a, p, now);
		if (p->wanted && !p->anew &&
		    (p->dirty || !a->hooks.gone(a->hooks.arg, p->object))) {
			a->wake = a->wake < now + 1 ? a->wake : now + 1;
			return false;
		}
		let_go(a, p);
		return true;
	}
	renew_due(a, p, now, &a->wake);
	measure_due(a, p, now, &a->wake);
	work_probes(a, p, now, &a->wake);
	resize_settle(a, p, now);
	pod_report(a, p, now);
	return false;
}

void
agent_step(struct agent *a)
{
	struct epoll_event e;
	double now = now_seconds();

	while (epoll_wait(a->epoll, &e, 1, 0) == 1)
		handle(a, e.data.fd, now);
	a->wake = INFINITY;
	heed_clock(a, now);
	evict_due(a, now, &a->wake);
	resize_decide(a, now);
	for (size_t i = 0; i < a->n; i++)
		if (advance(a, a->pod[i], now)) {
			memmove(&a->pod[i], &a->pod[i + 1], (a->n - i - 1) * sizeof *a->pod);
			a->n--;
			i--;
		}
	shutdown_due(a, now);
	weigh_burstable(a);
	collect_step(a, now);
	rotate_due(a, now);
	health_due(a, now);
}

size_t
agent_pods(const struct agent *a)
{
	return a->n;
}

size_t
agent_running(const struct agent *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < a->pod[i]->n; k++)
			n += a->pod[i]->c[k].state == RUNNING;
	return n;
}

bool
agent_idle(const struct agent *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (!pod_over(a->pod[i]) || a->pod[i]->sandbox != SANDBOX_DOWN || a->pod[i]->dirty)
			return false;
	return true;
}
