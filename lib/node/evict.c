#include "node/evict.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "api/quantity.h"
#include "base/mem.h"
#include "node/admit_room.h"
#include "node/agent_state.h"
#include "node/container.h"
#include "node/stored.h"
#include "node/usage.h"

/* --- who ---------------------------------------------------------------------------------- */

const char *
evict_resource(enum signal_of s)
{
	static const char *const names[SIGNALS] = { [MEMORY_AVAILABLE] = "memory",
		[NODEFS_AVAILABLE] = "ephemeral-storage",
		[IMAGEFS_AVAILABLE] = "ephemeral-storage",
		[NODEFS_INODES] = "inodes",
		[IMAGEFS_INODES] = "inodes",
		[PID_AVAILABLE] = "pids" };

	return names[s];
}

/* Nobody can ask for inodes or process ids. */
static bool
pod_requests(const char *resource)
{
	return strcmp(resource, "inodes") != 0 && strcmp(resource, "pids") != 0;
}

static int64_t
asked(enum signal_of s, const struct candidate *c)
{
	const char *resource = evict_resource(s);

	return pod_requests(resource) ? pod_request(c->pod, resource) : 0;
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

	if (s != PID_AVAILABLE && exceeds(s, x) != exceeds(s, y))
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
	return quantity_print_value(
	    value, pod_requests(evict_resource(s)) ? QUANTITY_BINARY : QUANTITY_DECIMAL);
}

char *
evict_message(
    enum signal_of s, const json_t *pod, int64_t threshold, int64_t available, const json_t *used)
{
	const char *resource = evict_resource(s);
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
weigh(const struct agent *a, const struct pod *p, enum signal_of s, const json_t *stored)
{
	autofree char *group = host_cgroup_of(a->host, p->object);
	const json_t *total = get(json_object_get(stored, p->uid), "total");
	struct candidate c = { .pod = p->object };
	struct usage u;

	if (s == MEMORY_AVAILABLE) {
		usage_of_group(&a->host->cgroups, group, &u);
		c.known = u.memory_known;
		c.used = (int64_t)u.working;
	} else if (s == PID_AVAILABLE) {
		c.used = (int64_t)usage_processes(&a->host->cgroups, group);
		c.known = c.used > 0;
	} else {
		c.known = true; /* one that there was no time to count is not to go for it */
		c.used = strcmp(evict_resource(s), "inodes") == 0 ? stored_inodes(total)
								  : stored_bytes(total);
	}
	return c;
}

struct pod *
evict_choose(const struct agent *a, enum signal_of s, const json_t *stored)
{
	struct candidate first = { 0 };
	struct pod *chosen = NULL;

	for (size_t i = 0; i < a->n; i++) {
		struct pod *p = a->pod[i];
		struct candidate c;

		if (!uses_resources(p) || pod_over(p) || p->stopping || evict_spares(p->object))
			continue;
		c = weigh(a, p, s, stored);
		if (chosen && evict_order(s, &first, &c) <= 0)
			continue;
		first = c;
		chosen = p;
	}
	return chosen;
}

static json_t *
memory_of_containers(const struct agent *a, const struct pod *p)
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

static json_t *
storage_of_containers(const struct pod *p, const json_t *stored)
{
	json_t *all = json_object(), *one;
	const char *name;

	json_object_foreach (get(json_object_get(stored, p->uid), "containers"), name, one)
		json_object_set_new(all, name,
		    json_integer(
			stored_bytes(get(one, "rootfs")) + stored_bytes(get(one, "logs"))));
	return all;
}

void
evict_pod(struct agent *a, struct pod *p, enum signal_of s, int urgency, const struct pressure *is,
    const json_t *stored, double now)
{
	const struct reserve *r = &a->host->o.reserve;
	int64_t threshold = threshold_value(&r->at[urgency][s], is->capacity[s]);
	double grace = (double)num(get(p->object, "spec", "terminationGracePeriodSeconds"), 30);
	json_auto_t *used = s == MEMORY_AVAILABLE ? memory_of_containers(a, p)
			    : strcmp(evict_resource(s), "ephemeral-storage") == 0
				? storage_of_containers(p, stored)
				: json_object();
	autofree char *message = evict_message(s, p->object, threshold, is->available[s], used);

	if (grace > r->longest || urgency == HARD)
		grace = urgency == HARD ? 0 : r->longest;
	pod_evict(a, p, message, grace < 1 ? 1 : grace, now);
}
