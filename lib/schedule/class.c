#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "api/quantity.h"
#include "base/buf.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "schedule/relate.h"

/*
 * Classes: pods of which the scheduler sees no difference.  A thousand replicas are judged
 * once, and a new pod on a node makes one verdict of each class stale.
 */

/* What scores take a container that asks for nothing to use (upstream's NonZeroRequested). */
/* More is as hopeless, and sums must not overflow. */
static const int64_t MOST = INT64_MAX >> 16;
static const int64_t guess_cpu = 100, guess_memory = INT64_C(200) << 20;

static void
key_part(struct buf *b, const json_t *v)
{
	if (v)
		json_add(b, v);
	buf_putc(b, '\n');
}

static void
key_containers(struct buf *b, const json_t *list)
{
	size_t i;
	json_t *c;

	json_array_foreach (list, i, c) {
		key_part(b, get(c, "resources"));
		key_part(b, get(c, "ports"));
		key_part(b, get(c, "image"));
		key_part(b, get(c, "restartPolicy"));
	}
	buf_putc(b, '\n');
}

/* The text that two pods share exactly when they are of one class. */
static void
key_of(struct buf *b, const json_t *pod)
{
	static const char *const parts[] = { "nodeSelector", "affinity", "tolerations", "overhead",
		"resources", "topologySpreadConstraints" };
	const json_t *spec = get(pod, "spec");

	for (size_t i = 0; i < COUNT(parts); i++)
		key_part(b, get(spec, parts[i]));
	key_containers(b, get(spec, "containers"));
	key_containers(b, get(spec, "initContainers"));
	if (get(spec, "topologySpreadConstraints") || get(spec, "affinity", "podAffinity") ||
	    get(spec, "affinity", "podAntiAffinity")) {
		buf_puts(b, meta_namespace(pod));
		key_part(b, meta_labels(pod));
	}
	buf_puts(b, text(meta_controller(pod), "uid"));
}

/* --- requests ------------------------------------------------------------- */

static void
ask(struct scheduler *s, struct class *c, const char *name)
{
	unsigned number = resource_number(s, name);
	int64_t amount = number == PODS ? 1 : pod_request(c->pod, name);

	if (amount <= 0 || class_asks(c, number))
		return;
	if (amount > MOST)
		amount = MOST;
	c->request = xreallocarray(c->request, c->nrequests + 1, sizeof *c->request);
	c->request[c->nrequests++] = (struct request){ number, amount };
}

static void
ask_map(struct scheduler *s, struct class *c, const json_t *map)
{
	const char *name;
	json_t *v;

	json_object_foreach ((json_t *)map, name, v)
		ask(s, c, name);
}

static void
ask_containers(struct scheduler *s, struct class *c, const json_t *list)
{
	size_t i;
	json_t *one;

	json_array_foreach (list, i, one) {
		ask_map(s, c, get(one, "resources", "requests"));
		ask_map(s, c, get(one, "resources", "limits"));
	}
}

int64_t
class_asks(const struct class *c, unsigned resource)
{
	for (size_t i = 0; i < c->nrequests; i++)
		if (c->request[i].resource == resource)
			return c->request[i].amount;
	return 0;
}

/* What the containers that do not ask for this resource are taken to use, on top. */
static int64_t
guessed(const json_t *pod, const char *resource, int64_t each)
{
	int64_t sum = 0;
	size_t i;
	json_t *c;

	if (get(pod, "spec", "resources", "requests", resource))
		return 0;
	json_array_foreach (get(pod, "spec", "containers"), i, c)
		if (!get(c, "resources", "requests", resource) &&
		    !get(c, "resources", "limits", resource))
			sum += each;
	return sum;
}

static void
read_requests(struct scheduler *s, struct class *c)
{
	const json_t *spec = get(c->pod, "spec");

	ask(s, c, "pods");
	ask_containers(s, c, get(spec, "containers"));
	ask_containers(s, c, get(spec, "initContainers"));
	ask_map(s, c, get(spec, "resources", "requests"));
	ask_map(s, c, get(spec, "overhead"));
	c->best_effort = c->nrequests == 1;
	c->guess[0] = class_asks(c, CPU) + guessed(c->pod, "cpu", guess_cpu);
	c->guess[1] = class_asks(c, MEMORY) + guessed(c->pod, "memory", guess_memory);
}

static void
read_ports(struct class *c)
{
	size_t i, j;
	json_t *container, *p;

	json_array_foreach (get(c->pod, "spec", "containers"), i, container)
		json_array_foreach (get(container, "ports"), j, p) {
			int number = (int)num(get(p, "hostPort"), 0);

			if (number <= 0)
				continue;
			c->port = xreallocarray(c->port, c->nports + 1, sizeof *c->port);
			c->port[c->nports++] = (struct port){ number,
				str(get(p, "protocol"), "TCP"), text(p, "hostIP") };
		}
}

/* --- the table ------------------------------------------------------------ */

struct class *
class_of(struct scheduler *s, const json_t *pod)
{
	autobuf struct buf key = BUF_INIT;
	struct map_slot *slot;
	struct class *c;

	key_of(&key, pod);
	slot = map_at(&s->classes, key.data, key.len);
	c = slot->value;
	if (!c) {
		c = slot->value = xcalloc(1, sizeof *c);
		c->pod = json_incref((json_t *)pod);
		c->keylen = key.len;
		c->key = buf_detach(&key);
		c->tolerations = get(pod, "spec", "tolerations");
		c->selects = get(pod, "spec", "nodeSelector") ||
			     get(pod, "spec", "affinity", "nodeAffinity",
				 "requiredDuringSchedulingIgnoredDuringExecution");
		c->prefers = get(pod, "spec", "affinity", "nodeAffinity",
				 "preferredDuringSchedulingIgnoredDuringExecution") != NULL;
		c->related = related_of(s, pod);
		read_requests(s, c);
		read_ports(c);
	}
	c->refs++;
	return c;
}

static void
class_free(struct class *c)
{
	related_free(c->related); /* its texts are in the pod */
	json_decref(c->pod);
	free(c->members.item);
	free(c->request);
	free(c->port);
	free(c->verdict);
	free(c->key);
	free(c);
}

/* Without pods a class stays as long as it has verdicts: pods that fit nowhere come back. */
static void
drop_unused(struct scheduler *s, struct class *c)
{
	if (c->refs || c->verdict)
		return;
	map_take(&s->classes, c->key, c->keylen);
	class_free(c);
}

void
class_put(struct scheduler *s, struct class *c)
{
	c->refs--;
	drop_unused(s, c);
}

/* The table used longest ago goes; its memory is for the next. */
static void
take_oldest(struct scheduler *s, struct class *c)
{
	size_t at = 0;
	struct class *oldest;

	for (size_t i = 1; i < s->ntables; i++)
		if (s->table[i]->last_used < s->table[at]->last_used)
			at = i;
	oldest = s->table[at];
	s->table[at] = c;
	c->verdict = steal(oldest->verdict);
	c->nverdicts = oldest->nverdicts;
	oldest->nverdicts = 0;
	drop_unused(s, oldest);
}

void
class_table(struct scheduler *s, struct class *c)
{
	c->last_used = ++s->clock;
	if (!c->verdict && s->ntables == MAX_TABLES)
		take_oldest(s, c);
	else if (!c->verdict)
		s->table[s->ntables++] = c;
	if (c->verdict && c->nverdicts >= s->nnodes)
		return;
	c->verdict = xreallocarray(c->verdict, s->nnodes + 1, sizeof *c->verdict);
	c->nverdicts = s->nnodes;
}

static void
class_free_p(void *c)
{
	class_free(c);
}

void
classes_release(struct scheduler *s)
{
	map_release(&s->classes, class_free_p);
}
