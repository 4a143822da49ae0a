#include "node/evict.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "api/quantity.h"
#include "base/log.h"
#include "base/mem.h"
#include "node/admit_room.h"
#include "node/agent_state.h"
#include "node/container.h"
#include "node/usage.h"

enum { LOOK_EVERY = 10, GRACE = 1 };

/* --- who ---------------------------------------------------------------------------------- */

static int64_t
asked(enum signal_of s, const struct candidate *c)
{
	return s == MEMORY_AVAILABLE ? pod_request(c->pod, "memory") : 0;
}

/* Of one that nobody knows about, the worst is thought. */
static bool
exceeds(enum signal_of s, const struct candidate *c)
{
	return !c->known || c->used > asked(s, c);
}

int
evict_order(enum signal_of s, const struct candidate *x, const struct candidate *y)
{
	int64_t px = num(get(x->pod, "spec", "priority"), 0);
	int64_t py = num(get(y->pod, "spec", "priority"), 0), a, b;

	if (s == MEMORY_AVAILABLE && exceeds(s, x) != exceeds(s, y))
		return exceeds(s, x) ? -1 : 1;
	if (px != py)
		return px < py ? -1 : 1;
	if (x->known != y->known)
		return x->known ? 1 : -1;
	a = x->used - asked(s, x);
	b = y->used - asked(s, y);
	return (a < b) - (a > b);
}

/* --- what is said ------------------------------------------------------------------------- */

static char *
amount(enum signal_of s, int64_t value)
{
	return quantity_print_value(value, s == PID_AVAILABLE ? QUANTITY_DECIMAL : QUANTITY_BINARY);
}

char *
evict_message(
    enum signal_of s, const json_t *pod, int64_t threshold, int64_t available, const json_t *used)
{
	const char *resource = s == MEMORY_AVAILABLE ? "memory" : "pids";
	autofree char *least = amount(s, threshold), *left = amount(s, available);
	autobuf struct buf b = BUF_INIT;
	json_t *c;
	size_t i;

	buf_printf(
	    &b, EVICT_SHORT "%s. Threshold quantity: %s, available: %s. ", resource, least, left);
	json_array_foreach (get(pod, "spec", "containers"), i, c) {
		const json_t *request = get(c, "resources", "requests", resource);
		const json_t *mine = json_object_get(used, text(c, "name"));
		autofree char *is = amount(s, json_integer_value(mine));

		if (mine && json_integer_value(mine) > quantity_value(request))
			buf_printf(&b,
			    "Container %s was using %s, request is %s, has larger consumption of "
			    "%s. ",
			    text(c, "name"), is, str(request, "0"), resource);
	}
	return xstrdup(b.data);
}

/* --- doing it ----------------------------------------------------------------------------- */

static struct candidate
weigh(const struct agent *a, const struct pod *p, enum signal_of s)
{
	autofree char *group = host_cgroup_of(a->host, p->object);
	struct candidate c = { .pod = p->object };
	struct usage u;

	if (s == MEMORY_AVAILABLE) {
		usage_of_group(&a->host->cgroups, group, &u);
		c.known = u.memory_known;
		c.used = (int64_t)u.working;
	} else {
		c.used = (int64_t)usage_processes(&a->host->cgroups, group);
		c.known = c.used > 0;
	}
	return c;
}

static struct pod *
choose(const struct agent *a, enum signal_of s)
{
	struct candidate first = { 0 };
	struct pod *chosen = NULL;

	for (size_t i = 0; i < a->n; i++) {
		struct pod *p = a->pod[i];
		struct candidate c;

		if (!uses_resources(p) || pod_over(p) || p->stopping || evict_spares(p->object))
			continue;
		c = weigh(a, p, s);
		if (chosen && evict_order(s, &first, &c) <= 0)
			continue;
		first = c;
		chosen = p;
	}
	return chosen;
}

static json_t *
used_by_containers(const struct agent *a, const struct pod *p)
{
	json_t *all = json_object();

	for (size_t i = 0; i < p->n; i++) {
		autofree char *group =
		    container_cgroup(a->host, p->uid, p->c[i].name, p->c[i].attempt);
		struct usage u;

		if (p->c[i].state != RUNNING)
			continue;
		usage_of_group(&a->host->cgroups, group, &u);
		if (u.memory_known)
			json_object_set_new(all, p->c[i].name, json_integer((json_int_t)u.working));
	}
	return all;
}

static void
evict(struct agent *a, struct pod *p, enum signal_of s, const struct pressure *now_is, double now)
{
	int64_t threshold = threshold_value(&a->host->o.reserve.hard[s], now_is->capacity[s]);
	json_auto_t *used = s == MEMORY_AVAILABLE ? used_by_containers(a, p) : NULL;
	autofree char *message = evict_message(s, p->object, threshold, now_is->available[s], used);

	pod_evict(a, p, message, GRACE, now);
}

/* One that was told to go is still there: what it gives back is not to be seen yet. */
static bool
one_is_going(const struct agent *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->pod[i]->fail_reason && strcmp(a->pod[i]->fail_reason, "Evicted") == 0 &&
		    a->pod[i]->sandbox == SANDBOX)
			return true;
	return false;
}

/* The first look is for the Node's conditions alone: what pods use is not known yet. */
void
evict_due(struct agent *a, double now, double *wake)
{
	static const enum signal_of order[] = { MEMORY_AVAILABLE, PID_AVAILABLE };
	bool first = a->look_at == 0, watched = false;
	struct pressure is;
	struct pod *p;

	for (size_t i = 0; i < SIGNALS; i++)
		watched = watched || a->host->o.reserve.hard[i].set;
	if (!watched)
		return;
	if (now >= a->look_at || a->look_at > now + LOOK_EVERY) {
		a->look_at = now + LOOK_EVERY;
		pressure_look(a->host, &is);
		for (size_t i = 0; i < SIGNALS; i++)
			if (is.met[i])
				a->host->pressed[i] = (int64_t)now;
		for (size_t i = 0; i < COUNT(order) && !first && !one_is_going(a); i++)
			if (is.met[order[i]] && (p = choose(a, order[i])))
				evict(a, p, order[i], &is, now);
	}
	if (a->look_at < *wake)
		*wake = a->look_at;
}
