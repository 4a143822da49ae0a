/* Pods: what the watch shows of them, and what becomes of them. */
#include "api/meta.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "simnode/private.h"

static const char STRATEGIC[] = "application/strategic-merge-patch+json";

enum { BACKOFF_MOST = 300, LONGEST_NAMES = 700 };

const char *
pod_uid(const struct pod *p)
{
	return p->text;
}

const char *
pod_ns(const struct pod *p)
{
	return p->text + p->ns;
}

const char *
pod_named(const struct pod *p)
{
	return p->text + p->name;
}

static void
set_state(struct pod *p, enum pod_state state)
{
	metric_add(p->sim->m.pods[p->state], -1);
	metric_add(p->sim->m.pods[state], 1);
	p->state = (unsigned char)state;
}

static double
chance(const struct pod *p, const char *what)
{
	return sim_chance(p->sim, what, pod_ns(p), pod_named(p), p->restarts);
}

/* --- addresses ------------------------------------------------------------------------ */

static void
take_address(struct pod *p, unsigned host)
{
	p->sim->node[p->node].used[host / 64] |= UINT64_C(1) << host % 64;
	p->host = (unsigned char)host;
}

/* .1 is the node's. With more pods than there are addresses, the last have none. */
static void
find_address(struct pod *p)
{
	const uint64_t *used = p->sim->node[p->node].used;

	for (unsigned host = 2; host < 255 && !p->host; host++)
		if (!(used[host / 64] >> host % 64 & 1))
			take_address(p, host);
}

static void
known_address(struct pod *p, const char *ip)
{
	const char *dot = strrchr(ip, '.');
	unsigned long host = dot ? strtoul(dot + 1, NULL, 10) : 0;

	if (!p->host_network && host > 1 && host < 255)
		take_address(p, (unsigned)host);
}

/* --- one pod, from and to memory ------------------------------------------------------- */

static void
add_word(struct buf *b, const char *word)
{
	buf_add(b, word, strlen(word) + 1);
}

static unsigned short
add_containers(struct buf *b, const json_t *list, bool init)
{
	unsigned short n = 0;
	json_t *c;
	size_t i;

	json_array_foreach (list, i, c) {
		buf_putc(b, !init					      ? C_APP
			    : strcmp(text(c, "restartPolicy"), "Always") == 0 ? C_SIDECAR
									      : C_INIT);
		add_word(b, text(c, "name"));
		add_word(b, text(c, "image"));
		n++;
	}
	return n;
}

static struct pod *
new_pod(struct sim *s, unsigned node, const json_t *obj)
{
	const char *policy = text(obj, "spec", "restartPolicy");
	autobuf struct buf b = BUF_INIT;
	unsigned short n, ns, name, at;
	struct pod *p;

	add_word(&b, meta_uid(obj));
	ns = (unsigned short)b.len;
	add_word(&b, meta_namespace(obj));
	name = (unsigned short)b.len;
	add_word(&b, meta_name(obj));
	at = (unsigned short)b.len;
	n = add_containers(&b, get(obj, "spec", "initContainers"), true);
	n = (unsigned short)(n + add_containers(&b, get(obj, "spec", "containers"), false));
	p = xcalloc(1, sizeof *p + b.len);
	*p = (struct pod){ .sim = s, .node = node, .ns = ns, .name = name, .containers_at = at };
	memcpy(p->text, b.data, b.len);
	p->containers = n;
	p->on_failure = strcmp(policy, "OnFailure") == 0;
	p->always = !p->on_failure && strcmp(policy, "Never") != 0;
	p->host_network = truth(get(obj, "spec", "hostNetwork"));
	metric_add(s->m.pods[POD_NEW], 1);
	return p;
}

static void
drop(struct pod *p)
{
	struct sim *s = p->sim;

	heap_remove(&s->pods_due, &p->timer);
	if (p->host)
		s->node[p->node].used[p->host / 64] &= ~(UINT64_C(1) << p->host % 64);
	metric_add(s->m.pods[p->state], -1);
	if (map_get(&s->pods, pod_uid(p), strlen(pod_uid(p))) == p)
		map_take(&s->pods, pod_uid(p), strlen(pod_uid(p)));
	free(p);
}

static void
vanish(struct pod *p)
{
	if (!p->busy) {
		drop(p);
		return;
	}
	p->gone = true; /* its answer drops it */
	map_take(&p->sim->pods, pod_uid(p), strlen(pod_uid(p)));
}

/* --- what comes next ---------------------------------------------------------------------- */

static void
due(struct pod *p, double when)
{
	heap_set(&p->sim->pods_due, &p->timer, when);
}

/* It runs since p->started: until when? */
static void
due_to_end(struct pod *p, double now)
{
	double run = sim_between(&p->sim->o.run, chance(p, "run"));

	if (!p->always)
		due(p, now + run - (double)(clock_now() - p->started));
}

static double
backoff(const struct pod *p)
{
	double wait = ldexp(p->sim->o.backoff, p->restarts < 10 ? p->restarts : 10);

	return wait < BACKOFF_MOST ? wait : BACKOFF_MOST;
}

/* It is being deleted: not again once that is under way. */
static void
stop(struct pod *p, double now)
{
	double wait = sim_between(&p->sim->o.stop, chance(p, "stop"));

	if (p->busy || p->state >= POD_STOPPING)
		return;
	if (p->state == POD_OVER) {
		set_state(p, POD_STOPPED);
		due(p, now);
		return;
	}
	if (p->state != POD_RUNNING) {
		p->end = p->ran ? END_FAILED : END_UNKNOWN;
		wait = 0;
	} else {
		p->end = p->always ? END_DONE : END_STOPPED;
	}
	set_state(p, POD_STOPPING);
	due(p, now + (wait < p->grace ? wait : p->grace));
}

/* The server has taken what was said, in state p->state. */
static void
moved_on(struct pod *p, double now)
{
	switch ((enum pod_state)p->state) {
	case POD_NEW:
		p->begun = true;
		set_state(p, POD_CREATING);
		due(p, now + sim_between(&p->sim->o.start, chance(p, "start")));
		break;
	case POD_CREATING:
		p->begun = p->ran = true;
		set_state(p, POD_RUNNING);
		due_to_end(p, now);
		break;
	case POD_RUNNING:
		if (p->end != END_FAILED || !p->on_failure) {
			set_state(p, POD_OVER);
			break;
		}
		set_state(p, POD_BACKOFF);
		p->last_started = p->started;
		p->last_ended = clock_now();
		due(p, now + backoff(p));
		break;
	case POD_STOPPING:
		set_state(p, POD_STOPPED);
		due(p, now);
		break;
	default:
		set_state(p, POD_LEFT);
	}
}

static void
refused(struct pod *p, const struct sent *a)
{
	struct err err;

	client_refusal(a->status, a->reply, a->len, &err);
	log_line("pod %s/%s: %s", pod_ns(p), pod_named(p), err.msg);
	metric_add(p->sim->m.errors, 1);
	set_state(p, p->state < POD_STOPPING ? POD_OVER : POD_LEFT); /* once more is no use */
}

static void
answered(void *arg, const struct sent *a)
{
	struct pod *p = arg;
	double now = clock_monotonic();
	bool fine = sim_answered(p->sim, p->state == POD_STOPPED ? REQ_DELETE : REQ_POD, a);

	p->busy = false;
	if (p->gone) {
		drop(p);
		return;
	}
	if (!fine)
		due(p, now);
	else if (a->status < 300)
		moved_on(p, now);
	else if (a->status == 404)
		set_state(p, POD_LEFT); /* the watch will tell */
	else if (a->status == 409)	/* too many others write it, or it is another by now */
		due(p, now + 1);
	else
		refused(p, a);
	if (p->deleting)
		stop(p, now);
}

/* --- what is said ------------------------------------------------------------------------ */

static void
say(struct pod *p, char *body)
{
	char path[1024];

	snprintf(
	    path, sizeof path, "/api/v1/namespaces/%s/pods/%s/status", pod_ns(p), pod_named(p));
	sender_send(p->sim->sender, "PATCH", path, STRATEGIC, body, answered, p);
}

static void
ask_to_delete(struct pod *p)
{
	char path[1024];

	snprintf(path, sizeof path, "/api/v1/namespaces/%s/pods/%s", pod_ns(p), pod_named(p));
	sender_send(p->sim->sender, "DELETE", path, "application/json",
	    xasprintf("{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"gracePeriodSeconds\":0,"
		      "\"preconditions\":{\"uid\":\"%s\"}}",
		pod_uid(p)),
	    answered, p);
}

static void
run(struct pod *p, int64_t now)
{
	char *body;

	if (!p->host && !p->host_network)
		find_address(p);
	body = status_running(p, now);
	p->started = now;
	say(p, body);
}

void
pod_act(struct pod *p, double now)
{
	const struct node *n = &p->sim->node[p->node];
	int64_t when = clock_now();

	if (n->silent) { /* and does nothing */
		due(p, n->timer.due + 0.05);
		return;
	}
	p->busy = true;
	switch ((enum pod_state)p->state) {
	case POD_NEW:
		if (p->sim->o.start.max > 0) {
			say(p, status_creating(p, when));
			break;
		}
		set_state(p, POD_CREATING);
		run(p, when);
		break;
	case POD_BACKOFF:
		p->restarts++;
		set_state(p, POD_CREATING);
		/* fall through */
	case POD_CREATING:
		run(p, when);
		break;
	case POD_RUNNING:
		p->end = chance(p, "failure") < p->sim->o.failure ? END_FAILED : END_DONE;
		say(p, p->end == END_FAILED && p->on_failure ? status_backoff(p, when, backoff(p))
							     : status_ended(p, when));
		break;
	case POD_STOPPING:
		say(p, status_ended(p, when));
		break;
	case POD_STOPPED:
		ask_to_delete(p);
		break;
	default:
		p->busy = false;
	}
	(void)now;
}

/* --- what is seen -------------------------------------------------------------------------- */

static bool
is_over(const json_t *obj)
{
	const char *phase = text(obj, "status", "phase");

	return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

/* A pod that we see first: where was it, when somebody was here before us? */
static void
resume(struct pod *p, const json_t *obj, double now)
{
	const json_t *c = json_array_get(get(obj, "status", "containerStatuses"), 0);
	bool running = strcmp(text(obj, "status", "phase"), "Running") == 0;

	p->begun = get(obj, "status", "startTime") != NULL;
	p->ran = running;
	time_parse(text(c, "lastState", "terminated", "startedAt"), &p->last_started);
	time_parse(text(c, "lastState", "terminated", "finishedAt"), &p->last_ended);
	p->restarts = (unsigned short)num(get(c, "restartCount"), 0);
	known_address(p, text(obj, "status", "podIP"));
	if (is_over(obj)) {
		set_state(p, POD_OVER);
	} else if (running && time_parse(text(c, "state", "running", "startedAt"), &p->started)) {
		set_state(p, POD_RUNNING);
		due_to_end(p, now);
	} else if (running) {
		set_state(p, POD_BACKOFF);
		due(p, now + backoff(p) - (double)(clock_now() - p->last_ended));
	} else if (p->begun) {
		set_state(p, POD_CREATING);
		due(p, now + sim_between(&p->sim->o.start, chance(p, "start")));
	} else {
		due(p, now);
	}
}

void
pod_seen(struct sim *s, const json_t *obj, double now)
{
	const char *name = text(obj, "spec", "nodeName"), *uid = meta_uid(obj);
	int node = sim_node_index(s, name, strlen(name));
	struct map_slot *slot;
	struct pod *p;

	if (node < 0 || !*uid ||
	    strlen(uid) + strlen(meta_name(obj)) + strlen(meta_namespace(obj)) > LONGEST_NAMES)
		return;
	slot = map_at(&s->pods, uid, strlen(uid));
	if (!slot->value) {
		slot->value = p = new_pod(s, (unsigned)node, obj);
		resume(p, obj, now);
	}
	p = slot->value;
	p->pass = s->pass;
	if (!p->busy && p->state < POD_OVER && is_over(obj)) { /* somebody else said so: evicted */
		heap_remove(&s->pods_due, &p->timer);
		set_state(p, POD_OVER);
	}
	if (meta_deleting(obj)) {
		p->deleting = true;
		p->grace = (int)num(get(obj, "metadata", "deletionGracePeriodSeconds"), 30);
		stop(p, now);
	}
}

void
pod_vanished(struct sim *s, const char *uid)
{
	struct pod *p = map_get(&s->pods, uid, strlen(uid));

	if (p)
		vanish(p);
}

void
pods_sweep(struct sim *s)
{
	struct pod **gone = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < s->pods.cap; i++) {
		struct pod *p = s->pods.slot[i].value;

		if (!s->pods.slot[i].key || p->pass == s->pass)
			continue;
		GROW(gone, n, cap);
		gone[n++] = p;
	}
	for (size_t i = 0; i < n; i++)
		vanish(gone[i]);
	free(gone);
}
