/* Who may send a request, and when. */
#include "simnode/sim.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "simnode/private.h"

enum { LONGEST_HOLD = 5, IDLE = 60 };

/* --- chance ------------------------------------------------------------------------------ */

double
sim_chance(const struct sim *s, const char *what, const char *ns, const char *name, unsigned long n)
{
	uint64_t h = text_hash(&s->o.seed, sizeof s->o.seed, TEXT_HASH_SEED);

	h = text_hash(what, strlen(what) + 1, h);
	h = text_hash(ns, strlen(ns) + 1, h);
	h = text_hash(name, strlen(name) + 1, h);
	h = text_hash(&n, sizeof n, h);
	/* FNV leaves the high bits alike for like keys: mix them (the end of MurmurHash3) */
	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	h ^= h >> 33;
	return (double)(h >> 11) / (double)(UINT64_C(1) << 53);
}

double
sim_between(const struct range *r, double chance)
{
	return r->min + (r->max - r->min) * chance;
}

/* --- the beginning and the end ------------------------------------------------------------- */

static void
open_metrics(struct sim_metrics *m)
{
	static const char *const requests[] = { "request=\"node\"", "request=\"node-status\"",
		"request=\"lease\"", "request=\"pod-status\"", "request=\"delete\"" };
	static const char *const states[] = { "state=\"new\"", "state=\"creating\"",
		"state=\"running\"", "state=\"backoff\"", "state=\"over\"", "state=\"stopping\"",
		"state=\"stopped\"", "state=\"left\"" };

	for (int i = 0; i < REQS; i++) {
		m->requests[i] = metric_new("orch_simnode_requests_total", "counter",
		    "Requests that were answered.", requests[i]);
		m->seconds[i] = metric_new("orch_simnode_request_seconds_total", "counter",
		    "How long their answers took.", requests[i]);
	}
	for (int i = 0; i < POD_STATES; i++)
		m->pods[i] = metric_new(
		    "orch_simnode_pods", "gauge", "Pods that are bound here.", states[i]);
	m->nodes = metric_new("orch_simnode_nodes", "gauge", "Nodes that the server has.", NULL);
	m->silent =
	    metric_new("orch_simnode_silent_nodes", "gauge", "Nodes without heartbeats.", NULL);
	m->late = metric_new("orch_simnode_heartbeat_lateness_seconds_total", "counter",
	    "How long after their time heartbeats were taken.", NULL);
	m->latest = metric_new(
	    "orch_simnode_heartbeat_lateness_max_seconds", "gauge", "The longest of these.", NULL);
	m->errors = metric_new(
	    "orch_simnode_errors_total", "counter", "Requests that failed or were refused.", NULL);
	m->events =
	    metric_new("orch_simnode_events_total", "counter", "Watch events looked at.", NULL);
	m->watches =
	    metric_new("orch_simnode_watches_total", "counter", "Times a watch was begun.", NULL);
}

int
sim_open(struct sim **ret, struct client *c, const struct sim_options *o, struct err *err)
{
	struct sim *s = xcalloc(1, sizeof *s);
	int r = sender_open(&s->sender, c, o->connections, err);
	double now = clock_monotonic();

	if (r < 0) {
		free(s);
		return r;
	}
	s->o = *o;
	s->client = c;
	s->began = s->filled = now;
	s->node = xcalloc(o->nodes, sizeof *s->node);
	open_metrics(&s->m);
	for (unsigned i = 0; i < o->nodes; i++) {
		s->node[i] = (struct node){ .sim = s, .index = i };
		/* a moment apart: the first come first */
		heap_set(&s->nodes_due, &s->node[i].timer, now + i * 1e-6);
	}
	*ret = s;
	return 0;
}

void
sim_close(struct sim *s)
{
	if (!s)
		return;
	sender_close(s->sender);
	for (unsigned i = 0; i < s->o.nodes; i++)
		free(s->node[i].uid);
	map_release(&s->pods, free);
	free(s->nodes_due.item);
	free(s->pods_due.item);
	buf_release(&s->line);
	free(s->version);
	free(s->node);
	free(s);
}

/* --- answers -------------------------------------------------------------------------------- */

/* Not carried out, and not for a reason that lies in the request. */
static bool
not_now(const struct sent *a)
{
	return a->r < 0 || a->status == 429 || a->status >= 500;
}

bool
sim_answered(struct sim *s, enum sim_request what, const struct sent *a)
{
	double now = clock_monotonic(), pause = 0.25;
	struct err err;

	if (!not_now(a)) {
		metric_add(s->m.requests[what], 1);
		metric_add(s->m.seconds[what], (int64_t)(a->seconds * 1e6));
		if (s->failures > 1)
			log_line("the server answers again");
		s->failures = 0;
		s->hold = 0;
		return true;
	}
	metric_add(s->m.errors, 1);
	if (a->r < 0)
		err = a->err;
	else
		client_refusal(a->status, a->reply, a->len, &err);
	for (unsigned i = 0; i < s->failures && pause < LONGEST_HOLD; i++)
		pause *= 2;
	if (pause > LONGEST_HOLD)
		pause = LONGEST_HOLD;
	if (a->retry_after > 0 && a->retry_after < IDLE)
		pause = (double)a->retry_after;
	if (s->hold > now)
		return false; /* others that were under way fail for the same reason */
	s->hold = now + pause;
	if (++s->failures == 2)
		log_line("waiting for %s: %s", client_server(s->client), err.msg);
	return false;
}

/* --- turns ------------------------------------------------------------------------------------ */

static void
fill_bucket(struct sim *s, double now)
{
	double most = s->o.qps / 20 > 1 ? s->o.qps / 20 : 1;

	s->tokens += (now - s->filled) * s->o.qps;
	s->filled = now;
	if (s->tokens > most)
		s->tokens = most;
}

/* Heartbeats first; but when there are always some, one in four is a pod's. */
static bool
act(struct sim *s, double now)
{
	struct timer *n = heap_first(&s->nodes_due);
	struct timer *p = s->removing ? NULL : heap_first(&s->pods_due);

	if (n && n->due > now)
		n = NULL;
	if (p && p->due > now)
		p = NULL;
	if (n && p && s->turn++ % 4 == 3)
		n = NULL;
	if (n) {
		heap_remove(&s->nodes_due, n);
		node_act((struct node *)(void *)n, now);
	} else if (p) {
		heap_remove(&s->pods_due, p);
		pod_act((struct pod *)(void *)p, now);
	}
	return n || p;
}

/* After failures one request alone finds out whether the server is back. */
static bool
may_send(const struct sim *s, double now)
{
	return now >= s->hold && s->tokens >= 1 && !sender_full(s->sender) &&
	       (s->failures == 0 || sender_busy(s->sender) == 0);
}

static void
sooner(double *wait, double seconds)
{
	if (seconds < *wait)
		*wait = seconds;
}

/* Seconds until there is something to do that nobody tells of. */
static double
until_next(const struct sim *s, double now)
{
	const struct timer *n = heap_first(&s->nodes_due), *p = heap_first(&s->pods_due);
	double wait = IDLE, go = IDLE;

	if (!s->watching && !s->removing)
		sooner(&wait, s->watch_due - now);
	if (sender_full(s->sender) || (s->failures > 0 && sender_busy(s->sender) > 0))
		return wait; /* an answer comes first */
	if (n)
		sooner(&go, n->due - now);
	if (p && !s->removing)
		sooner(&go, p->due - now);
	if (go < s->hold - now)
		go = s->hold - now;
	if (s->tokens < 1 && go < (1 - s->tokens) / s->o.qps)
		go = (1 - s->tokens) / s->o.qps;
	sooner(&wait, go);
	return wait > 0 ? wait : 0;
}

static void
turn(struct sim *s, int fd)
{
	double now = clock_monotonic();

	fill_bucket(s, now);
	while (may_send(s, now) && act(s, now))
		s->tokens--;
	sender_wait(s->sender, until_next(s, now), fd);
}

int
sim_step(struct sim *s, int fd, struct err *err)
{
	if (!s->watching && clock_monotonic() >= s->watch_due)
		watch_start(s);
	turn(s, fd);
	if (s->fatal.code == ERR_OK)
		return 0;
	*err = s->fatal;
	return -err->code;
}

int
sim_remove(struct sim *s, int fd)
{
	if (!s->removing) {
		s->removing = true;
		for (unsigned i = 0; i < s->o.nodes; i++)
			if (s->node[i].timer.at) { /* the others when their answers come */
				s->node[i].step = NODE_DELETE;
				heap_set(&s->nodes_due, &s->node[i].timer, clock_monotonic());
			}
	}
	if (s->removed < s->o.nodes)
		turn(s, fd);
	return s->removed == s->o.nodes;
}
